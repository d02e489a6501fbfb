"""Points the edge at a release: writes HAProxy's backend and reloads it without dropping a connection.

It ends when nothing leads to the former replicas any more, for they are deleted next. Runs as the edge's user with its
volume. Environment: SERVERS, the replicas as `host:port,host:port`.
"""

import os
import socket
import sys
import time
from pathlib import Path

VOLUME = Path("/var/lib/edge")
BACKEND = VOLUME / "backend.cfg"
MASTER_SOCKET = VOLUME / "master.sock"
RELOAD_SECONDS = 30
# More than `hard-stop-after` in haproxy.cfg: there is no former worker then, whatever its clients do.
FORMER_WORKERS_SECONDS = 75
PAUSE_SECONDS = 0.2
_NO_EDGE = (FileNotFoundError, ConnectionRefusedError)


def backend(servers: list[str]) -> str:
    """Return the backend section for `servers`; /livez keeps a replica in use when a dependency is down.

    The replicas themselves answer best then: with a problem document, or from what they have cached.
    """
    lines = [
        "backend replicas",
        "    balance leastconn",
        "    option httpchk GET /livez",
        # A replica that dies costs no request: another is asked at once, with what was sent to it only if that is safe.
        "    option redispatch 1",
        "    retries 2",
        "    retry-on conn-failure empty-response",
        "    http-request disable-l7-retry unless METH_GET",
        "    default-server check inter 1s fall 3 rise 1 resolvers engine init-addr last,libc,none",
    ]
    lines += [f"    server replica{number} {server}" for number, server in enumerate(servers, start=1)]
    return "\n".join(lines) + "\n"


def write(text: str) -> None:
    """Replace the backend file at once, so that an edge that starts now reads the old one or the new one."""
    scratch = BACKEND.with_suffix(".new")
    scratch.write_text(text)
    scratch.replace(BACKEND)


def ask_master(command: str) -> str:
    """Return what the running edge's master process answers; one of _NO_EDGE is raised where there is none."""
    with socket.socket(socket.AF_UNIX) as master:
        master.settimeout(RELOAD_SECONDS)
        master.connect(str(MASTER_SOCKET))
        master.sendall(f"{command}\n".encode())
        master.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: master.recv(4096), b"")).decode()


def reload() -> str:
    """Reload the running edge through its master; return its answer, or say that there is none to reload.

    The answer begins with `Success=1` when new workers have taken over; otherwise the old ones go on.
    """
    try:
        return ask_master("reload")
    except _NO_EDGE:
        return "Success=1 (no edge is running; it will start with this backend)"


def former_workers() -> bool:
    """Return whether workers of before the reload go on: each answers one more request on every connection it has."""
    try:
        return "# old workers" in ask_master("show proc")
    except _NO_EDGE:
        return False


def wait_for_former_workers() -> str:
    """Return how it went: a client that keeps a connection without using it is waited for until its time is up."""
    began = time.monotonic()
    while former_workers():
        if time.monotonic() - began > FORMER_WORKERS_SECONDS:
            return f"workers of before are still there after {FORMER_WORKERS_SECONDS} s; they are left to themselves"
        time.sleep(PAUSE_SECONDS)
    return f"nothing leads to former replicas any more, after {time.monotonic() - began:.1f} s"


def main() -> int:
    """Promote SERVERS; on a refused configuration put the old one back and return 1."""
    servers = os.environ["SERVERS"].split(",")
    before = BACKEND.read_text() if BACKEND.exists() else None
    write(backend(servers))
    answer = reload()
    print(f"promote: {', '.join(servers)}\n{answer.strip()}")
    if answer.startswith("Success=1"):
        print(wait_for_former_workers())
        return 0
    if before is not None:
        write(before)
    return 1


if __name__ == "__main__":
    sys.exit(main())
