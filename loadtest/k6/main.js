// The load suite. TYPE picks the profile, BASE_URL the replicas; loadtest/README.md has the other variables.
import exec from 'k6/execution';
import { bases, number } from './lib/config.js';
import { pick } from './lib/profiles.js';
import { report } from './lib/summary.js';
import { thresholds } from './lib/thresholds.js';
import { journey } from './scenarios/journey.js';

const profile = pick(__ENV.TYPE || 'smoke', __ENV.DURATION, number('RATE', { from: 0.1, to: 500 }));

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

export default function iteration({ run }) {
  const count = exec.scenario.iterationInTest;
  journey(bases[count % bases.length], `k6-${run}-${count}@load.example.com`, profile);
}

export function handleSummary(data) {
  return report(profile, data);
}
