"""The service's own account: sums over the metrics of its replicas."""

from collections.abc import Sequence

import httpx
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from bench.engine import Running

VALIDATE_PATH = "/api/v1/auth/validate"
_API = "/api/"
_SECONDS = 30


class Account:
    """The metrics of some replicas at one moment."""

    def __init__(self, expositions: Sequence[str]) -> None:
        self._metrics: list[Metric] = [
            metric for text in expositions for metric in text_string_to_metric_families(text)
        ]

    def total(self, sample: str, **labels: str) -> float:
        """The sum of a sample over all replicas and all labels but those that are given."""
        return sum(
            each.value
            for metric in self._metrics
            for each in metric.samples
            if each.name == sample and labels.items() <= each.labels.items()
        )

    def requests(self, path: str | None = None) -> float:
        """Answered requests of one path, or of the whole API."""
        return self._by_path("janua_request_latency_milliseconds_count", path)

    def queries(self, path: str | None = None) -> float:
        """Statements for requests of one path, or of the whole API."""
        return self._by_path("janua_db_queries_total", path)

    def hits(self) -> float:
        """Validations that were found in any tier of the cache."""
        return self.total("janua_cache_requests_total", kind="validation", result="hit")

    def redis_hits(self) -> float:
        """Those that were found in Redis."""
        return self.total("janua_cache_requests_total", kind="validation", result="hit", tier="redis")

    def _by_path(self, sample: str, path: str | None) -> float:
        return sum(
            each.value
            for metric in self._metrics
            for each in metric.samples
            if each.name == sample and (each.labels["path"] == path if path else each.labels["path"].startswith(_API))
        )


def read(replicas: Sequence[Running]) -> Account:
    """Read the metrics of the replicas."""
    addresses = [f"http://{replica.host}:{replica.port}/metrics" for replica in replicas]
    return Account([httpx.get(address, timeout=_SECONDS).raise_for_status().text for address in addresses])
