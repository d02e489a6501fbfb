// Validating an access token: the hot path.
import { Trend } from 'k6/metrics';
import { call } from './api.js';

const validationLatency = new Trend('token_validation_latency', true);

// The answer has to be about the user that the token was issued to.
export function validate(base, { id, token, tenant }) {
  call('GET', base, '/auth/validate', {
    name: 'validate',
    trend: validationLatency,
    status: 200,
    token,
    tenant,
    accept: (answer) => answer.user_id === id,
  });
}
