"""The targets, read from targets.json: the one place where each figure is written.

Every limit is exclusive: a figure equal to its target has missed it. Factors are the least that will do.
"""

import json
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, cast, get_type_hints

TARGETS_FILE = Path(__file__).with_name("targets.json")

_Section = TypeVar("_Section")


class TargetsError(ValueError):
    """A targets file that cannot be read, or a figure in it that makes no sense."""


@dataclass(frozen=True)
class IndexSpeedups:
    """How many times faster a look-up has to be with its index than without."""

    users: float
    sessions: float
    audit: float


@dataclass(frozen=True)
class Gains:
    """How many times better than a baseline without cache and without indexes a stack has to be."""

    auth_latency: float
    validation_latency: float
    queries: float
    concurrent_users: float


@dataclass(frozen=True)
class K6Thresholds:
    """What a load run may show at its client; its error rate is `Targets.error_rate_max_percent`."""

    http_req_duration_p95_ms: float
    http_req_duration_p99_ms: float
    signup_latency_p95_ms: float
    login_latency_p95_ms: float
    token_validation_latency_p95_ms: float


@dataclass(frozen=True)
class Targets:
    """What the service promises, in the units that the names end with.

    `gate_latency_headroom` is the factor by which a release's smoke run may miss a latency with a mere warning.
    """

    auth_latency_p95_ms: float
    validation_latency_p95_ms: float
    auth_operation_latency_p95_ms: float
    queries_per_auth_request_max: float
    cache_hit_rate_min_percent: float
    concurrent_users_min: float
    error_rate_max_percent: float
    gate_latency_headroom: float
    index_speedup_min_factor: IndexSpeedups
    over_baseline_min_factor: Gains
    k6: K6Thresholds

    def latencies(self) -> dict[str, float]:
        """Every latency that the service's histograms have to tell of, in milliseconds, by its key."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name.endswith("_ms")}


def load(path: Path = TARGETS_FILE) -> Targets:
    """Read the targets from `path`.

    Raises TargetsError, naming the file and the key, for a file that is missing or is not JSON, for keys
    that are missing or unknown, and for a figure that is not a positive number.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        targets = _section(Targets, content, prefix="")
    except (OSError, ValueError) as error:
        raise TargetsError(f"{path}: {error}") from error
    for key in ("cache_hit_rate_min_percent", "error_rate_max_percent"):
        if getattr(targets, key) >= 100:
            raise TargetsError(f"{path}: {key} must be below 100")
    if targets.gate_latency_headroom < 1:
        raise TargetsError(f"{path}: gate_latency_headroom must be at least 1")
    return targets


def _section(kind: type[_Section], content: object, prefix: str) -> _Section:
    """Build the dataclass `kind` from a JSON object that has exactly its fields."""
    if not isinstance(content, dict):
        raise TargetsError(f"{prefix or 'the file'} must be a JSON object")
    hints = get_type_hints(kind)
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    for problem, keys in (("missing", names - content.keys()), ("unknown", content.keys() - names)):
        if keys:
            raise TargetsError(f"{problem} key {prefix}{min(keys)}")
    return kind(**{name: _value(hints[name], content[name], prefix + name) for name in names})


def _value(kind: Any, content: object, key: str) -> object:
    if is_dataclass(kind):
        return _section(cast("type[object]", kind), content, prefix=f"{key}.")
    # A bool is an int to Python, and NaN compares as neither: both are refused here.
    if isinstance(content, bool) or not isinstance(content, int | float) or not 0 < content < float("inf"):
        raise TargetsError(f"{key} must be a positive number, not {content!r}")
    return content
