"""Redis, a cache that may vanish, and its exporter."""

import json

import pulumi
from pulumi import ResourceOptions

from infra.config import StackConfig
from infra.containers import SECRETS, Attachment, ContainerArgs, Health, serve, wget_probe
from infra.images.resources import Images
from infra.tiers.networks import Networks

# A hundred thousand users with a session each take 198 MB (`make bench`); two thirds of this are for data.
MEMORY_MB = 384
ADDRESS = "redis://redis:6379"
CONFIGURATION = f"{SECRETS}/redis.conf"


class Cache(pulumi.ComponentResource):
    """`redis` is the container to wait for."""

    def __init__(self, config: StackConfig, images: Images, networks: Networks) -> None:
        super().__init__("janua:tiers:Cache", "cache")
        opts = ResourceOptions(parent=self)
        password = config.secrets.redis.get_secret_value()
        self.redis = serve(
            "redis",
            ContainerArgs(
                image=images.of("redis"),
                networks=[Attachment(networks.data, ["redis"])],
                memory_mb=MEMORY_MB,
                command=["redis-server", CONFIGURATION],
                secrets={"redis.conf": _configuration(password), "redis_password": password},
                # The image declares a volume there; nothing of a cache is worth one.
                tmpfs=["/data"],
            ),
            Health(
                [
                    "sh",
                    "-c",
                    'REDISCLI_AUTH="$(cat /run/secrets/redis_password)" redis-cli ping | grep -q PONG',
                ]
            ),
            opts,
        )
        self.exporter = serve(
            "redis-exporter",
            ContainerArgs(
                image=images.of("redis-exporter"),
                networks=[
                    Attachment(networks.data),
                    Attachment(networks.monitoring, ["redis-exporter"]),
                ],
                memory_mb=64,
                environment={"REDIS_ADDR": ADDRESS, "REDIS_PASSWORD_FILE": "/run/secrets/redis_passwords"},
                secrets={"redis_passwords": json.dumps({ADDRESS: password})},
            ),
            wget_probe(9121, "/health"),
            ResourceOptions(parent=self, depends_on=[self.redis]),
        )


def _configuration(password: str) -> str:
    """Return redis.conf: never on disk, and full means that the oldest go, not that writes fail."""
    return "\n".join(
        [
            f"requirepass {password}",
            "protected-mode no",
            'save ""',
            "appendonly no",
            f"maxmemory {MEMORY_MB * 2 // 3}mb",
            "maxmemory-policy volatile-ttl",
            "",
        ]
    )
