"""Is anything empty? Every panel's query and every rule's expression is put to a running Prometheus.

`python -m dashboards.live http://127.0.0.1:9090` names what has no data and exits 1. A healthy stack that has served a
smoke test has data for everything but what stands in `NOTHING_YET`.
"""

import math
import sys
import time
from collections.abc import Iterable, Iterator

from alerts import targets
from alerts.metrics import K6
from alerts.recordings import recordings
from alerts.rule_files import DEFAULT_REPLICAS, DEFAULT_SCRAPE_SECONDS, Links
from alerts.rules import alerts
from dashboards.boards import documents
from dashboards.queries import Expression, expressions
from dashboards.selectors import selectors
from loadtest.gate.prometheus import Prometheus

# How far back data counts: a stack that serves nobody at the moment has still been smoke tested.
BACK = "30m"
STEP = "10s"
# What a healthy stack need not have, a part of the expression each, and why.
NOTHING_YET = {
    'ALERTS{alertstate="firing",severity!="none"}': "nothing but the watchdog fires in a healthy stack",
    'status=~"5.."': "no request has failed",
    "janua_revocation_milliseconds_bucket": "the smoke run ends no session",
    K6: "no load test has run: the smoke run of a release leaves its figures with the gate",
}


def asked() -> Iterator[Expression]:
    """Yield what has to have data: queries of panels, recordings, and each series that an alert looks at.

    An alert's own expression is true of an ill stack only, so what counts is that it has something to look at.
    """
    goals = targets.load()
    for board in documents(goals, Links()).values():
        yield from expressions(board)
    for recording in recordings(goals, DEFAULT_REPLICAS, DEFAULT_SCRAPE_SECONDS):
        yield Expression("recordings", recording.name, recording.expression)
    for alert in alerts(goals):
        for selector in sorted(selectors(alert.expression)):
            yield Expression("alerts", alert.name, selector)


def empty(prometheus: Prometheus, questions: Iterable[Expression]) -> list[Expression]:
    """Return the questions to which Prometheus has had no answer lately, those of `NOTHING_YET` left out."""
    return [
        question
        for question in questions
        if not any(part in question.promql for part in NOTHING_YET) and not has_data(prometheus, question.filled())
    ]


def has_data(prometheus: Prometheus, promql: str) -> bool:
    """Tell whether an expression has had a number for an answer lately."""
    # The largest of several samples is a number unless all are NaN: a ratio of nothing to nothing is no data.
    samples = prometheus.query(f"max_over_time(({promql})[{BACK}:{STEP}])", time.time())
    return any(not math.isnan(sample.value) for sample in samples)


def main(address: str) -> int:
    """Print what is empty; return 1 if anything is."""
    questions = list(asked())
    found = empty(Prometheus(address), questions)
    for question in found:
        print(f"no data: {question.place}: {question.filled()}", file=sys.stderr)
    print(f"{len(questions)} expressions asked, {len(found)} of them without data")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
