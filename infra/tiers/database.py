"""PostgreSQL, its exporter, and the steps that bring its schema to the release's: backup, migrate, verify."""

import pulumi
import pulumi_docker as docker
from pulumi import Input, Output, Resource, ResourceOptions

from infra.config import ROOT, StackConfig
from infra.containers import Attachment, ContainerArgs, Health, serve, wget_probe
from infra.images.resources import Images
from infra.steps import Step, step
from infra.tiers.hosts import TEXTFILE, Hosts
from infra.tiers.networks import Networks

# SQLAlchemy URLs; the passwords come from files.
OWNER_URL = "postgresql+psycopg://janua@postgres:5432/janua"
APPLICATION_URL = "postgresql+psycopg://janua_app@postgres:5432/janua"
MIGRATE = "python -m migrations.upgrade && python -m service.bootstrap"
# Where the jobs' scripts are in their containers, and which of them a backup needs.
JOBS = "/usr/local/lib/janua"
BACKUP_FILES = ("backup.sh", "database.sh", "digest.sql")
# What the exporter asks beside its own questions.
QUERIES = "/etc/postgres-exporter/queries.yml"
SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "shared_preload_libraries": "pg_stat_statements",
    "track_io_timing": "on",
}


class Database(pulumi.ComponentResource):
    """`postgres` is the container to wait for; `prepare` gives what a release waits for."""

    def __init__(self, config: StackConfig, images: Images, networks: Networks, hosts: Hosts) -> None:
        super().__init__("janua:tiers:Database", "database")
        self._hosts = hosts
        self._config = config
        self._images = images
        self._networks = networks
        secrets = config.secrets
        volume = docker.Volume("database", opts=ResourceOptions(parent=self))
        self.postgres = serve(
            "postgres",
            ContainerArgs(
                image=images.of("postgres"),
                networks=[Attachment(networks.data, ["postgres"])],
                memory_mb=768,
                command=[
                    "postgres",
                    *(word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}")),
                ],
                environment={
                    "POSTGRES_USER": "janua",
                    "POSTGRES_DB": "janua",
                    "POSTGRES_PASSWORD_FILE": "/run/secrets/database_password",
                },
                files={"/docker-entrypoint-initdb.d/10-roles.sh": (ROOT / "infra/jobs/init_roles.sh").read_text()},
                secrets={
                    "database_password": secrets.database.get_secret_value(),
                    "database_app_password": secrets.database_app.get_secret_value(),
                    "database_exporter_password": secrets.database_exporter.get_secret_value(),
                },
                volumes={"/var/lib/postgresql/data": volume},
            ),
            # By TCP: while it initialises, the server listens on its socket only.
            Health(["pg_isready", "-q", "-h", "127.0.0.1", "-U", "janua", "-d", "janua"]),
            ResourceOptions(parent=self),
        )
        self.exporter = serve(
            "postgres-exporter",
            ContainerArgs(
                image=images.of("postgres-exporter"),
                networks=[
                    Attachment(networks.data),
                    Attachment(networks.monitoring, ["postgres-exporter"]),
                ],
                memory_mb=96,
                environment={
                    "DATA_SOURCE_URI": "postgres:5432/janua?sslmode=disable",
                    "DATA_SOURCE_USER": "janua_exporter",
                    "DATA_SOURCE_PASS_FILE": "/run/secrets/database_exporter_password",
                    "PG_EXPORTER_EXTEND_QUERY_PATH": QUERIES,
                },
                files={QUERIES: (ROOT / "infra/postgres/queries.yml").read_text()},
                secrets={"database_exporter_password": secrets.database_exporter.get_secret_value()},
            ),
            wget_probe(9187, "/"),
            ResourceOptions(parent=self, depends_on=[self.postgres]),
        )

    @property
    def owner(self) -> dict[str, str]:
        """The settings with which a job connects as the owner of the tables."""
        return {
            "JANUA_DATABASE_URL": OWNER_URL,
            "JANUA_DATABASE_PASSWORD_FILE": "/run/secrets/database_password",
        }

    @property
    def owner_secrets(self) -> dict[str, str]:
        """The secrets that go with them."""
        return {"database_password": self._config.secrets.database.get_secret_value()}

    def prepare(self, release: str, image: Input[str]) -> Output[Resource]:
        """Bring the schema to that of `release`; the result is there only after every step succeeded."""
        backup = self._backup(release)
        migrate = self._alembic("migrate", release, image, ["sh", "-c", MIGRATE], backup)
        name, module = "verify-indexes", "migrations.verify"
        if self._config.profile == "baseline":
            name, module = "drop-indexes", "migrations.baseline"
        return self._alembic(name, release, image, ["python", "-m", module], migrate).passed

    def _backup(self, release: str) -> Step:
        folder = self._config.backup_directory.resolve()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat()
        arguments = ContainerArgs(
            image=self._images.of("postgres"),
            networks=[Attachment(self._networks.data)],
            memory_mb=256,
            command=["bash", f"{JOBS}/backup.sh"],
            environment={"STACK": pulumi.get_stack(), "KEEP": str(self._config.backups_kept)},
            files={f"{JOBS}/{name}": (ROOT / "infra/jobs" / name).read_text() for name in BACKUP_FILES},
            secrets={"database_password": self._config.secrets.database.get_secret_value()},
            volumes={TEXTFILE: self._hosts.textfile},
            host_folders={"/backups": str(folder)},
            tmpfs=["/var/lib/postgresql/data"],
            # Dumps hold everything: they belong to whom the folder belongs to, and to nobody else.
            user=f"{owner.st_uid}:{owner.st_gid}",
        )
        return step(
            "backup", arguments, release, ResourceOptions(parent=self, depends_on=[self.postgres, self._hosts.writable])
        )

    def _alembic(self, name: str, release: str, image: Input[str], command: list[str], after: Step) -> Step:
        arguments = ContainerArgs(
            image=image,
            networks=[Attachment(self._networks.data)],
            memory_mb=256,
            command=command,
            environment={
                **self.owner,
                "JANUA_ADMIN_EMAIL": self._config.admin_email,
                "JANUA_ADMIN_PASSWORD_FILE": "/run/secrets/admin_password",
            },
            secrets={**self.owner_secrets, "admin_password": self._config.secrets.admin.get_secret_value()},
        )
        return step(name, arguments, release, ResourceOptions(parent=self, depends_on=[after.passed]))
