"""Every metric of the service: the only module where one is born.

Each application has a registry of its own, so that two of them can live in one process (tests do that).
Labels come from bounded sets: route templates, kinds, tiers and event types, never from what a client sent.
"""

import math
import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.samples import Exemplar

from service import __version__
from service.audit.events import AuditEvent
from service.clock import Clock
from service.observability.context import RequestContext
from service.observability.hit_rate import HitRateWindow
from service.observability.plain import PlainCounter, PlainHistogram
from service.observability.tracing.spans import TracedRequest

# Milliseconds. The targets (1, 2, 5, 50, 100 and k6's 500 and 1000) are boundaries, so that "how many were
# faster than the target" is a count and no interpolation; the rest keeps quantiles between them honest.
LATENCY_BUCKETS = (
    *(1, 2, 3, 5, 7.5, 10, 15, 20, 25, 30, 40, 50, 75),
    *(100, 150, 200, 250, 300, 400, 500, 750, 1000, 1500, 2500, 5000, 10_000),
)
AUTH_OPERATIONS = ("login", "signup", "validate")
CACHE_KINDS = ("validation", "session", "user", "permissions")
CACHE_RESULTS = ("hit", "miss", "error")
STORE_FAILURES = ("unreachable", "timeout", "refused", "readonly", "oom")
# Every replica has confirmed; one did not, and its lease was waited for; the generation was raised.
INVALIDATION_OUTCOMES = ("acknowledged", "lapsed", "generation")
POOL_STATES = ("in_use", "idle")
# Sent; not taken by whoever they were sent to; too many that waited to be sent; too many in that second.
TRACE_OUTCOMES = ("exported", "failed", "queue_full", "too_many")
# A tenant is a label only so far: administrators may make any number of them, and each is some series.
MOST_TENANTS = 50
OTHER_TENANTS = "<other>"


disable_created_metrics()  # type: ignore[no-untyped-call]  # a series of its own for each counter's birth would double the exposition


