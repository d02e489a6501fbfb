"""PostgreSQL, its exporter, and the steps that bring its schema to the release's: backup, migrate, verify."""

import pulumi
import pulumi_docker as docker
from pulumi import Output, Resource, ResourceOptions

from infra.config import ROOT, StackConfig
from infra.containers import SECRETS, Attachment, ContainerArgs, Health, serve, wget_probe
from infra.images.resources import ContainerImage, Images
from infra.steps import Step, step
from infra.tiers.database_server import DATABASE, Server
from infra.tiers.hosts import TEXTFILE, Hosts
from infra.tiers.networks import Networks

MIGRATE = "migrate"
_UPGRADE = "python -m migrations.upgrade && python -m service.bootstrap"
# Where the jobs' scripts are in their containers; those on demand use what the deployment's backup has.
JOBS = "/usr/local/lib/janua"
SCRIPTS = ("backup.sh", "database.sh", "digest.sql", "discard.sh", "restore.sh", "swap.sh")
DATA = "/var/lib/postgresql/data"
# The owner's, in /run/secrets.
PASSWORD = "database_password"  # noqa: S105 - the name of its file
# What the exporter asks beside its own questions.
QUERIES = "/etc/postgres-exporter/queries.yml"
SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "shared_preload_libraries": "pg_stat_statements",
    "track_io_timing": "on",
    # What a commit waits for the disk.
    "track_wal_io_timing": "on",
}


class Database(pulumi.ComponentResource):
    """`settings` and `secrets` are those of the service; `prepare` gives what a release waits for."""

    def __init__(self, config: StackConfig, images: Images, networks: Networks, hosts: Hosts) -> None:
        super().__init__("janua:tiers:Database", "database")
        self._hosts = hosts
        self._config = config
        self._images = images
        self._networks = networks
        self._server = Server.of(config)
        self._ready: Resource | Output[Resource] = (
            self._postgres() if config.external_database is None else self._roles()
        )
        self.settings = {
            "JANUA_DATABASE_URL": self._server.url("janua_app"),
            "JANUA_DATABASE_PASSWORD_FILE": f"{SECRETS}/database_app_password",
        }
        self.secrets = {
            "database_app_password": config.secrets.database_app.get_secret_value(),
            **self._server.secrets,
        }
        self._exporter()

    def _postgres(self) -> docker.Container:
        """Return the stack's own server."""
        config = self._config
        volume = docker.Volume("database", opts=ResourceOptions(parent=self, protect=config.protect_data))
        return serve(
            "postgres",
            ContainerArgs(
                image=self._images.of("postgres"),
                networks=[Attachment(self._networks.data, [self._server.host])],
                memory_mb=768,
                processors=2,
                command=[
                    "postgres",
                    *(word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}")),
                ],
                environment={
                    "POSTGRES_USER": self._server.owner,
                    "POSTGRES_DB": DATABASE,
                    "POSTGRES_PASSWORD_FILE": f"{SECRETS}/{PASSWORD}",
                },
                files={"/docker-entrypoint-initdb.d/10-roles.sh": _job("roles.sh")},
                secrets={**self.owner_secrets, **self._role_secrets},
                volumes={DATA: volume},
                tmpfs=["/var/run/postgresql"],
            ),
            # By TCP: while it initialises, the server listens on its socket only.
            Health(["pg_isready", "-q", "-h", "127.0.0.1", "-U", self._server.owner, "-d", DATABASE]),
            ResourceOptions(parent=self),
        )

    def _roles(self) -> Output[Resource]:
        """Make the roles on a server that others run."""
        arguments = ContainerArgs(
            image=self._images.of("postgres"),
            networks=[Attachment(self._networks.data)],
            memory_mb=64,
            command=["bash", "-c", f'PGPASSWORD="$(cat {SECRETS}/{PASSWORD})" exec bash {JOBS}/roles.sh'],
            environment=self._server.environment,
            files={f"{JOBS}/roles.sh": _job("roles.sh")},
            secrets={**self.owner_secrets, **self._role_secrets},
            tmpfs=[DATA],
        )
        made_of = "\n".join([self._server.address, _job("roles.sh"), *self._role_secrets.values()])
        return step("roles", arguments, made_of, ResourceOptions(parent=self)).passed

    def _exporter(self) -> None:
        secrets = {"database_exporter_password": self._role_secrets["database_exporter_password"]}
        serve(
            "postgres-exporter",
            ContainerArgs(
                image=self._images.of("postgres-exporter"),
                networks=[
                    Attachment(self._networks.data),
                    Attachment(self._networks.monitoring, ["postgres-exporter"]),
                ],
                memory_mb=96,
                environment={
                    "DATA_SOURCE_URI": self._server.address,
                    "DATA_SOURCE_USER": "janua_exporter",
                    "DATA_SOURCE_PASS_FILE": f"{SECRETS}/database_exporter_password",
                    "PG_EXPORTER_EXTEND_QUERY_PATH": QUERIES,
                },
                files={QUERIES: (ROOT / "infra/postgres/queries.yml").read_text()},
                secrets={**secrets, **self._server.secrets},
            ),
            wget_probe(9187, "/"),
            ResourceOptions(parent=self, depends_on=[self._ready]),
        )

    @property
    def _role_secrets(self) -> dict[str, str]:
        secrets = self._config.secrets
        return {
            "database_app_password": secrets.database_app.get_secret_value(),
            "database_exporter_password": secrets.database_exporter.get_secret_value(),
        }

    @property
    def owner(self) -> dict[str, str]:
        """The settings with which a job connects as the owner of the tables."""
        return {
            "JANUA_DATABASE_URL": self._server.url(self._server.owner),
            "JANUA_DATABASE_PASSWORD_FILE": f"{SECRETS}/{PASSWORD}",
        }

    @property
    def owner_secrets(self) -> dict[str, str]:
        """The secrets that go with them."""
        return {PASSWORD: self._server.owner_password.get_secret_value(), **self._server.secrets}

    def prepare(self, release: str, image: ContainerImage) -> Output[Resource]:
        """Bring the schema to that of `release`; the result is there only after every step succeeded."""
        backup = self._backup(release)
        migrate = self._alembic(MIGRATE, release, image, ["sh", "-c", _UPGRADE], backup)
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
            processors=2,
            command=["bash", f"{JOBS}/backup.sh"],
            environment={
                "STACK": pulumi.get_stack(),
                "KEEP": str(self._config.backups_kept),
                **self._server.environment,
            },
            files={f"{JOBS}/{name}": _job(name) for name in SCRIPTS},
            secrets=self.owner_secrets,
            volumes={TEXTFILE: self._hosts.textfile},
            host_folders={"/backups": str(folder)},
            tmpfs=[DATA],
            # Dumps hold everything: they belong to whom the folder belongs to, and to nobody else.
            user=f"{owner.st_uid}:{owner.st_gid}",
        )
        # The last good one stays until this one is: `make backup` and `make restore` take their settings from it.
        opts = ResourceOptions(parent=self, depends_on=[self._ready, self._hosts.writable], delete_before_replace=False)
        return step("backup", arguments, release, opts)

    def _alembic(self, name: str, release: str, image: ContainerImage, command: list[str], after: Step) -> Step:
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


def _job(name: str) -> str:
    return (ROOT / "infra/jobs" / name).read_text()
