"""Jobs on a running stack's database, in containers that are gone afterwards."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.models.containers import Container

from infra.config import ROOT, StackConfig
from infra.containers import PART_LABEL, STACK_LABEL
from infra.operations import stacks
from infra.setup import secrets
from infra.tiers.database import JOBS
from infra.tiers.hosts import TEXTFILE

RESTORED = "janua_restored"
"""The database that a dump is restored into, before it takes the place of the one that serves."""
_MEMORY = "256m"
_PASSWORD = "/run/secrets/database_password:ro"  # noqa: S105 - where its file is


class JobError(RuntimeError):
    """A job cannot be done, or has failed; the message says why."""


@dataclass(frozen=True)
class Jobs:
    """What the jobs of a stack need: its PostgreSQL, a replica for the release's image, and the folder of its dumps."""

    stack: str
    postgres: Container
    replica: Container
    backups: Path
    kept: int

    @classmethod
    def of(cls, stack: str) -> "Jobs":
        """Return those of a running stack; JobError if it is down, pulumi's StackNotFoundError if there is none."""
        running = {one.labels[PART_LABEL]: one for one in stacks.containers(stack) if one.status == "running"}
        if not {"postgres", "service-1"} <= running.keys():
            raise JobError(f"stack {stack} does not run: `make up` deploys it")
        settings = stacks.settings(stack)
        folder = Path(settings.get("backupDirectory", StackConfig.model_fields["backup_directory"].default))
        kept = int(settings.get("backupsKept", StackConfig.model_fields["backups_kept"].default))
        return cls(stack, running["postgres"], running["service-1"], folder.resolve(), kept)

    def backup(self) -> Iterator[str]:
        """Dump the database; yields what the job says. JobError if it fails."""
        textfile = _volume(self._container("node-exporter"), TEXTFILE)
        return self._script("backup.sh", {"STACK": self.stack, "KEEP": str(self.kept)}, {textfile: TEXTFILE})

    def restore(self, file: str) -> Iterator[str]:
        """Restore a dump beside the database that serves, and compare it. JobError if it is refused."""
        return self._script("restore.sh", {"FILE": file, "RESTORED": RESTORED})

    def migrate(self) -> Iterator[str]:
        """Bring what was restored to the schema of the release that serves. JobError if that fails."""
        settings = dict(entry.split("=", 1) for entry in self.replica.attrs["Config"]["Env"])
        url = settings["JANUA_DATABASE_URL"].replace("janua_app@", "janua@").rpartition("/")[0]
        environment = {
            "JANUA_DATABASE_URL": f"{url}/{RESTORED}",
            "JANUA_DATABASE_PASSWORD_FILE": _PASSWORD.removesuffix(":ro"),
        }
        return self._run(str(self.replica.attrs["Image"]), ["python", "-m", "migrations.upgrade"], environment, {})

    def swap(self) -> Iterator[str]:
        """Let what was restored serve. JobError if that fails, and then nothing has changed."""
        return self._script("swap.sh", {"RESTORED": RESTORED})

    def _script(
        self, name: str, environment: Mapping[str, str], volumes: Mapping[str, str] | None = None
    ) -> Iterator[str]:
        image = str(self.postgres.attrs["Image"])
        mounts = {str(ROOT / "infra/jobs"): f"{JOBS}:ro", str(self.backups): "/backups", **(volumes or {})}
        return self._run(image, ["bash", f"{JOBS}/{name}"], environment, mounts)

    def _run(
        self, image: str, command: list[str], environment: Mapping[str, str], mounts: Mapping[str, str]
    ) -> Iterator[str]:
        self.backups.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = self.backups.stat()
        password = secrets.stack_folder(self.stack) / "database"
        container: Container = docker.from_env().containers.run(
            image,
            command,
            detach=True,
            environment=dict(environment),
            volumes=[f"{source}:{target}" for source, target in {**mounts, str(password): _PASSWORD}.items()],
            network=next(iter(self.postgres.attrs["NetworkSettings"]["Networks"])),
            user=f"{owner.st_uid}:{owner.st_gid}",
            tmpfs={"/var/lib/postgresql/data": ""},
            mem_limit=_MEMORY,
            memswap_limit=_MEMORY,
            labels={STACK_LABEL: self.stack, PART_LABEL: "job"},
        )
        try:
            for line in container.logs(stream=True, follow=True):
                yield line.decode(errors="replace").rstrip()
            if code := container.wait()["StatusCode"]:
                raise JobError(f"exit code {code}")
        finally:
            container.remove(force=True, v=True)

    def _container(self, part: str) -> Container:
        return next(one for one in stacks.containers(self.stack) if one.labels[PART_LABEL] == part)


def _volume(container: Container, target: str) -> str:
    """Return the name of the volume that a container has at a path."""
    return next(str(mount["Name"]) for mount in container.attrs["Mounts"] if mount["Destination"] == target)
