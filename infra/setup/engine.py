"""The Docker Engine: one that answers is used as it is; otherwise Debian's is installed and started.

`python3 -m infra.setup.engine stop` stops an engine that the set-up started, and no other.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from infra.setup.host import cache_folder, checked, install_debian, require_host_changes, run
from infra.setup.steps import SetupError

PACKAGES = ["docker.io", "iptables"]
START_SECONDS = 60
STOP_SECONDS = 60


def answering() -> str | None:
    """Return the version of the engine that answers, or None."""
    if shutil.which("docker") is None:
        return None
    result = run(["docker", "version", "--format", "{{.Server.Version}}"], seconds=20)
    return result.stdout.strip() if result.returncode == 0 else None


def ensure() -> str:
    """Return the version of a Docker Engine that answers, after installing and starting one if need be."""
    if version := answering():
        return f"{version} answers"
    if os.environ.get("DOCKER_HOST"):
        raise SetupError(f"no engine answers at DOCKER_HOST={os.environ['DOCKER_HOST']}: start it, or unset it")
    require_host_changes("install and start a Docker Engine")
    if shutil.which("dockerd") is None:
        install_debian(PACKAGES, "no Docker Engine answers")
    if Path("/run/systemd/system").is_dir():
        print("  changing this host: systemctl start docker (no Docker Engine answers)", flush=True)
        checked(["systemctl", "start", "docker"], "See `systemctl status docker`.")
    else:
        _start()
    return f"{_wait()} started"


def stop() -> str:
    """Stop the engine that `ensure` started, if it still runs; return what was done."""
    pid_file = _pid_file()
    if not pid_file.exists():
        return "no engine of ours"
    pid = int(pid_file.read_text())
    if not _is_dockerd(pid):
        pid_file.unlink()
        return "the engine that was started here is gone already"
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _is_dockerd(pid):
        if time.monotonic() > deadline:
            raise SetupError(f"dockerd (process {pid}) did not stop within {STOP_SECONDS} s; see {_log_file()}")
        time.sleep(0.2)
    pid_file.unlink()
    return f"the engine that was started here (process {pid}) is stopped"


def _pid_file() -> Path:
    return cache_folder() / "dockerd.pid"


def _log_file() -> Path:
    return cache_folder() / "dockerd.log"


def _is_dockerd(pid: int) -> bool:
    try:
        name, state = Path(f"/proc/{pid}/stat").read_text().split()[1:3]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return name == "(dockerd)" and state != "Z"


def _start() -> None:
    print(f"  changing this host: starting dockerd, log in {_log_file()}", flush=True)
    _forget_dead_daemons()
    with _log_file().open("ab") as log:
        # A session of its own: it outlives this command, and only `make clean` or the engine's owner ends it.
        daemon = subprocess.Popen(["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    _pid_file().write_text(str(daemon.pid))


def _forget_dead_daemons() -> None:
    """Remove pid files that an unclean end left: dockerd would take an unrelated process for itself."""
    for file in (Path("/var/run/docker.pid"), Path("/var/run/docker/containerd/containerd.pid")):
        if file.exists() and "docker" not in _command(file) and "containerd" not in _command(file):
            file.unlink()


def _command(pid_file: Path) -> str:
    try:
        return Path(f"/proc/{int(pid_file.read_text())}/comm").read_text()
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return ""


def _wait() -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if version := answering():
            return version
        time.sleep(0.5)
    raise SetupError(f"the engine does not answer after {START_SECONDS} s; see {_log_file()}")


if __name__ == "__main__":
    if sys.argv[1:] != ["stop"]:
        sys.exit("usage: python3 -m infra.setup.engine stop")
    print(stop())
