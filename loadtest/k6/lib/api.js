// One request to the API: tagged, timed, and counted as an error unless it is answered as expected.
import http from 'k6/http';
import { Counter, Rate } from 'k6/metrics';

export const errors = new Rate('errors');
const shed = new Counter('shed');

// Returns the parsed answer of a request that has to be answered with `status` and a body that `accept`
// approves, undefined otherwise. With `mayShed` a 429 is no error: under stress the service refuses what it
// cannot hash in time, and says so.
export function call(method, base, path, { name, trend, status, accept, body, token, tenant, mayShed = false }) {
  const response = http.request(method, `${base}/api/v1${path}`, body && JSON.stringify(body), {
    headers: headers(body, token, tenant),
    tags: { kind: 'api', name },
    responseCallback: http.expectedStatuses(status, ...(mayShed ? [429] : [])),
  });
  if (mayShed && response.status === 429) {
    shed.add(1, { name });
    errors.add(false, { name });
    return undefined;
  }
  if (response.status !== 0) {
    // Without an answer there is no latency, and its 0 ms would flatter the percentiles.
    trend.add(response.timings.duration);
  }
  const answer = response.status === status ? parsed(response) : undefined;
  const good = answer !== undefined && accept(answer);
  errors.add(!good, { name });
  return good ? answer : undefined;
}

function headers(body, token, tenant) {
  return {
    ...(body && { 'Content-Type': 'application/json' }),
    ...(token && { Authorization: `Bearer ${token}` }),
    ...(tenant && { 'X-Tenant': tenant }),
  };
}

function parsed(response) {
  try {
    return response.json() || undefined;
  } catch {
    return undefined;
  }
}
