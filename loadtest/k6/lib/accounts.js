// Signing up and logging in.
import { Trend } from 'k6/metrics';
import { call } from './api.js';

const signupLatency = new Trend('signup_latency', true);
const loginLatency = new Trend('login_latency', true);

const PASSWORD = 'Quartz-lantern-47-meadow';

// Returns the new account ({id, email, …}), undefined if there is none.
export function signUp(base, email, { mayShed }) {
  return call('POST', base, '/auth/signup', {
    name: 'signup',
    trend: signupLatency,
    status: 201,
    body: { email, password: PASSWORD, name: 'Load test' },
    accept: (account) => Boolean(account.id) && account.email === email,
    mayShed,
  });
}

// Returns an access token of the account, undefined if there is none.
export function logIn(base, { email }, { mayShed }) {
  const session = call('POST', base, '/auth/login', {
    name: 'login',
    trend: loginLatency,
    status: 200,
    body: { email, password: PASSWORD },
    accept: (answer) => Boolean(answer.access_token),
    mayShed,
  });
  return session && session.access_token;
}
