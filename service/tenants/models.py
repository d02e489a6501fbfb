"""The bodies of requests and answers about tenants."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.auth.models import NewPassword
from service.users.models import DisplayName, EmailAddress

Slug = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        description="Lower-case letters, digits and inner hyphens.",
        examples=["acme"],
    ),
]
TenantName = Annotated[DisplayName, Field(examples=["Acme Inc."])]


class TenantAdmin(BaseModel):
    """The first user of a tenant."""

    model_config = ConfigDict(extra="forbid")

    email: EmailAddress
    password: NewPassword
    name: DisplayName | None = None


class NewTenant(BaseModel):
    """A tenant that shall be."""

    model_config = ConfigDict(extra="forbid")

    slug: Slug
    name: TenantName
    admin: TenantAdmin | None = Field(default=None, description="Who becomes its first administrator.")


class Tenant(BaseModel):
    """A tenant."""

    id: UUID = Field(examples=["0193f2b0-c4de-7a6f-9d1c-3b5a7e8f9012"])
    slug: str = Field(examples=["acme"])
    name: str = Field(examples=["Acme Inc."])
    created_at: datetime = Field(examples=["2026-01-01T12:00:00Z"])
