"""Where PostgreSQL is: in the stack, or wherever others run it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote

from pydantic import SecretStr

from infra.config import StackConfig
from infra.containers import SECRETS

DATABASE = "janua"
_CA = "database_ca"


@dataclass(frozen=True)
class Server:
    """A server with the database `janua`; `owner` is whom it belongs to, `secrets` what is needed to trust it."""

    host: str
    port: int
    owner: str
    owner_password: SecretStr
    options: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, config: StackConfig) -> Self:
        """Return the server that a stack uses."""
        external = config.external_database
        if external is None:
            return cls("postgres", 5432, "janua", config.secrets.database, {"sslmode": "disable"})
        options = {"sslmode": "require" if external.tls else "disable"}
        secrets: dict[str, str] = {}
        if external.ca:
            options = {"sslmode": "verify-full", "sslrootcert": f"{SECRETS}/{_CA}"}
            secrets = {_CA: external.ca}
        return cls(external.host, external.port, external.user, external.password, options, secrets)

    def url(self, user: str) -> str:
        """Return SQLAlchemy's URL for a user; the password comes from a file."""
        return f"postgresql+psycopg://{quote(user, safe='')}@{self.address}"

    @property
    def address(self) -> str:
        """Host, port, database and options, as they stand in a URL."""
        options = "&".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.host}:{self.port}/{DATABASE}?{options}"

    @property
    def environment(self) -> dict[str, str]:
        """Return what PostgreSQL's own programs need to know to connect as the owner."""
        known = {"PGHOST": self.host, "PGPORT": str(self.port), "PGUSER": self.owner, "PGDATABASE": DATABASE}
        return known | {f"PG{key.upper()}": value for key, value in self.options.items()}
