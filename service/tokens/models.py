"""The bodies of requests and answers about tokens."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class ValidationAnswer(BaseModel):
    """What a valid access token stands for."""

    user_id: UUID
    tenant: str = Field(examples=["default"])
    session_id: UUID
    permissions: list[str] = Field(examples=[["users:read"]])
    expires_at: datetime
