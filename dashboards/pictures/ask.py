"""What a panel shows: its queries, put to Prometheus as Grafana would put them."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from dashboards.queries import Expression

SECONDS = 30
# As many points as a picture has room for, and no more than there are scrapes (seconds apart).
POINTS = 240
MINIMUM_STEP = 5
_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True)
class Line:
    """One series: its name in the legend, its labels, and its values by Unix time."""

    name: str
    labels: Mapping[str, str]
    times: list[float]
    values: list[float]


@dataclass(frozen=True)
class Span:
    """The time that is looked at (Unix seconds), at the Prometheus of that address."""

    prometheus: str
    start: float
    end: float

    def lines(self, panel: Mapping[str, Any]) -> list[Line]:
        """Return what the queries of `panel`, as its JSON has them, give; the present alone where they are instant."""
        return [line for query in panel["targets"] for line in self._query(query)]

    def query(self, promql: str, legend: str = "", *, instant: bool = False) -> list[Line]:
        """Return what one query gives over the time, or at its end."""
        step = max(MINIMUM_STEP, (self.end - self.start) / POINTS)
        if instant:
            parameters, path = {"query": promql, "time": self.end}, "query"
        else:
            parameters = {"query": promql, "start": self.start, "end": self.end, "step": step}
            path = "query_range"
        return [_line(series, legend, step) for series in self._get(path, parameters)]

    def _query(self, query: Mapping[str, Any]) -> list[Line]:
        expression = Expression("", "", query["expr"]).filled()
        return self.query(expression, query.get("legendFormat", ""), instant=bool(query.get("instant")))

    def _get(self, path: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        address = f"{self.prometheus}/api/v1/{path}?{urlencode(parameters)}"
        with urlopen(address, timeout=SECONDS) as answer:  # noqa: S310 - the address is given by who runs this
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


def _line(series: Mapping[str, Any], legend: str, step: float) -> Line:
    labels = series["metric"]
    name = _LABEL.sub(lambda part: labels.get(part[1], ""), legend)
    times: list[float] = []
    values: list[float] = []
    for at, value in series["values"] if "values" in series else [series["value"]]:
        if times and at - times[-1] > 1.5 * step:
            # A gap, which nothing is drawn across.
            times.append(at - step)
            values.append(math.nan)
        times.append(float(at))
        values.append(float(value))
    return Line(name, labels, times, values)
