// k6's thresholds, from the one file of targets.
const targets = JSON.parse(open(import.meta.resolve('../../../alerts/targets.json')));

export const thresholds = {
  http_req_duration: [
    `p(95)<${targets.k6.http_req_duration_p95_ms}`,
    `p(99)<${targets.k6.http_req_duration_p99_ms}`,
  ],
  signup_latency: [`p(95)<${targets.k6.signup_latency_p95_ms}`],
  login_latency: [`p(95)<${targets.k6.login_latency_p95_ms}`],
  token_validation_latency: [`p(95)<${targets.k6.token_validation_latency_p95_ms}`],
  errors: [`rate<${targets.error_rate_max_percent / 100}`],
  // No samples would satisfy every threshold above: a run that sent nothing has to fail all the same.
  'http_reqs{kind:api}': ['count>0'],
  dropped_iterations: ['count<1'],
  // Nothing to hold: k6 counts apart only what is named here.
  'shed{name:signup}': [],
  'shed{name:login}': [],
};
