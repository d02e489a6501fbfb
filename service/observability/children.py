"""The series of a metric, found fast."""

from typing import TypeVar

from prometheus_client.metrics import MetricWrapperBase

M = TypeVar("M", bound=MetricWrapperBase)


class Children(dict[tuple[str | int, ...], M]):
    """The series of a metric by the values of its labels, each asked for once.

    `labels` makes strings of the values and takes a lock: 0.8 µs each time, a look-up here 0.05 µs.
    """

    def __init__(self, metric: M) -> None:
        super().__init__()
        self._metric = metric

    def __missing__(self, values: tuple[str | int, ...]) -> M:
        """Make the series of these values."""
        child = self[values] = self._metric.labels(*values)
        return child
