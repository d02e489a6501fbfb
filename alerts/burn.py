"""How fast a budget is spent.

A target leaves a budget of what may go wrong: a p95 below 50 ms lets 5 % of the requests be slower, "below 1 % errors"
lets 1 % fail. The burn rate is the share that went wrong as a multiple of the budget. An alert looks at a long window,
which says that it matters, and at a short one, which says that it is still going on and ends the alert soon after
(Google's Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts").

The workbook's budgets last for thirty days. Staging is redeployed many times a day: a budget lasts for one, so the
windows are a thirtieth of the workbook's: 2 minutes for its hour. The short one is a quarter instead of a twelfth,
since it has to hold several scrapes.

=======  ===============  =======================  ==================================================
alert    windows          burn rate                means
=======  ===============  =======================  ==================================================
page     2 min, 30 s      14.4 for errors          14.4 % fail: 2 % of a day's budget in two minutes
page     2 min, 30 s      6 for latency            30 % are too slow; 14.4 would be 72 % of them, and a
                                                   release that is slow for half of its requests no page
ticket   30 min, 5 min    1                        the target is missed
=======  ===============  =======================  ==================================================

When everything goes wrong at once, the long window of a page is over its limit after 17 s (errors) or 36 s (latency)
of equal traffic. A scrape, an evaluation and Alertmanager's `group_wait` come to that: 15 s at most with the defaults.
"""

from dataclasses import dataclass

from alerts.targets import Targets, TargetsError
from service.observability.metrics import LATENCY_BUCKETS

# What a 95th percentile leaves.
SLOW_BUDGET_PERCENT = 5

PAGE_LONG, PAGE_SHORT = "page_long", "page_short"
TICKET_LONG, TICKET_SHORT = "ticket_long", "ticket_short"
# Seconds with a scrape every five.
_SECONDS = {PAGE_LONG: 120, PAGE_SHORT: 30, TICKET_LONG: 1800, TICKET_SHORT: 300}
_SCRAPE_SECONDS = 5


@dataclass(frozen=True)
class Burn:
    """What one alert on a budget looks at: two windows, by their names, and the burn rate that is too much."""

    long: str
    short: str
    rate: float


ERRORS_FAST = Burn(PAGE_LONG, PAGE_SHORT, 14.4)
LATENCY_FAST = Burn(PAGE_LONG, PAGE_SHORT, 6)
SLOW_BURN = Burn(TICKET_LONG, TICKET_SHORT, 1)


def seconds(scrape_interval: int) -> dict[str, int]:
    """How long each window is: the more seconds between two scrapes the longer, so that it holds as many."""
    return {name: length * max(1, scrape_interval // _SCRAPE_SECONDS) for name, length in _SECONDS.items()}


def require_boundaries(targets: Targets) -> None:
    """See that "slower than the target" can be counted. Raises TargetsError for a latency between two boundaries."""
    for name, value in targets.latencies().items():
        if value not in LATENCY_BUCKETS:
            raise TargetsError(
                f"{name}: {value:g} ms is no boundary of the histograms (service/observability/metrics.py)"
            )
