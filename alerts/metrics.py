"""The names that rules, dashboards and the gate ask Prometheus for: jobs, metrics, routes."""

SERVICE_JOB = "service"
POSTGRES_JOB = "postgres"
REDIS_JOB = "redis"
EDGE_JOB = "edge"
PROMETHEUS_JOB = "prometheus"
ALERTMANAGER_JOB = "alertmanager"
GRAFANA_JOB = "grafana"
NODE_JOB = "node"
CADVISOR_JOB = "cadvisor"

REQUEST_LATENCY = "janua_request_latency_milliseconds"
AUTH_OPERATION = "janua_auth_operation_milliseconds"
DB_QUERIES = "janua_db_queries_total"
DB_ROUND_TRIPS = "janua_db_round_trips_total"
DATABASE_ROLE_RESTRICTED = "janua_database_role_restricted"
CACHE_REQUESTS = "janua_cache_requests_total"
CACHE_STORE_FAILURES = "janua_cache_store_failures_total"
CACHE_INVALIDATIONS = "janua_cache_invalidations_total"
REVOCATION = "janua_revocation_milliseconds"
TRACES = "janua_traces_total"
BUILD_INFO = "janua_build_info"
AUDIT_ROWS = "janua_audit_rows_total"
TENANT_REQUESTS = "janua_tenant_requests_total"
# What the backup leaves for node_exporter (infra/jobs/backup.sh).
BACKUP_ATTEMPT = "janua_backup_last_attempt_timestamp_seconds"
BACKUP_SUCCESS = "janua_backup_last_success_timestamp_seconds"
# What the gate leaves for node_exporter: the figures of the release that it judged last, by their names.
GATE_PASSED = "janua_gate_passed"
GATE_JUDGED = "janua_gate_judged_timestamp_seconds"
GATE_FIGURES = "janua_gate_figure"
# What k6 writes while a load test runs. Percentiles are of the whole run so far, in seconds.
K6 = "k6_"
K6_REQUESTS = f"{K6}http_reqs_total"
K6_DURATION = f"{K6}http_req_duration"
K6_ERRORS = f"{K6}errors_rate"
K6_SHED = f"{K6}shed_total"
K6_USERS = f"{K6}vus"
K6_ITERATIONS = f"{K6}iterations_total"
K6_DROPPED = f"{K6}dropped_iterations_total"
EDGE_STARTED = "haproxy_process_start_time_seconds"
# A series for each server of the backend and each state that it can be in.
EDGE_SERVER_STATUS = 'haproxy_server_status{proxy="replicas",state="UP"}'
EDGE_ACTIVE_SERVERS = 'haproxy_backend_active_servers{proxy="replicas"}'

API_ROUTES = 'path=~"/api/v1/.*"'
AUTH_ROUTES = 'path=~"/api/v1/auth/.*"'
VALIDATE_ROUTE = 'path="/api/v1/auth/validate"'

# Every look-up of the cache ends in one of these two: a hit in some tier, or none in the last one, whether it has
# nothing (miss) or does not answer (error): PostgreSQL is asked then. What an earlier tier does not have it only
# passes on: that is not counted.
LAST_TIER = "redis"
CACHE_HITS = 'result="hit"'
CACHE_MISSES = f'result=~"miss|error",tier="{LAST_TIER}"'

# What the service exports (histograms without their suffixes).
SERVICE_METRICS = frozenset(
    {
        REQUEST_LATENCY,
        AUTH_OPERATION,
        DB_QUERIES,
        CACHE_REQUESTS,
        CACHE_STORE_FAILURES,
        CACHE_INVALIDATIONS,
        REVOCATION,
        TRACES,
        BUILD_INFO,
        AUDIT_ROWS,
        TENANT_REQUESTS,
        "janua_cache_hit_rate_percent",
        DATABASE_ROLE_RESTRICTED,
        DB_ROUND_TRIPS,
        "janua_db_pool_connections",
        "janua_db_pool_size",
        "janua_hash_queue_depth",
        "janua_hashes_total",
        "janua_hash_rejections_total",
        "janua_redis_up",
        "janua_sessions_cleaned_total",
    }
)

# What dashboards read from the exporters, beside what rules do.
EXPORTED_METRICS = frozenset(
    {
        GATE_FIGURES,
        GATE_JUDGED,
        GATE_PASSED,
        "container_cpu_usage_seconds_total",
        "container_memory_working_set_bytes",
        "container_network_receive_bytes_total",
        "container_network_transmit_bytes_total",
        "container_spec_memory_limit_bytes",
        "haproxy_backend_redispatch_warnings_total",
        "haproxy_backend_retry_warnings_total",
        "haproxy_frontend_http_responses_total",
        "node_cpu_seconds_total",
        "node_disk_read_bytes_total",
        "node_disk_written_bytes_total",
        "node_filesystem_avail_bytes",
        "node_filesystem_size_bytes",
        "node_load1",
        "node_load5",
        "node_memory_MemAvailable_bytes",
        "node_memory_MemTotal_bytes",
        "node_pressure_cpu_waiting_seconds_total",
        "node_pressure_io_waiting_seconds_total",
        "node_pressure_memory_waiting_seconds_total",
        "pg_database_size_bytes",
        "pg_index_scans_total",
        "pg_locks_count",
        "pg_settings_max_connections",
        "pg_stat_activity_count",
        "pg_statement_calls_total",
        "pg_statement_seconds_total",
        "pg_table_dead_rows",
        "pg_table_sequential_scans_total",
        "pg_wal_flush_seconds_total",
        "pg_wal_flushes_total",
        "pg_work_commits_total",
        "pg_work_deadlocks_total",
        "pg_work_pages_hit_total",
        "pg_work_pages_read_total",
        "pg_work_rollbacks_total",
        "pg_work_rows_deleted_total",
        "pg_work_rows_fetched_total",
        "pg_work_rows_inserted_total",
        "pg_work_rows_updated_total",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "redis_blocked_clients",
        "redis_commands_duration_seconds_total",
        "redis_commands_total",
        "redis_connected_clients",
        "redis_db_keys",
        "redis_db_keys_expiring",
        "redis_evicted_keys_total",
        "redis_expired_keys_total",
        "redis_memory_max_bytes",
        "redis_memory_used_bytes",
    }
)

# What the dashboard of load tests reads.
K6_METRICS = frozenset(
    {
        K6_REQUESTS,
        K6_ERRORS,
        K6_SHED,
        K6_USERS,
        K6_ITERATIONS,
        K6_DROPPED,
        *(f"{K6_DURATION}_{statistic}" for statistic in ("p50", "p95", "p99")),
        *(f"{K6}{name}_latency_p95" for name in ("signup", "login", "token_validation")),
    }
)

# What rules read from elsewhere: the edge, the two exporters, and Prometheus itself.
OTHER_METRICS = frozenset(
    {
        "ALERTS",
        "alertmanager_notifications_failed_total",
        BACKUP_ATTEMPT,
        BACKUP_SUCCESS,
        "haproxy_backend_active_servers",
        "haproxy_server_status",
        EDGE_STARTED,
        "pg_up",
        "process_start_time_seconds",
        "redis_up",
        "redis_uptime_in_seconds",
        "up",
    }
)
