"""Can a slow request be followed?"""

from alerts.metrics import TRACES
from dashboards.panels import REQUESTS_PER_SECOND, WINDOW, Panel, Series, graph


def lines() -> list[list[Panel]]:
    """Return what becomes of traces."""
    return [
        [
            graph(
                "Traces sent and dropped",
                "Requests per second that were to leave a trace: sent; not taken by whoever they were sent to; dropped "
                "because too many waited, or because there were too many in that second.",
                [Series(f"sum by (outcome) (rate({TRACES}[{WINDOW}]))", "{{outcome}}")],
                REQUESTS_PER_SECOND,
            )
        ]
    ]
