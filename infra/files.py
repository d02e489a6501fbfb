"""Files of a container, whether it runs or not."""

import io
import tarfile
import time
from pathlib import PurePath

from docker.models.containers import Container


def read(container: Container, path: PurePath) -> str:
    """Return what a text file holds. docker.errors.NotFound without it, IsADirectoryError if it is no file."""
    chunks, _ = container.get_archive(str(path))
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        member = archive.extractfile(path.name)
        if member is None:
            raise IsADirectoryError(path)
        return member.read().decode()


def write(container: Container, path: PurePath, text: str) -> None:
    """Put a text file there, which everybody can read and nobody write. docker.errors.NotFound without its folder."""
    container.put_archive(str(path.parent), packed(path.name, text))


def packed(name: str, text: str) -> bytes:
    """Return an archive, as the engine takes and gives them, of one text file."""
    data = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(data), 0o444, int(time.time())
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as writer:
        writer.addfile(entry, io.BytesIO(data))
    return archive.getvalue()
