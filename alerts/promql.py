"""The few PromQL expressions that rules and dashboards share, each written once."""

from alerts.metrics import (
    AUTH_ROUTES,
    CACHE_HITS,
    CACHE_MISSES,
    CACHE_REQUESTS,
    DB_QUERIES,
    REQUEST_LATENCY,
)

_BY_ROUTE = f"{REQUEST_LATENCY}_count"


def requests(selector: str, window: str, by: str = "", counter: str = _BY_ROUTE) -> str:
    """Return the requests per second that `selector` picks of a counter of requests, averaged over `window`."""
    return f"sum{_by(by)}(rate({counter}{{{selector}}}[{window}]))"


def quantile(q: float, histogram: str, selector: str, window: str, by: str = "") -> str:
    """Return the q-quantile, in the histogram's unit, of what was observed within `window`."""
    buckets = f"rate({histogram}_bucket{{{selector}}}[{window}])"
    labels = f"le,{by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({labels}) ({buckets}))"


def error_ratio(selector: str, window: str, by: str = "", counter: str = _BY_ROUTE) -> str:
    """Return the share (0 to 1) of requests that the service itself failed, that is with a 5xx."""
    failed = requests(f'{selector},status=~"5.."', window, by, counter)
    answered = requests(selector, window, by, counter)
    # Before its first failure a route or tenant may have no 5xx series: that is zero failures, not no answer.
    none_failed = f"0 * {answered}"
    return f"({failed} or {none_failed}) / {answered}"


def slow_ratio(selector: str, limit_ms: float, window: str) -> str:
    """Return the share (0 to 1) of requests that took longer than a limit, which is a boundary of the histogram."""
    fast = f'sum(rate({REQUEST_LATENCY}_bucket{{{selector},le="{float(limit_ms)}"}}[{window}]))'
    return f"1 - {fast} / {requests(selector, window)}"


def cache_hit_ratio(window: str) -> str:
    """Return the share (0 to 1) of cache look-ups that some tier answered."""
    hits = cache_lookups(CACHE_HITS, window)
    return f"{hits} / ({hits} + {cache_lookups(CACHE_MISSES, window)})"


def cache_lookups(selector: str, window: str) -> str:
    """Return cache look-ups per second with the outcome that `selector` picks, 0 where it never came up."""
    return f"(sum(rate({CACHE_REQUESTS}{{{selector}}}[{window}])) or vector(0))"


def queries_per_request(window: str, by: str = "") -> str:
    """Return database queries per auth request."""
    return per_request(DB_QUERIES, AUTH_ROUTES, window, by)


def per_request(counter: str, selector: str, window: str, by: str = "") -> str:
    """Return by how much `counter` grows with each request on the routes that `selector` picks; nothing without any.

    At the edges of a window there may be queries of requests that are not counted in it: a few by none is infinity.
    """
    return f"sum{_by(by)}(rate({counter}{{{selector}}}[{window}])) / ({requests(selector, window, by)} > 0)"


def _by(labels: str) -> str:
    return f" by ({labels}) " if labels else ""
