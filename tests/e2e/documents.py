"""The commands of a document: its fenced `sh` blocks, word for word."""

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of commands, and the line of the document on which it begins."""

    line: int
    commands: str


def blocks(document: Path) -> list[Block]:
    """Return the `sh` blocks of `document` in their order."""
    text = document.read_text()
    return [Block(text.count("\n", 0, match.start()) + 2, match[1]) for match in FENCE.finditer(text)]
