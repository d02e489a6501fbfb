"""Generated files that are committed: write them, or tell which are not current."""

import sys
from collections.abc import Mapping
from pathlib import Path


def stale(files: Mapping[Path, str]) -> list[Path]:
    """Return which files do not have their content, and which lie beside them that nothing generates."""
    differing = [path for path, text in files.items() if not path.is_file() or path.read_text("utf-8") != text]
    folders = {(path.parent, path.suffix) for path in files}
    left_over = [path for folder, suffix in folders for path in folder.glob(f"*{suffix}") if path not in files]
    return sorted(differing + left_over)


def sync(files: Mapping[Path, str], *, check: bool) -> int:
    """Write the files and drop left-overs, or only look; return the exit code, 1 if a look found any."""
    for path in stale(files):
        if check:
            print(f"not current: {path}", file=sys.stderr)
        elif path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], "utf-8")
        else:
            path.unlink()
    return 1 if check and stale(files) else 0
