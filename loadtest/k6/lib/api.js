// One request to the API: tagged, timed, and counted as an error unless it is answered as expected.
import http from 'k6/http';
import { Counter, Rate } from 'k6/metrics';

const JSON_TYPE = { 'Content-Type': 'application/json' };

export const errors = new Rate('errors');
const shed = new Counter('shed');

// Returns the parsed answer of a request that has to be answered with `status` and a body that `accept`
// approves, undefined otherwise. With `mayShed` a 429 is no error: under stress the service refuses what it
// cannot hash in time, and says so.
export function call(method, base, path, { name, trend, status, accept, body, headers, mayShed = false }) {
  const response = http.request(method, `${base}/api/v1${path}`, body && JSON.stringify(body), {
    headers: { ...(body && JSON_TYPE), ...headers },
    tags: { kind: 'api', name },
    responseCallback: http.expectedStatuses(status, ...(mayShed ? [429] : [])),
  });
  if (mayShed && response.status === 429) {
    shed.add(1);
    errors.add(false);
    return undefined;
  }
  if (response.status !== 0) {
    // Without an answer there is no latency, and its 0 ms would flatter the percentiles.
    trend.add(response.timings.duration);
  }
  const answer = response.status === status ? parsed(response) : undefined;
  const good = answer !== undefined && accept(answer);
  errors.add(!good);
  return good ? answer : undefined;
}

function parsed(response) {
  try {
    return response.json() || undefined;
  } catch {
    return undefined;
  }
}
