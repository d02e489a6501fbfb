// What a run leaves behind: a block for people, one line for programs, summary.json for whoever keeps results.
import { resultsDirectory } from './config.js';
import { population } from './population.js';

// Returns what k6 writes at the end of the run: destination to text.
export function report(profile, data) {
  const summary = summarize(profile, data);
  const line = JSON.stringify(summary);
  const written = { stdout: `\n${block(summary)}\nSUMMARY ${line}\n` };
  if (resultsDirectory) {
    written[`${resultsDirectory}/summary.json`] = `${line}\n`;
  }
  return written;
}

// Times of day in Unix seconds, latencies in milliseconds (null without a sample), the error rate from 0 to 1.
function summarize({ type, rate }, { metrics, setup_data: start }) {
  const value = (metric, key) => (sampled(metrics[metric]) ? metrics[metric].values[key] : null);
  const trend = (metric) => ({
    p50: value(metric, 'med'),
    p95: value(metric, 'p(95)'),
    p99: value(metric, 'p(99)'),
    avg: value(metric, 'avg'),
  });
  return {
    type,
    rate: rate ?? null,
    seeded_users: population?.count ?? 0,
    started_at: (start?.startedAt ?? Date.now()) / 1000,
    ended_at: Date.now() / 1000,
    requests: value('http_reqs', 'count') ?? 0,
    api_requests: value('http_reqs{kind:api}', 'count') ?? 0,
    iterations: value('iterations', 'count') ?? 0,
    dropped_iterations: value('dropped_iterations', 'count') ?? 0,
    shed: value('shed', 'count') ?? 0,
    shed_by: { signup: value('shed{name:signup}', 'count') ?? 0, login: value('shed{name:login}', 'count') ?? 0 },
    error_rate: value('errors', 'rate'),
    latency_ms: trend('http_req_duration'),
    signup_ms: trend('signup_latency'),
    login_ms: trend('login_latency'),
    token_validation_ms: trend('token_validation_latency'),
    thresholds_failed: failedThresholds(metrics),
  };
}

// k6 reports 0 for a trend or a rate without a sample: that is no latency and no error rate at all.
function sampled(metric) {
  if (!metric) {
    return false;
  }
  const { count, passes, fails } = metric.values;
  return metric.type === 'rate' ? passes + fails > 0 : metric.type !== 'trend' || count > 0;
}

function failedThresholds(metrics) {
  return Object.entries(metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.entries(thresholds)
      .filter(([, { ok }]) => !ok)
      .map(([threshold]) => `${name} ${threshold}`),
  );
}

function block(summary) {
  const { latency_ms: all } = summary;
  const rows = [
    ['Profile', profileLine(summary)],
    ['Requests', `p50 ${ms(all.p50)}, p95 ${ms(all.p95)}, p99 ${ms(all.p99)}, avg ${ms(all.avg)}`],
    ['Signup', p95AndAverage(summary.signup_ms)],
    ['Login', p95AndAverage(summary.login_ms)],
    ['Token validation', p95AndAverage(summary.token_validation_ms)],
    ['Error rate', summary.error_rate === null ? 'no requests' : `${(100 * summary.error_rate).toFixed(2)} %`],
    ['Shed with 429', `${summary.shed} (${summary.shed_by.signup} signups, ${summary.shed_by.login} logins)`],
    ['Iterations', `${summary.iterations} (${summary.dropped_iterations} dropped)`],
    ['API requests', `${summary.api_requests} of ${summary.requests}`],
    ['Thresholds', summary.thresholds_failed.join(', ') || 'all hold'],
    ...(resultsDirectory ? [['Results', resultsDirectory]] : []),
  ];
  const title = 'Load Test Results';
  const lines = rows.map(([name, text]) => `  ${name.padEnd(18)}${text}`);
  return [title, '-'.repeat(title.length), ...lines].join('\n');
}

function profileLine({ type, rate, seeded_users: seeded, started_at: start, ended_at: end }) {
  const parts = [type, `${(end - start).toFixed(0)} s`];
  return [...parts, ...(rate ? [`${rate} iterations/s`] : []), ...(seeded ? [`${seeded} seeded users`] : [])].join(', ');
}

function p95AndAverage({ p95, avg }) {
  return `p95 ${ms(p95)}, avg ${ms(avg)}`;
}

function ms(value) {
  return value === null ? 'none' : `${value.toFixed(2)} ms`;
}
