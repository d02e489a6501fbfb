"""The replicas of the service: a new release stands beside the old one until it is promoted."""

import json
import tomllib
from pathlib import Path

import pulumi
import pulumi_docker as docker
from pulumi import Output, Resource, ResourceOptions

from infra.config import ROOT, StackConfig
from infra.containers import Attachment, ContainerArgs, serve, shell_probe
from infra.images.resources import Images
from infra.images.table import content_hash
from infra.readiness import ready
from infra.serving import REPLICA
from infra.tiers.cache import Cache
from infra.tiers.database import Database
from infra.tiers.networks import Networks
from infra.tiers.tracing import Tracing

PORT = 8000
PROCESSORS = 2
HEALTH = shell_probe(PORT, "/readyz")
# What judges a release belongs to it: a changed smoke test is run against fresh replicas.
JUDGES = ("loadtest/k6", "alerts/targets.json")


class Application(pulumi.ComponentResource):
    """`release` identifies image, settings and judges; `image` is what it is made of; `ready` are its `replicas`."""

    def __init__(  # noqa: PLR0913, PLR0917 - one for each tier that it stands on
        self,
        config: StackConfig,
        images: Images,
        networks: Networks,
        database: Database,
        cache: Cache,
        tracing: Tracing,
    ) -> None:
        super().__init__("janua:tiers:Application", "application")
        content, self.image = images.release()
        settings = {**_settings(config), **database.settings, **cache.settings, **tracing.settings}
        judged = content_hash(content, json.dumps(settings), str(config.replicas), config.smoke_duration, *_judges())
        self.release = f"{version()}-{judged}"
        schema = database.prepare(self.release, self.image)
        arguments = ContainerArgs(
            image=self.image,
            networks=[
                Attachment(networks.edge),
                Attachment(networks.data),
                Attachment(networks.monitoring, ["service"]),
            ],
            memory_mb=384,
            processors=PROCESSORS,
            environment={**settings, "JANUA_RELEASE": self.release},
            secrets={
                **database.secrets,
                **cache.secrets,
                "signing_secret": config.secrets.signing.get_secret_value(),
                **tracing.secrets,
            },
        )
        self.replicas = {
            name: _replica(name, arguments, self, [schema, *cache.containers])
            for name in (f"{REPLICA}{number}" for number in range(1, config.replicas + 1))
        }
        self.ready = ready(self.replicas, HEALTH.limit_seconds)

    def addresses(self) -> Output[list[str]]:
        """Return `host:port` of each replica."""
        return Output.all(*(replica.name for replica in self.replicas.values())).apply(
            lambda names: [f"{name}:{PORT}" for name in names]
        )


def version() -> str:
    """Return the project's version."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def _settings(config: StackConfig) -> dict[str, str]:
    return {
        # With the time for requests in progress (20 seconds) less than the engine waits: STOP_SECONDS.
        "JANUA_DRAIN_SECONDS": "3",
        "JANUA_CACHE": "off" if config.profile == "baseline" else "on",
        **{f"JANUA_{name.upper()}": str(value) for name, value in config.service.items()},
        "JANUA_HOST": "0.0.0.0",  # noqa: S104 - every address of the container, which publishes none
        "JANUA_PORT": str(PORT),
        "JANUA_SIGNING_SECRET_FILE": "/run/secrets/signing_secret",
    }


def _judges() -> list[Path]:
    return [ROOT / part for part in JUDGES]


def _replica(
    name: str, arguments: ContainerArgs, parent: Resource, after: list[Resource | Output[Resource]]
) -> docker.Container:
    # The old replica goes on serving until everything that depends on the new one has succeeded.
    opts = ResourceOptions(parent=parent, depends_on=after, delete_before_replace=False)
    return serve(name, arguments, HEALTH, opts, wait=False)
