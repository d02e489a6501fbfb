// Validating an access token: the hot path.
import { Trend } from 'k6/metrics';
import { call } from './api.js';

const validationLatency = new Trend('token_validation_latency', true);

// The answer has to be about the account that the token was issued to.
export function validate(base, token, { id }) {
  call('GET', base, '/auth/validate', {
    name: 'validate',
    trend: validationLatency,
    status: 200,
    headers: { Authorization: `Bearer ${token}` },
    accept: (answer) => answer.user_id === id,
  });
}
