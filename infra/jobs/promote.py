"""Points the edge at a release: writes HAProxy's backend and reloads it without dropping a connection.

Runs as the edge's user with its volume. Environment: SERVERS, the replicas as `host:port,host:port`.
"""

import os
import socket
import sys
from pathlib import Path

VOLUME = Path("/var/lib/edge")
BACKEND = VOLUME / "backend.cfg"
MASTER_SOCKET = VOLUME / "master.sock"
RELOAD_SECONDS = 30


def backend(servers: list[str]) -> str:
    """Return the backend section for `servers`; /livez keeps a replica in use when a dependency is down.

    The replicas themselves answer best then: with a problem document, or from what they have cached.
    """
    lines = [
        "backend replicas",
        "    balance leastconn",
        "    option httpchk GET /livez",
        "    option redispatch",
        "    retries 2",
        "    default-server check inter 1s fall 3 rise 1 resolvers engine init-addr last,libc,none",
    ]
    lines += [f"    server replica{number} {server}" for number, server in enumerate(servers, start=1)]
    return "\n".join(lines) + "\n"


def write(text: str) -> None:
    """Replace the backend file at once, so that an edge that starts now reads the old one or the new one."""
    scratch = BACKEND.with_suffix(".new")
    scratch.write_text(text)
    scratch.replace(BACKEND)


def reload() -> str:
    """Reload the running edge through its master; return its answer, or say that there is none to reload.

    The answer begins with `Success=1` when new workers have taken over; otherwise the old ones go on.
    """
    try:
        with socket.socket(socket.AF_UNIX) as master:
            master.settimeout(RELOAD_SECONDS)
            master.connect(str(MASTER_SOCKET))
            master.sendall(b"reload\n")
            return b"".join(iter(lambda: master.recv(4096), b"")).decode()
    except (FileNotFoundError, ConnectionRefusedError):
        return "Success=1 (no edge is running; it will start with this backend)"


def main() -> int:
    """Promote SERVERS; on a refused configuration put the old one back and return 1."""
    servers = os.environ["SERVERS"].split(",")
    before = BACKEND.read_text() if BACKEND.exists() else None
    write(backend(servers))
    answer = reload()
    print(f"promote: {', '.join(servers)}\n{answer.strip()}")
    if answer.startswith("Success=1"):
        return 0
    if before is not None:
        write(before)
    return 1


if __name__ == "__main__":
    sys.exit(main())
