"""The bodies of authentication requests and answers."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from service.auth.common_passwords import COMMON_PASSWORDS
from service.auth.passwords import MAX_LENGTH, MIN_LENGTH
from service.users.models import DisplayName, EmailAddress

_PASSWORD_EXAMPLE = "correct horse battery staple"  # noqa: S105 - an example in the documentation


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


class PasswordChange(BaseModel):
    """The password that is, and the one that shall be."""

    model_config = ConfigDict(extra="forbid")

    current_password: GivenPassword
    new_password: NewPassword
