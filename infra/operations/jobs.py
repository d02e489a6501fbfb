"""Jobs on a running stack's database, in containers that are gone afterwards."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError
from docker.models.containers import Container
from docker.types import LogConfig
from sqlalchemy import make_url

from infra.config import StackConfig
from infra.containers import PART_LABEL, SECRETS, STACK_LABEL
from infra.hardening.processes import PROCESSES
from infra.operations import stacks
from infra.tiers.database import JOBS, MIGRATE, PASSWORD
from infra.tiers.hosts import TEXTFILE
from service.settings import Settings

JOB = "job"
"""What the engine calls the part that a job's container is."""
RESTORED = "janua_restored"
"""The database that a dump is restored into, before it takes the place of the one that serves."""


class JobError(RuntimeError):
    """A job cannot be done, or has failed; the message says why."""


@dataclass(frozen=True)
class Jobs:
    """What the jobs of a stack need, of which most is what its deployment's backup had; and the release that serves."""

    stack: str
    model: Container
    replica: Container
    backups: Path
    kept: int

    @classmethod
    def of(cls, stack: str) -> "Jobs":
        """Return those of a running stack; JobError if it is down, pulumi's StackNotFoundError if there is none."""
        parts = {one.labels[PART_LABEL]: one for one in stacks.in_service(stack)}
        if "service-1" not in parts or parts["service-1"].status != "running":
            raise JobError(f"stack {stack} does not run: `make up` deploys it")
        if "backup" not in parts:
            raise JobError(f"somebody removed the container `backup` of stack {stack}: `make up` makes it again")
        settings = stacks.settings(stack)
        folder = Path(settings.get("backupDirectory", StackConfig.model_fields["backup_directory"].default))
        kept = int(settings.get("backupsKept", StackConfig.model_fields["backups_kept"].default))
        return cls(stack, parts["backup"], parts["service-1"], folder.resolve(), kept)

    def backup(self, spare: str = "") -> Iterator[str]:
        """Dump the database; yields what the job says. The dump `spare` is kept, however old. JobError if it fails."""
        textfile = next(mount["Name"] for mount in self.model.attrs["Mounts"] if mount["Destination"] == TEXTFILE)
        settings = {"STACK": self.stack, "KEEP": str(self.kept), "SPARE": spare}
        return self._script("backup.sh", settings, {textfile: TEXTFILE})

    def restore(self, file: str) -> Iterator[str]:
        """Restore a dump beside the database that serves, and compare it. JobError if it is refused."""
        return self._script("restore.sh", {"FILE": file, "RESTORED": RESTORED})

    def migrate(self) -> Iterator[str]:
        """Bring what was restored to the schema of the release that serves. JobError if that fails."""
        served = make_url(_environment(self.replica)["JANUA_DATABASE_URL"])
        restored = served.set(username=_environment(self.model)["PGUSER"], database=RESTORED)
        environment = {
            "JANUA_DATABASE_URL": restored.render_as_string(hide_password=False),
            "JANUA_DATABASE_PASSWORD_FILE": f"{SECRETS}/{PASSWORD}",
        }
        return self._run(str(self.replica.attrs["Image"]), ["python", "-m", "migrations.upgrade"], environment, {})

    def swap(self) -> Iterator[str]:
        """Let what was restored serve. JobError if that fails, and then nothing has changed."""
        return self._script("swap.sh", {"RESTORED": RESTORED})

    def discard(self) -> Iterator[str]:
        """Drop what was restored and is not to serve. JobError if that fails."""
        return self._script("discard.sh", {"RESTORED": RESTORED})

    def forget_migration(self) -> None:
        """Let the next update migrate, whatever it deploys: what was restored has the schema of what serves now.

        JobError if an update migrates at this moment.
        """
        for container in stacks.containers(self.stack):
            if container.labels[PART_LABEL] == MIGRATE:
                try:
                    container.remove()
                except APIError as error:
                    raise JobError("an update migrates at this moment") from error

    def outlast_copies(self) -> Iterator[str]:
        """Wait until no replica believes a copy of what served before: for a lease, `swap` raised the generation."""
        lease = max(self._seconds("cache_lease_seconds"), self._seconds("cache_memory_lease_seconds"))
        time.sleep(lease)
        yield f"restore: no replica serves copies of before any more, after {lease:g} s"

    def _seconds(self, setting: str) -> float:
        """Return a setting of the replicas: what was deployed, or its default."""
        given = _environment(self.replica).get(f"JANUA_{setting.upper()}")
        return float(given or Settings.model_fields[setting].default)

    def _script(
        self, name: str, environment: Mapping[str, str], volumes: Mapping[str, str] | None = None
    ) -> Iterator[str]:
        server = {key: value for key, value in _environment(self.model).items() if key.startswith("PG")}
        mounts = {str(self.backups): "/backups", **(volumes or {})}
        return self._run(str(self.model.attrs["Image"]), ["bash", f"{JOBS}/{name}"], {**server, **environment}, mounts)

    def _run(
        self, image: str, command: list[str], environment: Mapping[str, str], mounts: Mapping[str, str]
    ) -> Iterator[str]:
        self.backups.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = self.backups.stat()
        deployed = self.model.attrs["HostConfig"]
        container: Container = docker.from_env().containers.run(
            image,
            command,
            detach=True,
            environment=dict(environment),
            volumes=[f"{source}:{target}" for source, target in mounts.items()],
            # The scripts, the owner's password and what else is needed to connect, as they were deployed.
            volumes_from=deployed["VolumesFrom"],
            network=next(iter(self.model.attrs["NetworkSettings"]["Networks"])),
            user=f"{owner.st_uid}:{owner.st_gid}",
            pids_limit=PROCESSES,
            **_hardening(deployed),
            labels={STACK_LABEL: self.stack, PART_LABEL: JOB},
        )
        try:
            for line in container.logs(stream=True, follow=True):
                yield line.decode(errors="replace").rstrip()
            if code := container.wait()["StatusCode"]:
                raise JobError(f"exit code {code}")
        finally:
            container.remove(force=True, v=True)


def _hardening(deployed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a container's host configuration says of its limits and privileges, for another one to have."""
    return {
        "tmpfs": deployed["Tmpfs"],
        "mem_limit": deployed["Memory"],
        "memswap_limit": deployed["MemorySwap"],
        "cpu_period": deployed["CpuPeriod"],
        "cpu_quota": deployed["CpuQuota"],
        "cap_drop": deployed["CapDrop"],
        "security_opt": deployed["SecurityOpt"],
        "read_only": deployed["ReadonlyRootfs"],
        "log_config": LogConfig(type=deployed["LogConfig"]["Type"], config=deployed["LogConfig"]["Config"]),
    }


def _environment(container: Container) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in container.attrs["Config"]["Env"])
