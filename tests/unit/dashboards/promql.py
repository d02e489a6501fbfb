"""Just enough of PromQL to tell which metrics an expression reads."""

import re

_STRINGS = re.compile(r'"[^"]*"')
_LABEL_LISTS = re.compile(r"\{[^}]*\}|\b(?:by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)")
_WINDOWS = re.compile(r"\[[^\]]*\]")
# A name that a parenthesis follows is a function.
_NAMES = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\b(?!\s*\()")
_WORDS = {"and", "or", "unless", "bool"}
_SUFFIXES = re.compile(r"_(bucket|count|sum)$")


def metrics(expression: str) -> set[str]:
    """Return the names of the metrics in `expression`, histograms without their suffixes."""
    bare = expression
    for noise in (_STRINGS, _LABEL_LISTS, _WINDOWS):
        bare = noise.sub(" ", bare)
    return {_SUFFIXES.sub("", name) for name in _NAMES.findall(bare)} - _WORDS
