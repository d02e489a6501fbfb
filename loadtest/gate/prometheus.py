"""Instant queries to Prometheus's HTTP API, with the standard library alone."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen


class PrometheusError(Exception):
    """Prometheus does not answer, or answers with an error."""


@dataclass(frozen=True)
class Sample:
    """One series of an answer and its value; NaN where Prometheus says so."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus server by its base address, such as http://prometheus:9090."""

    url: str
    timeout_seconds: float = 5

    def __post_init__(self) -> None:
        """Refuse with ValueError what is no web address: urlopen would read local files just as well."""
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"not the address of a Prometheus server: {self.url!r}")

    def query(self, expression: str, at: float) -> list[Sample]:
        """Return the instant vector of `expression` at the Unix time `at`, empty if nothing matches.

        Raises PrometheusError, with what Prometheus or the network said.
        """
        parameters = urlencode({"query": expression, "time": f"{at:.3f}"})
        try:
            with urlopen(  # noqa: S310 - the scheme is checked above
                f"{self.url.rstrip('/')}/api/v1/query?{parameters}", timeout=self.timeout_seconds
            ) as response:
                answer = json.load(response)
        except HTTPError as error:
            raise PrometheusError(f"{self.url} refused {expression}: {error.read().decode()}") from error
        except (OSError, ValueError, HTTPException) as error:
            raise PrometheusError(f"{self.url} does not answer: {error}") from error
        return _samples(answer, expression)


def _samples(answer: dict[str, Any], expression: str) -> list[Sample]:
    data = answer.get("data", {})
    if answer.get("status") != "success" or data.get("resultType") != "vector":
        raise PrometheusError(f"not an instant vector: {expression}")
    return [Sample(series["metric"], _number(series["value"][1])) for series in data["result"]]


def _number(text: str) -> float:
    return math.inf if text == "+Inf" else float(text)
