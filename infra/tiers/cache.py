"""Redis, a cache that may vanish, and its exporter."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from urllib.parse import quote

import pulumi
import pulumi_docker as docker
from pulumi import ResourceOptions

from infra.config import StackConfig
from infra.containers import SECRETS, Attachment, ContainerArgs, Health, serve, wget_probe
from infra.images.resources import Images
from infra.tiers.networks import Networks

# A hundred thousand users with a session each take 198 MB (`make bench`); two thirds of this are for data.
MEMORY_MB = 384
HOST = "redis:6379"
APPLICATION, EXPORTER = "janua", "exporter"
# What each of them asks; nothing else is allowed to it.
COMMANDS = {
    APPLICATION: "~* &* +hello +client|setname +select +ping +info +dbsize +get +set +del +eval +publish +subscribe",
    EXPORTER: "+hello +client|setname +ping +info +latency|latest +latency|histogram +slowlog|len +slowlog|get",
}
CONFIGURATION = f"{SECRETS}/redis.conf"


@dataclass(frozen=True)
class Login:
    """Who logs in where (`host:port`)."""

    address: str
    user: str
    password: str
    scheme: str = "redis"

    @property
    def url(self) -> str:
        """The server's URL, with the user and without the password."""
        return f"{self.scheme}://{quote(self.user, safe='')}@{self.address}"


class Cache(pulumi.ComponentResource):
    """`settings` and `secrets` are those of the service; `containers` is what it waits for."""

    def __init__(self, config: StackConfig, images: Images, networks: Networks) -> None:
        super().__init__("janua:tiers:Cache", "cache")
        self._images = images
        self._networks = networks
        external = config.external_redis
        if external is None:
            password = config.secrets.redis.get_secret_value()
            self.containers = [self._redis(password)]
            service, exporter = (Login(HOST, user, _derived(password, user)) for user in COMMANDS)
        else:
            self.containers = []
            service = exporter = Login(
                f"{external.host}:{external.port}",
                external.user,
                external.password.get_secret_value(),
                "rediss" if external.tls else "redis",
            )
        self.settings = {
            "JANUA_REDIS_URL": f"{service.url}/0",
            "JANUA_REDIS_PASSWORD_FILE": f"{SECRETS}/redis_password",
        }
        self.secrets = {"redis_password": service.password}
        self._exporter(exporter)

    def _redis(self, password: str) -> docker.Container:
        """Return the stack's own server."""
        return serve(
            "redis",
            ContainerArgs(
                image=self._images.of("redis"),
                networks=[Attachment(self._networks.data, ["redis"])],
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
            ResourceOptions(parent=self),
        )

    def _exporter(self, login: Login) -> None:
        serve(
            "redis-exporter",
            ContainerArgs(
                image=self._images.of("redis-exporter"),
                networks=[
                    Attachment(self._networks.data),
                    Attachment(self._networks.monitoring, ["redis-exporter"]),
                ],
                memory_mb=64,
                environment={
                    # It would take a user in the address for the password.
                    "REDIS_ADDR": f"{login.scheme}://{login.address}",
                    "REDIS_USER": login.user,
                    "REDIS_PASSWORD_FILE": f"{SECRETS}/redis_passwords",
                    # It needs none of Redis's configuration, and is not allowed to ask for it.
                    "REDIS_EXPORTER_CONFIG_COMMAND": "-",
                },
                secrets={"redis_passwords": json.dumps({login.url: login.password})},
            ),
            wget_probe(9121, "/health"),
            ResourceOptions(parent=self, depends_on=self.containers),
        )


def _derived(secret: str, user: str) -> str:
    """Return the password of a user, which does not tell that of the administrator."""
    return hmac.new(secret.encode(), f"redis user {user}".encode(), hashlib.sha256).hexdigest()


def _configuration(password: str) -> str:
    """Return redis.conf: never on disk, and full means that the oldest go, not that writes fail.

    The administrator, `default`, is for people and health checks inside of the container.
    """
    users = [f"user {user} on >{_derived(password, user)} {allowed}" for user, allowed in COMMANDS.items()]
    return "\n".join(
        [
            f"requirepass {password}",
            *users,
            "protected-mode no",
            'save ""',
            "appendonly no",
            f"maxmemory {MEMORY_MB * 2 // 3}mb",
            "maxmemory-policy volatile-ttl",
            "",
        ]
    )
