// Reading the metrics, as Prometheus does. They are no part of the API and are not counted as its requests.
import http from 'k6/http';
import { errors } from './api.js';
import { metricsBase } from './config.js';

const NAMES = [
  'janua_request_latency_milliseconds',
  'janua_db_queries_total',
  'janua_cache_hit_rate_percent',
  'janua_auth_operation_milliseconds',
];

// A replica shows its metrics; the public edge hides them with a 404. Both are as they should be.
export function readMetrics(base) {
  const response = http.get(`${metricsBase || base}/metrics`, {
    tags: { kind: 'metrics', name: 'metrics' },
    responseCallback: http.expectedStatuses(200, 404),
  });
  const complete = response.status === 200 && NAMES.every((name) => response.body.includes(name));
  errors.add(!complete && response.status !== 404, { name: 'metrics' });
}