class Metrics:
    """The metrics of one application."""

    def __init__(self, *, release: str, clock: Clock) -> None:
        self.registry = registry = CollectorRegistry()
        self.hit_rate = HitRateWindow(clock)
        self._clock = clock
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)

        self._request_latency = PlainHistogram(
            "janua_request_latency_milliseconds",
            "Time from the first byte of a request to the last of its response",
            ["method", "path", "status"],
            LATENCY_BUCKETS,
            registry,
        )
        self._tenant_requests = PlainCounter(
            "janua_tenant_requests",
            f"Requests of known users by tenant; of the {MOST_TENANTS} that came first, all others are {OTHER_TENANTS}",
            ["tenant", "status"],
            registry,
        )
        self._tenants: set[str] = set()
        self._db_queries = PlainCounter(
            "janua_db_queries", "Statements that read or wrote tables while a request was served", ["path"], registry
        )
        self._db_round_trips = PlainCounter(
            "janua_db_round_trips",
            "Times that a request waited for PostgreSQL: a statement together with setting its tenant, or a COMMIT",
            ["path"],
            registry,
        )
        self._auth_operation = PlainHistogram(
            "janua_auth_operation_milliseconds",
            "Time of one authentication operation, its answer's rendering left out",
            ["operation"],
            LATENCY_BUCKETS,
            registry,
        )
        self._cache_requests = PlainCounter(
            "janua_cache_requests", "Look-ups in the cache", ["tier", "kind", "result"], registry
        )
        self._store_failures = Counter(
            "janua_cache_store_failures",
            "Commands that Redis did not carry out, by reason",
            ["reason"],
            registry=registry,
        )
        self._invalidations = Counter(
            "janua_cache_invalidations",
            "Invalidations of what replicas keep in memory, by how they took effect in all of them",
            ["outcome"],
            registry=registry,
        )
        self._revocation = Histogram(
            "janua_revocation_milliseconds",
            "Time from the commit of a revocation until no replica accepts the token any more",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self._traces = PlainCounter(
            "janua_traces", "Requests that were to leave a trace, by what became of it", ["outcome"], registry
        )
        self.hash_queue_depth = Gauge(
            "janua_hash_queue_depth", "Passwords that wait for a hashing thread", registry=registry
        )
        self.hashes = Counter("janua_hashes", "Passwords hashed or verified", registry=registry)
        self.hash_rejections = Counter(
            "janua_hash_rejections", "Requests answered 429: the hashing queue was too long", registry=registry
        )
        self.audit_rows = Counter(
            "janua_audit_rows", "Rows committed to the audit trail", ["event_type"], registry=registry
        )
        self.sessions_cleaned = Counter(
            "janua_sessions_cleaned", "Sessions deleted because they had expired", registry=registry
        )
        self.redis_up = Gauge(
            "janua_redis_up", "1 if Redis answered last, 0 if not, NaN if none is configured", registry=registry
        )
        self.redis_up.set(math.nan)
        self.database_role_restricted = Gauge(
            "janua_database_role_restricted",
            "1 if row level security binds the service's database role, 0 if not, NaN if unknown or SQLite",
            registry=registry,
        )
        self.database_role_restricted.set(math.nan)
        self._hit_rate_gauge = Gauge(
            "janua_cache_hit_rate_percent",
            "100 x hits / (hits + misses) of the last 5 minutes; NaN without look-ups",
            registry=registry,
        )
        self._hit_rate_gauge.set_function(self.hit_rate.percent)
        build = Gauge(
            "janua_build_info", "What is running; always 1", ["release", "version", "python"], registry=registry
        )
        build.labels(release, __version__, platform.python_version()).set(1)
        self._initialise_labels()

    def watch_pool(self, *, size: int, in_use: Callable[[], int], idle: Callable[[], int]) -> None:
        """Export the database pool's size and, at each scrape, its connections by state."""
        Gauge("janua_db_pool_size", "Most connections that the pool opens", registry=self.registry).set(size)
        connections = Gauge(
            "janua_db_pool_connections", "Connections of the pool by state", ["state"], registry=self.registry
        )
        for state, count in zip(POOL_STATES, (in_use, idle), strict=True):
            connections.labels(state).set_function(count)

    def initialise_routes(self, routes: Iterable[tuple[str, str, int]]) -> None:
        """Make the series of (method, path, status) exist before their first request."""
        for method, path, status in routes:
            self._request_latency.exist((method, path, status))
            self._db_queries.exist((path,))
            self._db_round_trips.exist((path,))

    def count_request(self, request: RequestContext, method: str, path: str, status: int, milliseconds: float) -> None:
        """Count a request that has ended. `path` is the route's template."""
        self._request_latency.observe((method, path, status), milliseconds)
        self._db_queries.add((path,), request.db_queries)
        self._db_round_trips.add((path,), request.db_round_trips)
        if request.tenant is not None:
            self._tenant_requests.add((self._tenant(request.tenant), status))

    def _tenant(self, slug: str) -> str:
        """The label of a tenant that exists."""
        if slug in self._tenants:
            return slug
        if len(self._tenants) == MOST_TENANTS:
            return OTHER_TENANTS
        self._tenants.add(slug)
        return slug

    def count_lookup(self, tier: str, kind: str, result: str) -> None:
        """Count what one tier of the cache said to a look-up, one of `CACHE_RESULTS`."""
        self._cache_requests.add((tier, kind, result))

    def record_lookup(self, hit: bool) -> None:
        """Let the hit rate know whether a look-up was answered by any tier."""
        self.hit_rate.record(hit)

    def count_store_failure(self, reason: str) -> None:
        """Count a command that Redis did not carry out, by one of `STORE_FAILURES`."""
        self._store_failures.labels(reason).inc()

    def count_invalidation(self, outcome: str) -> None:
        """Count an invalidation in all replicas, by one of `INVALIDATION_OUTCOMES`."""
        self._invalidations.labels(outcome).inc()

    def observe_revocation(self, seconds: float) -> None:
        """Observe how long after its commit a revocation held in every replica."""
        self._revocation.observe(1000 * seconds)

    def lookups(self, tier: str, kind: str) -> dict[str, int]:
        """How often each result was counted for a tier and a kind."""
        return {result: self._cache_requests.value((tier, kind, result)) for result in CACHE_RESULTS}

    def initialise_tier(self, tier: str) -> None:
        """Make the series of a cache tier exist before its first look-up."""
        for kind in CACHE_KINDS:
            for result in CACHE_RESULTS:
                self._cache_requests.exist((tier, kind, result))

    @contextmanager
    def time_operation(self, operation: str) -> Iterator[None]:
        """Observe how long the block takes, whether it succeeds or not."""
        started = self._clock.monotonic()
        try:
            yield
        finally:
            self.observe_operation(operation, self._clock.monotonic() - started)

    def observe_operation(self, operation: str, seconds: float) -> None:
        """Observe how long one of `AUTH_OPERATIONS` took."""
        self._auth_operation.observe((operation,), 1000 * seconds)

    def count_traces(self, outcome: str, number: int) -> None:
        """Count requests that were to leave a trace, by one of `TRACE_OUTCOMES`."""
        self._traces.add((outcome,), number)

    def exemplify(self, traced: TracedRequest) -> None:
        """Let a request whose trace can be looked up stand as an example in the histogram of latencies."""
        exemplar = Exemplar({"trace_id": traced.request.trace_id}, traced.milliseconds, traced.ended / 1e9)
        self._request_latency.exemplify((traced.method, traced.path, traced.status), exemplar)

    def render(self, accept: str) -> tuple[bytes, str]:
        """The exposition and its type: OpenMetrics, which alone has exemplars, or Prometheus's text format."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def _initialise_labels(self) -> None:
        for operation in AUTH_OPERATIONS:
            self._auth_operation.exist((operation,))
        for reason in STORE_FAILURES:
            self._store_failures.labels(reason)
        for outcome in INVALIDATION_OUTCOMES:
            self._invalidations.labels(outcome)
        for outcome in TRACE_OUTCOMES:
            self._traces.exist((outcome,))
        for event in AuditEvent:
            self.audit_rows.labels(event)
