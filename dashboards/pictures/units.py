"""Figures as Grafana writes them, for the units that the panels use."""

import math
from collections.abc import Callable

from dashboards.panels import (
    BYTES,
    BYTES_PER_SECOND,
    COUNT,
    MILLISECONDS,
    NOTHING,
    PER_SECOND,
    PERCENT,
    REQUESTS_PER_SECOND,
    SECONDS,
)

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")
_DECIMAL = ("B/s", "kB/s", "MB/s", "GB/s")


def written(value: float, unit: str) -> str:
    """Return `value` with its unit; KeyError for a unit that no panel may use."""
    return NOTHING if math.isnan(value) else _FORMS[unit](value)


def _scaled(value: float, base: float, names: tuple[str, ...]) -> str:
    step = 0
    while abs(value) >= base and step < len(names) - 1:
        value, step = value / base, step + 1
    return f"{_short(value)} {names[step]}"


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _time(seconds: float) -> str:
    for factor, name in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if abs(seconds) >= factor:
            return f"{_short(seconds / factor)} {name}"
    return f"{_short(seconds * 1e6)} µs" if seconds else "0 s"


_FORMS: dict[str, Callable[[float], str]] = {
    COUNT: _short,
    PERCENT: lambda value: f"{_short(value)} %",
    MILLISECONDS: lambda value: _time(value / 1000),
    SECONDS: _time,
    BYTES: lambda value: _scaled(value, 1024, _BINARY),
    BYTES_PER_SECOND: lambda value: _scaled(value, 1000, _DECIMAL),
    REQUESTS_PER_SECOND: lambda value: f"{_short(value)} req/s",
    PER_SECOND: lambda value: f"{_short(value)} /s",
}
