"""The names that rules, dashboards and the gate ask Prometheus for: jobs, metrics, routes."""

SERVICE_JOB = "service"
POSTGRES_JOB = "postgres"
REDIS_JOB = "redis"
EDGE_JOB = "edge"
PROMETHEUS_JOB = "prometheus"
ALERTMANAGER_JOB = "alertmanager"
GRAFANA_JOB = "grafana"

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
        "janua_audit_rows_total",
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

# What rules and dashboards read from elsewhere: the edge, the two exporters, and Prometheus itself.
OTHER_METRICS = frozenset(
    {
        "ALERTS",
        "haproxy_backend_active_servers",
        "haproxy_process_start_time_seconds",
        "pg_up",
        "redis_up",
        "up",
    }
)
