"""Just enough of PromQL to tell which series an expression reads."""

import re

_STRING = r'"(?:[^"\\]|\\.)*"'
# Strings, label lists and windows are passed over; a name that a parenthesis follows is a function.
_PARTS = re.compile(
    rf"""{_STRING}
    | \b(?:by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)
    | \[[^\]]*\]
    | (?<![\w.:])(?P<selector>[a-zA-Z_:][\w:]*(?:\{{(?:[^}}"]|{_STRING})*\}})?)(?![\w:]|\s*\(|\s+(?:by|without)\b)
    """,
    re.VERBOSE,
)
_WORDS = frozenset({"and", "or", "unless", "bool", "offset"})
# PostgreSQL's exporter has no histograms: its counts are gauges.
_HISTOGRAM = re.compile(r"(?!pg_)(\w+)_(?:bucket|count|sum)")


def selectors(expression: str) -> set[str]:
    """Return the series that `expression` selects, each a name with its label matchers."""
    found = (part["selector"] for part in _PARTS.finditer(expression))
    return {selector for selector in found if selector} - _WORDS


def metrics(expression: str) -> set[str]:
    """Return the names of the metrics in `expression`, histograms without their suffixes."""
    return {_family(selector.partition("{")[0]) for selector in selectors(expression)}


def _family(name: str) -> str:
    part = _HISTOGRAM.fullmatch(name)
    return part[1] if part else name
