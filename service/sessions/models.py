"""The bodies of requests and answers about sessions."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.tokens.opaque import TOKEN_EXAMPLE
from service.users.models import User


class Session(BaseModel):
    """One login of a user, on whatever device it was."""

    id: UUID = Field(examples=["0193f2b0-c4de-7a6f-9d1c-3b5a7e8f9012"])
    created_at: datetime = Field(examples=["2026-01-01T12:00:00Z"])
    expires_at: datetime = Field(description="When its access token expires.", examples=["2026-01-01T13:00:00Z"])
    refresh_expires_at: datetime = Field(
        description="When it ends unless it is refreshed.", examples=["2026-01-31T12:00:00Z"]
    )
    user_agent: str | None = Field(description="What logged in, as it named itself.", examples=["curl/8.5.0"])
    current: bool = Field(description="Whether it is the session of this request.", examples=[True])


class RefreshRequest(BaseModel):
    """The refresh token of the pair that is to be replaced."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: str = Field(min_length=1, max_length=200, examples=[TOKEN_EXAMPLE])


class TokenPair(BaseModel):
    """The tokens of a session: `expires_in` is the access token's lifetime in seconds."""

    access_token: str = Field(examples=[TOKEN_EXAMPLE])
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a type, not a token
    expires_in: int = Field(examples=[3600])
    refresh_token: str = Field(examples=[TOKEN_EXAMPLE])


class LoginAnswer(TokenPair):
    """A new session and whose it is."""

    user: User
