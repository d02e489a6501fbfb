"""Just enough of PromQL to tell which metrics an expression reads."""

import re

_STRINGS = re.compile(r'"[^"]*"')
_LABEL_LISTS = re.compile(r"\{[^}]*\}|\b(?:by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)")
_WINDOWS = re.compile(r"\[[^\]]*\]")
# A name that a parenthesis follows is a function.
_NAMES = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\b(?!\s*\()")
_WORDS = {"and", "or", "unless", "bool"}
# Counts of PostgreSQL's are gauges; its exporter has no histogram.
_HISTOGRAM = re.compile(r"(?!pg_)(\w+)_(bucket|count|sum)")


def metrics(expression: str) -> set[str]:
    """Return the names of the metrics in `expression`, histograms without their suffixes."""
    bare = expression
    for noise in (_STRINGS, _LABEL_LISTS, _WINDOWS):
        bare = noise.sub(" ", bare)
    return {_family(name) for name in _NAMES.findall(bare)} - _WORDS


def _family(name: str) -> str:
    part = _HISTOGRAM.fullmatch(name)
    return part[1] if part else name
