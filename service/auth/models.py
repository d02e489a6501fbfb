"""The bodies of authentication requests and answers."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from service.auth.common_passwords import COMMON_PASSWORDS
from service.auth.passwords import MAX_LENGTH, MIN_LENGTH
from service.users.models import DisplayName, EmailAddress, User

_PASSWORD_EXAMPLE = "correct horse battery staple"  # noqa: S105 - an example in the documentation
_TOKEN_EXAMPLE = "3q2-7wAAq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq80"  # noqa: S105 - an example in the documentation


def _uncommon(password: str) -> str:
    if password.lower() in COMMON_PASSWORDS:
        raise ValueError("is one of the most common passwords")
    return password


NewPassword = Annotated[
    str,
    Field(
        min_length=MIN_LENGTH,
        max_length=MAX_LENGTH,
        examples=[_PASSWORD_EXAMPLE],
        json_schema_extra={"not": {"enum": sorted(COMMON_PASSWORDS)}},
    ),
    AfterValidator(_uncommon),
]
GivenPassword = Annotated[
    str,
    Field(min_length=1, max_length=MAX_LENGTH, examples=[_PASSWORD_EXAMPLE]),
]


class SignupRequest(BaseModel):
    """Who wants to become a user."""

    model_config = ConfigDict(extra="forbid")

    email: EmailAddress
    password: NewPassword
    name: DisplayName | None = None


class LoginRequest(BaseModel):
    """Who claims to be a user."""

    model_config = ConfigDict(extra="forbid")

    email: EmailAddress
    password: GivenPassword


class LoginAnswer(BaseModel):
    """A new session: `expires_in` is the access token's lifetime in seconds."""

    access_token: str = Field(examples=[_TOKEN_EXAMPLE])
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a type, not a token
    expires_in: int = Field(examples=[3600])
    refresh_token: str = Field(examples=[_TOKEN_EXAMPLE])
    user: User


class ValidationAnswer(BaseModel):
    """What a valid access token stands for."""

    user_id: UUID
    tenant: str = Field(examples=["default"])
    session_id: UUID
    permissions: list[str] = Field(examples=[["users:read"]])
    expires_at: datetime
