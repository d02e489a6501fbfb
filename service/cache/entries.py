"""What is cached: the four kinds, their keys and their values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from service.cache.protocol import Entry, Fence
from service.sessions.repository import Identity
from service.settings import Settings
from service.users.models import Grants, User

T = TypeVar("T", bound=BaseModel)
Values = Mapping[str, tuple[BaseModel, float]]
"""Values and the seconds to keep them, by key."""


class Validation(BaseModel):
    """What a valid access token stands for."""

    user_id: UUID
    tenant_id: UUID
    tenant: str
    session_id: UUID
    permissions: list[str]
    expires_at: datetime

    @cached_property
    def answer(self) -> "Answer":
        """How the hot path answers it: rendered once for as long as the copy lives."""
        body = self.model_dump_json(exclude={"tenant_id"}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        return Answer(body, headers)


class Answer(NamedTuple):
    """A response's body and headers."""

    body: bytes
    headers: list[tuple[bytes, bytes]]


class CachedSession(BaseModel):
    """The session behind an access token."""

    session_id: UUID
    user_id: UUID
    tenant: str
    is_active: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind of entry: its label in metrics, the type of its value and how its keys begin."""

    name: str
    model: type[T]
    prefixes: tuple[str, ...]


VALIDATION = Kind("validation", Validation, ("token:validation:",))
SESSION = Kind("session", CachedSession, ("session:token:",))
USER = Kind("user", User, ("user:id:", "user:email:"))
PERMISSIONS = Kind("permissions", Grants, ("permissions:",))
KINDS = (VALIDATION, SESSION, USER, PERMISSIONS)


def validation_key(token_hash: str) -> str:
    """The key of a token's validation."""
    return f"token:validation:{token_hash}"


def session_key(token_hash: str) -> str:
    """The key of a token's session."""
    return f"session:token:{token_hash}"


def load_mark(token_hash: str) -> str:
    """The key under which a loader of a token's entries leaves its ticket."""
    return f"token:loading:{token_hash}"


def user_mark(user_id: UUID) -> str:
    """The key under which who is about to write a user leaves its ticket."""
    return f"user:writing:{user_id}"


def token_keys(token_hash: str) -> tuple[str, ...]:
    """Every key that must be gone when a token is revoked, a loader's mark included."""
    return validation_key(token_hash), session_key(token_hash), load_mark(token_hash)


def fence(user_id: UUID, version: int) -> Fence:
    """What keeps copies of a user from before a change out: nobody stores what was read of an older version."""
    return Fence(f"user:version:{user_id}", version)


def user_keys(user_id: UUID, tenant: str, email: str) -> tuple[str, ...]:
    """Every key that must be gone when a user is changed, a writer's mark included."""
    return user_id_key(user_id), user_email_key(tenant, email), permissions_key(user_id), user_mark(user_id)


def user_id_key(user_id: UUID) -> str:
    """The key of a user by id."""
    return f"user:id:{user_id}"


def user_email_key(tenant: str, email: str) -> str:
    """The key of a user by e-mail address, which is unique within a tenant."""
    return f"user:email:{tenant}:{email}"


def permissions_key(user_id: UUID) -> str:
    """The key of a user's roles and permissions."""
    return f"permissions:{user_id}"


def validation_of(identity: Identity) -> Validation:
    """What a token stands for, as the hot path answers it."""
    return Validation(
        user_id=identity.user.id,
        tenant_id=identity.tenant_id,
        tenant=identity.user.tenant,
        session_id=identity.session_id,
        permissions=identity.grants.permissions,
        expires_at=identity.expires_at,
    )


def user_values(user: User, settings: Settings) -> Values:
    """What is stored of a user."""
    keys = user_id_key(user.id), user_email_key(user.tenant, user.email)
    return dict.fromkeys(keys, (user, settings.cache_user_seconds))


def identity_values(token_hash: str, identity: Identity, settings: Settings) -> Values:
    """What is stored of a token's identity: an entry of every kind."""
    user = identity.user
    session = CachedSession(
        session_id=identity.session_id,
        user_id=user.id,
        tenant=user.tenant,
        is_active=True,
        expires_at=identity.expires_at,
    )
    return {
        validation_key(token_hash): (validation_of(identity), settings.cache_validation_seconds),
        session_key(token_hash): (session, settings.cache_session_seconds),
        permissions_key(user.id): (identity.grants, settings.cache_permissions_seconds),
        **user_values(user, settings),
    }


def encode(generation: int, values: Values) -> dict[str, Entry]:
    """Entries for the store: each value's bytes are the generation, a colon and the value as JSON."""
    prefix = b"%d:" % generation
    return {key: Entry(prefix + value.model_dump_json().encode(), seconds) for key, (value, seconds) in values.items()}


def decode(kind: Kind[T], raw: bytes | None, generation: int | None) -> T | None:
    """The value of an entry; None if there is none, it is of another generation or this code cannot read it."""
    if raw is None or generation is None:
        return None
    prefix, _, body = raw.partition(b":")
    if prefix != b"%d" % generation:
        return None
    try:
        return kind.model.model_validate_json(body)
    except ValidationError:
        return None
