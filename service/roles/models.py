"""The bodies of requests about roles."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_ROLES = 32

# What roles there are is data: any text that could be a role's name. PostgreSQL cannot store a NUL.
RoleName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", examples=["auditor"])]


class RoleAssignment(BaseModel):
    """All the roles that a user shall have."""

    model_config = ConfigDict(extra="forbid")

    roles: list[RoleName] = Field(
        max_length=MAX_ROLES,
        description="In any order; a role that is named twice counts once.",
        examples=[["auditor", "member"]],
    )
