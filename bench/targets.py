"""What the figures have to be. Promises of the service come from alerts/targets.json; the rest is written here."""

from alerts import targets
from bench.figures import Target

_PROMISED = targets.load()

# CPU time per validation from a warm cache, as a multiple of another program's.
IN_PROCESS_OVER_BARE = Target("<=", 1.5)
REDIS_OVER_BARE = Target("<=", 3.5)
OVER_FASTAPI_USERS = Target("<=", 0.1)
# CPU time per validation with traces and request lines, as a multiple of that without either.
TELEMETRY_OVER_NONE = Target("<=", 1.1)
# CPU milliseconds of a login beside those of the hash.
LOGIN_OVER_HASH_MS = Target("<=", 3)

EDGE_VALIDATION_P95_MS = Target("<", _PROMISED.validation_latency_p95_ms)
DIRECT_VALIDATION_P95_MS = Target("<", 2)
EDGE_HIT_RATE_PERCENT = Target(">", 95)

MIXED_P95_MS = Target("<", _PROMISED.auth_latency_p95_ms)
QUERIES_PER_REQUEST = Target("<", _PROMISED.queries_per_auth_request_max)
HIT_RATE_PERCENT = Target(">", _PROMISED.cache_hit_rate_min_percent)

ERROR_PERCENT = Target("<", _PROMISED.error_rate_max_percent)
CROWD_VALIDATION_P95_MS = Target("<", 50)
CONCURRENT_USERS = round(_PROMISED.concurrent_users_min)

OUTAGE_P95_MS = Target("<", 150)
RECOVERY_SECONDS = Target("<", 10)

NONE = Target("=", 0, of="all")
