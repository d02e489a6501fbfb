"""What k6 said about a run: the SUMMARY line that the suite ends with."""

import json
from dataclasses import dataclass
from typing import Any

_MARK = "SUMMARY "


class SummaryError(ValueError):
    """A log of k6 without a readable summary."""


@dataclass(frozen=True)
class Summary:
    """The figures of a run that the gate compares; `content` is the whole summary. Times are Unix seconds."""

    started_at: float
    ended_at: float
    api_requests: int
    thresholds_failed: tuple[str, ...]
    content: dict[str, Any]


def parse(log: str) -> Summary:
    """Return the last summary in a log of k6. Raises SummaryError where there is none, or a broken one."""
    lines = [line for line in log.splitlines() if line.startswith(_MARK)]
    if not lines:
        raise SummaryError("k6's log has no SUMMARY line: the run did not reach its end")
    try:
        content = json.loads(lines[-1].removeprefix(_MARK))
        return Summary(
            started_at=float(content["started_at"]),
            ended_at=float(content["ended_at"]),
            api_requests=int(content["api_requests"]),
            thresholds_failed=tuple(content["thresholds_failed"]),
            content=content,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SummaryError(f"k6's SUMMARY line cannot be read: {error!r}") from error
