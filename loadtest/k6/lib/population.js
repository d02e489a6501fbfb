// The users that `make seed` wrote: what each is called follows from the seed and a number, by the rules of
// loadtest/population/users.py.
import crypto from 'k6/crypto';
import { number } from './config.js';

const NAMES = ['POPULATION_SEED', 'POPULATION_COUNT', 'POPULATION_TENANTS'];
// The ids of users end with their number, in 48 bits.
const ID_PREFIX = '0193f2b0-0000-7000-8000-';

class Population {
  constructor(seed, count, tenants) {
    this.seed = seed;
    this.count = count;
    this.tenants = tenants;
    this.password = this.secret('password', 0);
  }

  // Returns the user of that number: {id, email, password, tenant, token}, the token of a session that there is.
  user(n) {
    return {
      id: ID_PREFIX + n.toString(16).padStart(12, '0'),
      email: `user${n}@load.example.com`,
      password: this.password,
      tenant: n % this.tenants ? `load-${n % this.tenants}` : 'default',
      token: this.secret('access', n),
    };
  }

  // Returns one of the first `active` users by chance.
  anyone(active) {
    return this.user(Math.floor(Math.random() * Math.min(active, this.count)));
  }

  secret(purpose, n) {
    return crypto.sha256(`${this.seed}:${purpose}:${n}`, 'base64rawurl');
  }
}

// undefined where the environment names none.
export const population = configured();

function configured() {
  const missing = NAMES.filter((name) => !__ENV[name]);
  if (missing.length === NAMES.length) {
    return undefined;
  }
  if (missing.length > 0) {
    throw new Error(`${NAMES.join(', ')} go together: not set: ${missing.join(', ')}`);
  }
  const count = number('POPULATION_COUNT', { from: 1, to: 10_000_000, whole: true });
  return new Population(__ENV.POPULATION_SEED, count, number('POPULATION_TENANTS', { from: 1, to: count, whole: true }));
}
