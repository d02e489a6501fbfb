// The load suite: signup, login, token validation, metrics. TYPE picks the profile, BASE_URL the replicas.
import exec from 'k6/execution';
import { sleep } from 'k6';
import { logIn, signUp } from './lib/accounts.js';
import { bases } from './lib/config.js';
import { readMetrics } from './lib/metrics.js';
import { pick } from './lib/profiles.js';
import { report } from './lib/summary.js';
import { thresholds } from './lib/thresholds.js';
import { validate } from './lib/tokens.js';

const profile = pick(__ENV.TYPE || 'smoke', __ENV.DURATION);

// A token is validated by every service that it is shown to, so far more often than it is issued.
const VALIDATIONS_PER_LOGIN = 10;

export const options = {
  scenarios: { [profile.type]: profile.scenario },
  thresholds,
  summaryTrendStats: ['count', 'avg', 'med', 'p(95)', 'p(99)'],
  // A name with several addresses is a set of replicas: each iteration connects anew, to the next of them.
  dns: { ttl: '0', select: 'roundRobin', policy: 'preferIPv4' },
  noVUConnectionReuse: true,
};

export function setup() {
  const startedAt = Date.now();
  return { startedAt, run: `${startedAt.toString(36)}${Math.random().toString(36).slice(2, 8)}` };
}

export default function journey({ run }) {
  const base = bases[exec.scenario.iterationInTest % bases.length];
  const account = signUp(base, `k6-${run}-${exec.scenario.iterationInTest}@load.example.com`, profile);
  const token = account && logIn(base, account, profile);
  if (token) {
    for (let i = 0; i < VALIDATIONS_PER_LOGIN; i += 1) {
      validate(base, token, account);
      pause();
    }
  } else {
    pause();
  }
  readMetrics(base);
}

export function handleSummary(data) {
  return report(profile.type, data);
}

function pause() {
  sleep(profile.pauseSeconds * (0.5 + Math.random()));
}
