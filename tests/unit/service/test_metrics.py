"""What is counted, and under which labels."""

from contextlib import suppress

import pytest

from service.clock import ManualClock
from service.observability.context import RequestContext
from service.observability.metrics import MOST_TENANTS, OTHER_TENANTS, Metrics

PATH = "/api/v1/auth/validate"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def metrics(clock: ManualClock) -> Metrics:
    return Metrics(release="test", clock=clock)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    found: float | None = metrics.registry.get_sample_value(name, labels)
    return found


def test_a_request_is_counted_under_its_route_and_status(metrics: Metrics) -> None:
    request = RequestContext("id", "trace", db_queries=2, db_round_trips=3)
    for status, milliseconds in ((200, 4.5), (200, 0.5), (401, 30)):
        metrics.count_request(request, "GET", PATH, status, milliseconds)
    latency = "janua_request_latency_milliseconds"
    labels = {"method": "GET", "path": PATH, "status": "200"}
    assert (value(metrics, f"{latency}_count", **labels), value(metrics, f"{latency}_sum", **labels)) == (2, 5)
    assert [value(metrics, f"{latency}_bucket", **labels, le=le) for le in ("1.0", "3.0", "5.0")] == [1, 1, 2]
    assert value(metrics, f"{latency}_count", **labels | {"status": "401"}) == 1
    assert value(metrics, "janua_db_queries_total", path=PATH) == 6
    assert value(metrics, "janua_db_round_trips_total", path=PATH) == 9


def test_a_request_is_counted_for_the_tenant_whose_user_it_was(metrics: Metrics) -> None:
    for tenant, status in (("acme", 200), ("acme", 200), ("acme", 503), (None, 401)):
        metrics.count_request(RequestContext("id", "trace", tenant=tenant), "GET", PATH, status, 1)
    assert value(metrics, "janua_tenant_requests_total", tenant="acme", status="200") == 2
    assert value(metrics, "janua_tenant_requests_total", tenant="acme", status="503") == 1
    assert len(tenants(metrics)) == 1


def test_tenants_without_number_do_not_make_series_without_number(metrics: Metrics) -> None:
    for number in range(2 * MOST_TENANTS):
        metrics.count_request(RequestContext("id", "trace", tenant=f"tenant-{number}"), "GET", PATH, 200, 1)
    assert len(tenants(metrics)) == MOST_TENANTS + 1
    assert value(metrics, "janua_tenant_requests_total", tenant=OTHER_TENANTS, status="200") == MOST_TENANTS
    metrics.count_request(RequestContext("id", "trace", tenant="tenant-0"), "GET", PATH, 200, 1)
    assert value(metrics, "janua_tenant_requests_total", tenant="tenant-0", status="200") == 2


def tenants(metrics: Metrics) -> set[str]:
    families = {family.name: family for family in metrics.registry.collect()}
    return {sample.labels["tenant"] for sample in families["janua_tenant_requests"].samples}


def test_a_request_without_queries_makes_their_series_exist(metrics: Metrics) -> None:
    metrics.count_request(RequestContext("id", "trace"), "GET", PATH, 200, 1)
    assert value(metrics, "janua_db_queries_total", path=PATH) == 0
    assert value(metrics, "janua_db_round_trips_total", path=PATH) == 0


def test_the_hit_rate_is_that_of_all_tiers_together(metrics: Metrics) -> None:
    metrics.count_lookup("memory", "user", "miss")
    metrics.count_lookup("redis", "user", "hit")
    metrics.record_lookup(hit=True)
    assert value(metrics, "janua_cache_hit_rate_percent") == 100
    assert metrics.lookups("memory", "user") == {"hit": 0, "miss": 1, "error": 0}
    assert metrics.lookups("redis", "user") == {"hit": 1, "miss": 0, "error": 0}


def test_operations_are_measured_in_milliseconds_whether_they_succeed_or_not(
    metrics: Metrics, clock: ManualClock
) -> None:
    metrics.observe_operation("validate", 0.25)
    with suppress(ZeroDivisionError), metrics.time_operation("validate"):
        clock.advance(0.5)
        raise ZeroDivisionError
    name = "janua_auth_operation_milliseconds"
    assert value(metrics, f"{name}_count", operation="validate") == 2
    assert value(metrics, f"{name}_sum", operation="validate") == 750


def test_invalidations_and_failures_are_counted(metrics: Metrics) -> None:
    metrics.count_store_failure("timeout")
    metrics.count_invalidation("lapsed")
    metrics.observe_revocation(0.002)
    assert value(metrics, "janua_cache_store_failures_total", reason="timeout") == 1
    assert value(metrics, "janua_cache_store_failures_total", reason="oom") == 0
    assert value(metrics, "janua_cache_invalidations_total", outcome="lapsed") == 1
    assert value(metrics, "janua_cache_invalidations_total", outcome="acknowledged") == 0
    assert value(metrics, "janua_revocation_milliseconds_sum") == 2
