"""How a request names its tenant."""

from typing import Annotated

from fastapi import Header

DEFAULT_TENANT = "default"

Tenant = Annotated[
    str,
    Header(alias="X-Tenant", description="The tenant's slug.", examples=["default"]),
]
ExpectedTenant = Annotated[
    str | None,
    Header(
        alias="X-Tenant",
        description="The tenant's slug. A token belongs to one tenant; naming another one is a 401.",
        examples=["default"],
    ),
]
