"""The stack's configuration: `pulumi config` keys of the namespace `janua`, typed and validated at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

import pulumi
from pulumi.runtime import config as runtime_config
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyAddress,
    Json,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from infra.edge.certificate import public_part
from service.settings import Settings
from service.users.models import EmailAddress

NAMESPACE = "janua"
ROOT = Path(__file__).resolve().parents[1]

Port = Annotated[int, Field(ge=1, le=65535)]
# Grafana's image is the only one without a Debian stand-in. The set-up writes `deploy` or `absent` after it has
# looked; a person writes `required` (its absence is an error) or `off`.
GrafanaChoice = Literal["deploy", "absent", "required", "off"]


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, validate_by_name=True)


class Secrets(_Model):
    """Generated passwords, and what keys of tokens are derived from; `janua:secrets` is one encrypted object.

    It may hold those of a later release: an earlier one can be deployed again.
    """

    model_config = ConfigDict(extra="ignore")

    database: SecretStr
    database_app: SecretStr
    database_exporter: SecretStr
    redis: SecretStr
    grafana: SecretStr
    admin: SecretStr
    signing: SecretStr


class EmailReceiver(_Model):
    """A mailbox that is told of alerts, and the server (`host:port`) that takes mail for it."""

    to: EmailAddress
    sender: EmailAddress
    smarthost: str
    username: str | None = None
    password: SecretStr | None = None
    require_tls: bool = True


class SlackReceiver(_Model):
    """A channel and its incoming webhook."""

    api_url: SecretStr
    channel: str


class Receivers(_Model):
    """Who is told of alerts; `janua:receivers` holds it as one encrypted object. Nobody, if it is absent."""

    webhook_url: SecretStr | None = None
    watchdog_url: SecretStr | None = None
    pagerduty_routing_key: SecretStr | None = None
    slack: SlackReceiver | None = None
    email: EmailReceiver | None = None


class GrafanaSources(_Model):
    """Addresses at which a Grafana that others run reaches this stack; those that the stack publishes, by default."""

    prometheus: str | None = None
    alertmanager: str | None = None
    zipkin: str | None = None


class ExternalDatabase(_Model):
    """A PostgreSQL 17 that others run, with a database `janua` that belongs to `user`.

    That one may create roles and databases, and give pg_monitor away: the stack makes its own roles, and a scratch
    database for each backup. `ca` is a PEM file; with it the server's certificate has to be good for `host`.
    """

    host: str
    port: Port = 5432
    user: str = "janua"
    password: SecretStr
    tls: bool = True
    ca: str | None = None


class ExternalRedis(_Model):
    """A Redis that others run; with `tls` its certificate has to be one that the world trusts."""

    host: str
    port: Port = 6379
    user: str = "default"
    password: SecretStr
    tls: bool = True


class GateOverride(_Model):
    """That one release is to serve whatever the gate finds, and why."""

    release: str
    reason: str = Field(min_length=10)


# Settings of the service that `janua:service` cannot choose.
SET_BY_THE_STACK = frozenset(
    {
        *("release", "host", "port", "database_url", "database_password_file", "database_app_role"),
        *("redis_url", "redis_password_file", "signing_secret_file", "admin_email", "admin_password_file"),
        *("traces_url", "traces_format", "traces_headers_file"),
    }
)


class StackConfig(_Model):
    """Everything that may differ from stack to stack, with its default."""

    images: Literal["registry", "debian"]
    registry_mirror: str = ""
    grafana: GrafanaChoice = "absent"
    grafana_image: str | None = None
    # An organisation's own Grafana, used instead of the container, and a service account's token for it.
    grafana_url: str | None = Field(default=None, pattern=r"^https?://[^/@]+(/.*)?$")
    grafana_token: SecretStr | None = None
    grafana_sources: Json[GrafanaSources] = Field(default="{}", validate_default=True)
    traces: Literal["deploy", "off"] = "deploy"
    # The full address of what takes OTLP over HTTP, instead of a Zipkin in the stack.
    otlp_endpoint: str | None = Field(default=None, pattern=r"^https?://[^/@]+(/.*)?$")
    otlp_headers: SecretStr | None = None
    # A baseline is there to be compared with: no cache, no indexes of revision 006, targets that refuse no release.
    profile: Literal["optimized", "baseline"] = "optimized"
    replicas: int = Field(default=2, ge=1, le=8)
    bind_address: IPvAnyAddress = Field(default="127.0.0.1", validate_default=True)
    api_port: Port = 8080
    # TLS at the edge. Where nothing is said: unless only this machine reaches it and it was given no certificate.
    tls: Literal["on", "off"] | None = None
    # A PEM file with the edge's certificate, those that lead to its issuer, and its key; generated if there is none.
    certificate: SecretStr | None = None
    # What a generated certificate is good for, beside this machine's own names and the address that the edge binds.
    edge_names: Json[list[str]] = Field(default="[]", validate_default=True)
    # What one address may send; everything that comes through a published port from this machine has the same one.
    edge_requests_per_second: int = Field(default=5000, ge=1)
    edge_logins_per_second: int = Field(default=500, ge=1)
    prometheus_port: Port = 9090
    alertmanager_port: Port = 9093
    grafana_port: Port = 3000
    traces_port: Port = 9411
    admin_email: EmailAddress = "admin@example.com"
    smoke_duration: str = Field(default="30s", pattern=r"^[1-9][0-9]*[sm]$")
    gate_override: Json[GateOverride] | None = None
    scrape_interval_seconds: int = Field(default=5, ge=1, le=60)
    backup_directory: Path = ROOT / "backups"
    report_directory: Path = ROOT / "reports"
    # Whether `pulumi destroy` refuses to take away the volume that holds the database.
    protect_data: bool = False
    backups_kept: int = Field(default=7, ge=1)
    runbook_base_url: str = "alerts/runbooks"
    service: Json[dict[str, int | float | str]] = Field(default="{}", validate_default=True)
    # Servers that others run, instead of the stack's own; each is one encrypted object.
    external_database: Json[ExternalDatabase] | None = None
    external_redis: Json[ExternalRedis] | None = None
    secrets: Json[Secrets]
    receivers: Json[Receivers] = Field(default="{}", validate_default=True)

    @field_validator("service")
    @classmethod
    def _are_settings_of_the_service(cls, given: dict[str, int | float | str]) -> dict[str, int | float | str]:
        reserved = sorted(given.keys() & SET_BY_THE_STACK)
        if reserved:
            raise ValueError(f"the stack itself sets {', '.join(reserved)}")
        try:
            Settings(**given)  # type: ignore[arg-type]  # their types are what is validated here
        except ValidationError as error:
            mistakes = (f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
            raise ValueError("; ".join(mistakes)) from None
        return given

    @model_validator(mode="after")
    def _grafana_can_be_had(self) -> Self:
        if self.grafana == "required" and self.images == "debian" and self.grafana_image is None:
            raise ValueError(
                "grafana is required, but Debian does not carry it and no registry answers here: "
                "set grafanaImage to a reference that can be pulled"
            )
        return self

    @model_validator(mode="after")
    def _own_grafana_is_complete(self) -> Self:
        if (self.grafana_url is None) != (self.grafana_token is None):
            raise ValueError("grafanaUrl and grafanaToken go together: set both, or neither")
        return self

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        ports = [self.api_port, self.prometheus_port, self.alertmanager_port, self.grafana_port, self.traces_port]
        if len(set(ports)) < len(ports):
            raise ValueError(
                f"apiPort, prometheusPort, alertmanagerPort, grafanaPort and tracesPort must differ: {ports}"
            )
        return self

    @field_validator("certificate")
    @classmethod
    def _certificate_is_whole(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None:
            try:
                public_part(given.get_secret_value())
            except ValueError as error:
                raise ValueError(f"is not a PEM file with a certificate and its private key: {error}") from None
        return given

    @property
    def has_tls(self) -> bool:
        """Tell whether the edge speaks HTTPS, and nothing else."""
        return self.tls == "on" or (self.tls is None and not (self.is_local and self.certificate is None))

    @property
    def is_local(self) -> bool:
        """Tell whether only this machine reaches what the stack publishes."""
        return self.bind_address.is_loopback

    @property
    def has_zipkin(self) -> bool:
        """Tell whether this stack has a Zipkin."""
        return self.traces == "deploy" and self.otlp_endpoint is None


# A value given for one of these in plain text would lie readable in the stack's file and in its state.
ENCRYPTED = ("secrets", "receivers", "grafanaToken", "otlpHeaders", "certificate", "externalDatabase", "externalRedis")


def load() -> StackConfig:
    """Read the running stack's configuration; raise pulumi.RunError that names every mistake."""
    prefix = f"{NAMESPACE}:"
    given = {
        key.removeprefix(prefix): value for key, value in runtime_config.CONFIG.get().items() if key.startswith(prefix)
    }
    plain = [key for key in ENCRYPTED if key in given and not runtime_config.is_config_secret(prefix + key)]
    if plain:
        raise pulumi.RunError(f"set {', '.join(prefix + key for key in plain)} with --secret, not in plain text")
    return parse(given)


def parse(given: Mapping[str, str]) -> StackConfig:
    """Return the configuration of `given` (keys without the namespace); raise pulumi.RunError as `load` does."""
    try:
        return StackConfig.model_validate(dict(given))
    except ValidationError as error:
        mistakes = "\n".join(f"  {_where(e['loc'])}: {_what(e)}" for e in error.errors(include_input=False))
        raise pulumi.RunError(f"the stack's configuration has {error.error_count()} mistake(s):\n{mistakes}") from None


def _where(location: tuple[int | str, ...]) -> str:
    return f"{NAMESPACE}:{'.'.join(map(str, location))}" if location else NAMESPACE


def _what(error: Mapping[str, object]) -> str:
    if error["type"] == "missing":
        return "is not set; `make up` sets it, or `pulumi config set`"
    if error["type"] == "extra_forbidden":
        return "is not a setting of this project"
    return str(error["msg"]).removeprefix("Value error, ")
