// What a user does: signs up, logs in, and shows the token to services, each of which asks whether it holds. Then
// Prometheus looks. With a population it is one of its users, by chance, who logs in.
import { sleep } from 'k6';
import { logIn, signUp } from '../lib/accounts.js';
import { readMetrics } from '../lib/metrics.js';
import { population } from '../lib/population.js';
import { tell } from '../lib/progress.js';
import { validate } from '../lib/tokens.js';

// A token is validated by every service that it is shown to, so far more often than it is issued.
const VALIDATIONS_PER_LOGIN = 10;

export function journey(base, email, profile) {
  const newcomer = signUp(base, email, profile);
  const user = population ? population.anyone(profile.activeUsers) : newcomer;
  const token = user && logIn(base, user, profile);
  for (const session of shown(token && { ...user, token }, profile)) {
    if (session) {
      validate(base, session);
    }
    // Who was turned away takes as long as others before the next attempt: it would be a storm otherwise.
    pause(profile);
  }
  readMetrics(base);
}

// Returns the sessions that are validated: the user's own, undefined without one; with a population, those of others in
// turn.
function shown(own, { activeUsers }) {
  const turns = Array.from({ length: VALIDATIONS_PER_LOGIN }, (_, turn) => turn);
  return turns.map((turn) => (population && turn % 2 ? population.anyone(activeUsers) : own));
}

function pause({ pauseSeconds }) {
  sleep(pauseSeconds * (0.5 + Math.random()));
  tell();
}
