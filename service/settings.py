"""The service's settings: the only module that reads the environment.

Every variable starts with `JANUA_`; with none set the service runs alone on SQLite and an in-process cache.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from service.users.models import EmailAddress

_DRIVERS = {"postgresql": "postgresql+psycopg", "sqlite": "sqlite+aiosqlite"}


class SettingsError(Exception):
    """The environment does not describe a service; the message names every mistake."""


def _database_url(value: str) -> str:
    try:
        url = make_url(value)
    except ArgumentError as error:
        raise ValueError("is not a database URL such as postgresql://janua_app@postgres:5432/janua") from error
    if url.get_backend_name() not in _DRIVERS:
        raise ValueError("must begin with postgresql:// or sqlite:///")
    if url.password is not None:
        raise ValueError("must not contain the password: name a file in JANUA_DATABASE_PASSWORD_FILE")
    return value


def _redis_url(value: str) -> str:
    if not value:
        return value
    if not value.startswith(("redis://", "rediss://")):
        raise ValueError("must begin with redis:// or rediss://, or be empty for the in-process cache")
    if ":" in value.partition("://")[2].rpartition("@")[0]:
        raise ValueError("must not contain the password: name a file in JANUA_REDIS_PASSWORD_FILE")
    return value


def _http_url(value: str) -> str:
    if value and not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://, or be empty for no traces")
    if "@" in value.partition("://")[2].partition("/")[0]:
        raise ValueError("must not contain a password: name a file in JANUA_TRACES_HEADERS_FILE")
    return value


def _secret_file(path: Path) -> Path:
    try:
        secret = path.read_text().strip()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    if not secret:
        raise ValueError("names a file that is empty")
    return path


def _not_less_than(other: str) -> AfterValidator:
    """The rule that a figure is at least that of another field, which has to be declared before it."""

    def check(value: float, info: ValidationInfo) -> float:
        # A field that is wrong itself is not among the data: that mistake is named already.
        if value < info.data.get(other, value):
            raise ValueError(f"must not be less than JANUA_{other.upper()}")
        return value

    return AfterValidator(check)


SecretFile = Annotated[Path, AfterValidator(_secret_file)]
Seconds = Annotated[int, Field(ge=1)]


def _available_cpus() -> int:
    return len(os.sched_getaffinity(0))


class Settings(BaseSettings):
    """All that can be configured; each field is the variable `JANUA_` + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="JANUA_", env_ignore_empty=True, frozen=True, allow_inf_nan=False)

    release: str = "dev"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    request_timeout_seconds: Annotated[float, Field(gt=0)] = 15
    drain_seconds: Annotated[float, Field(ge=0)] = 0
    # A stop that waits less than a request may last would cut it off.
    shutdown_seconds: Annotated[Seconds, _not_less_than("request_timeout_seconds")] = 20
    max_body_bytes: Annotated[int, Field(ge=1024)] = 64 * 1024

    database_url: Annotated[str, AfterValidator(_database_url)] = "sqlite:///.janua/dev/janua.db"
    database_password_file: SecretFile | None = None
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 5
    database_timeout_seconds: Annotated[float, Field(gt=0)] = 0.5
    database_app_role: Annotated[str, Field(min_length=1, max_length=63)] = "janua_app"

    redis_url: Annotated[str, AfterValidator(_redis_url)] = ""
    redis_password_file: SecretFile | None = None
    redis_timeout_seconds: Annotated[float, Field(gt=0)] = 0.25

    hash_workers: Annotated[int, Field(ge=1, le=64)] = Field(default_factory=_available_cpus)
    # Who has waited longer would, with the hash itself, miss the login's target at the client, half a second.
    hash_deadline_seconds: Annotated[float, Field(gt=0)] = 0.35
    # OWASP's parameters of argon2id are the least that is allowed (Password Storage Cheat Sheet).
    hash_time_cost: Annotated[int, Field(ge=2, le=100)] = 2
    hash_memory_kib: Annotated[int, Field(ge=19_456, le=4_194_304)] = 19_456
    hash_parallelism: Annotated[int, Field(ge=1, le=64)] = 1
    login_failures: Annotated[int, Field(ge=1, le=10)] = 10
    login_window_seconds: Seconds = 900

    access_token_seconds: Seconds = 3600
    refresh_token_seconds: Annotated[Seconds, _not_less_than("access_token_seconds")] = 30 * 24 * 3600
    refresh_grace_seconds: Annotated[float, Field(ge=0, le=60)] = 5
    session_seconds: Annotated[Seconds, _not_less_than("refresh_token_seconds")] = 90 * 24 * 3600
    cleanup_seconds: Seconds = 300

    traces_url: Annotated[str, AfterValidator(_http_url)] = ""
    traces_format: Literal["zipkin", "otlp"] = "zipkin"
    traces_headers_file: SecretFile | None = None
    traces_ratio: Annotated[float, Field(ge=0, le=1)] = 0.01
    traces_slow_ms: Annotated[float, Field(gt=0)] = 250
    traces_per_second: Annotated[int, Field(ge=1, le=1000)] = 50

    signing_secret_file: SecretFile | None = None
    jwt_seconds: Annotated[int, Field(ge=1, le=300)] = 300
    jwt_rotation_seconds: Annotated[int, Field(ge=3600)] = 30 * 24 * 3600
    jwt_issuer: Annotated[str, Field(min_length=1, max_length=200)] = "janua"

    # Off: every check is the database's, which is the baseline to compare with.
    cache: Literal["on", "off"] = "on"
    cache_validation_seconds: Seconds = 300
    cache_session_seconds: Seconds = 300
    cache_user_seconds: Seconds = 900
    cache_permissions_seconds: Seconds = 900
    cache_lease_seconds: Annotated[float, Field(gt=0)] = 2.0
    cache_memory_entries: Annotated[int, Field(ge=0, le=10_000_000)] = 50_000
    cache_memory_seconds: Seconds = 60
    cache_memory_lease_seconds: Annotated[float, Field(gt=0)] = 2.0
    cache_negative_seconds: Annotated[float, Field(ge=0, le=60)] = 5

    admin_email: EmailAddress | None = None
    admin_password_file: SecretFile | None = None

    @property
    def sqlalchemy_url(self) -> URL:
        """The database with its asynchronous driver and the password from its file."""
        url = make_url(self.database_url)
        url = url.set(drivername=_DRIVERS[url.get_backend_name()])
        return url.set(password=read_secret(self.database_password_file))


def read_secret(path: Path | None) -> str | None:
    """The content of a secret's file without the newline at its end; None without a file."""
    return path.read_text().strip() if path else None


def load_settings() -> Settings:
    """Read the environment.

    Raises SettingsError, whose message has one line for each variable that is wrong.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [_mistake(item["loc"], item["msg"]) for item in error.errors()]
        raise SettingsError("\n".join(lines)) from None


def _mistake(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"JANUA_{str(location[0]).upper()}: {message}" if location else message
