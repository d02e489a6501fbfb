// How far a run is, a line every PROGRESS_SECONDS (none by default): for logs. On a terminal k6 draws a bar by itself.
import exec from 'k6/execution';
import { number } from './config.js';

const everyMs = 1000 * (number('PROGRESS_SECONDS', { from: 0, to: 3600 }) || 0);
let toldMs = 0;

// To be called often. One virtual user speaks for all, since they share nothing that could tell who spoke last.
export function tell() {
  const { currentTestRunDuration: nowMs, vusActive, iterationsCompleted } = exec.instance;
  if (!everyMs || exec.vu.idInTest !== 1 || nowMs < toldMs + everyMs) {
    return;
  }
  toldMs = nowMs;
  console.log(`${(nowMs / 1000).toFixed(0)} s: ${vusActive} users, ${iterationsCompleted} iterations complete`);
}
