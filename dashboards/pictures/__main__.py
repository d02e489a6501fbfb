"""Draw every panel of every dashboard: `python -m dashboards.pictures --prometheus URL [--minutes 30] [--to FOLDER]`.

Writes a PNG for each panel, and index.html that shows them as the dashboards do.
"""

import argparse
import re
import sys
import time
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from alerts import targets
from alerts.rule_files import Links
from dashboards.boards import documents
from dashboards.pictures.ask import Span
from dashboards.pictures.draw import draw

STYLE = "body{font-family:sans-serif;margin:1em}img{vertical-align:top}p{max-width:60em;color:#555}"


def pictures(span: Span, folder: Path) -> list[Path]:
    """Draw every panel over `span` into `folder`; return the files, index.html last."""
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    page = [f"<!doctype html><title>Janua</title><style>{STYLE}</style>"]
    for board in documents(targets.load(), Links()).values():
        page.append(f"<h1>{escape(board['title'])}</h1><p>{escape(board['description'])}</p>")
        for panel, file in _panels(board, folder):
            if file is None:
                page.append(f"<h2>{escape(panel['title'])}</h2>")
                continue
            draw(panel, span, file)
            files.append(file)
            page.append(f'<img src="{file.name}" title="{escape(panel["description"])}">')
    index = folder / "index.html"
    index.write_text("\n".join(page))
    return [*files, index]


def _panels(board: Mapping[str, Any], folder: Path) -> Iterator[tuple[dict[str, Any], Path | None]]:
    """Yield each panel with its file, and rows, which have none."""
    for panel in board["panels"]:
        name = re.sub(r"\W+", "-", panel["title"].lower())
        yield panel, None if panel["type"] == "row" else folder / f"{board['uid']}-{name}.png"


def main() -> int:
    """Draw what the arguments say."""
    parser = argparse.ArgumentParser(prog="dashboards.pictures", description=__doc__)
    parser.add_argument("--prometheus", required=True, help="its address, such as http://127.0.0.1:9090")
    parser.add_argument("--minutes", type=float, default=30, help="how far back the pictures go")
    parser.add_argument("--to", type=Path, default=Path(".janua/pictures"), help="the folder for the pictures")
    options = parser.parse_args()
    end = time.time()
    files = pictures(Span(options.prometheus.rstrip("/"), end - 60 * options.minutes, end), options.to)
    print(f"{len(files) - 1} pictures: {files[-1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
