// Signing up and logging in.
import { Trend } from 'k6/metrics';
import { call } from './api.js';

const signupLatency = new Trend('signup_latency', true);
const loginLatency = new Trend('login_latency', true);

const PASSWORD = 'Quartz-lantern-47-meadow';

// Returns the new user ({id, email, password}), undefined if there is none.
export function signUp(base, email, { mayShed }) {
  const account = call('POST', base, '/auth/signup', {
    name: 'signup',
    trend: signupLatency,
    status: 201,
    body: { email, password: PASSWORD, name: 'Load test' },
    accept: (answer) => Boolean(answer.id) && answer.email === email,
    mayShed,
  });
  return account && { id: account.id, email, password: PASSWORD };
}

// Returns an access token of the user, undefined if there is none.
export function logIn(base, { email, password, tenant }, { mayShed }) {
  const session = call('POST', base, '/auth/login', {
    name: 'login',
    trend: loginLatency,
    status: 200,
    body: { email, password },
    tenant,
    accept: (answer) => Boolean(answer.access_token),
    mayShed,
  });
  return session && session.access_token;
}
