"""What a user looks like from outside, and the rules of an e-mail address."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# One pattern is both the rule and the OpenAPI document's word on it: ASCII, a dotted domain, no quoting.
EMAIL_PATTERN = (
    r"^[A-Za-z0-9_%+'-]+(\.[A-Za-z0-9_%+'-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$"
)
EMAIL_MAX_LENGTH = 254


def normalize_email(email: str) -> str:
    """The form in which addresses are stored and compared: without regard to case."""
    return email.lower()


EmailAddress = Annotated[
    str,
    Field(pattern=EMAIL_PATTERN, max_length=EMAIL_MAX_LENGTH, examples=["ada@example.com"]),
    AfterValidator(normalize_email),
]
# No control characters: PostgreSQL cannot store a NUL, and nobody's name has a line break.
DisplayName = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", examples=["Ada Lovelace"]),
]


class User(BaseModel):
    """A user as others may see it: never the password's hash."""

    id: UUID = Field(examples=["0193f2b0-c4de-7a6f-9d1c-3b5a7e8f9012"])
    email: str = Field(examples=["ada@example.com"])
    name: str | None = Field(examples=["Ada Lovelace"])
    tenant: str = Field(examples=["default"])
    created_at: datetime = Field(examples=["2026-01-01T12:00:00Z"])


class UserPatch(BaseModel):
    """What is to change about a user; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    # Nobody reads what stands for a field that was left out: see `changes`. Factories keep it out of the schema.
    name: DisplayName | None = Field(default_factory=str, description="Null takes the name away.")
    email: EmailAddress = Field(default_factory=str)

    @property
    def changes(self) -> dict[str, str | None]:
        """The new values of the fields that were sent."""
        return self.model_dump(exclude_unset=True)


class Grants(BaseModel):
    """The roles of a user and the permissions that follow from them, each sorted by name."""

    roles: list[str] = Field(examples=[["auditor"]])
    permissions: list[str] = Field(examples=[["audit:read", "metrics:read", "users:read"]])


class Profile(User, Grants):
    """A user together with roles and permissions."""
