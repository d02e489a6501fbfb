"""The bodies of requests and answers about tokens."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from service.tokens.opaque import TOKEN_EXAMPLE

_JWT_EXAMPLE = "eyJhbGciOiJFZERTQSIsImtpZCI6IuKApiJ9.eyJzdWIiOiLigKYifQ.c2lnbmF0dXJl"
# 32 bytes in base64url without padding: a public key, and a SHA-256.
Base64Url256 = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class ValidationAnswer(BaseModel):
    """What a valid access token stands for."""

    user_id: UUID
    tenant: str = Field(examples=["default"])
    session_id: UUID
    permissions: list[str] = Field(examples=[["users:read"]])
    expires_at: datetime


class JwtAnswer(BaseModel):
    """A signed token: `expires_in` is its lifetime in seconds."""

    token: str = Field(pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$", examples=[_JWT_EXAMPLE])
    expires_in: int = Field(ge=0, le=300, examples=[300])


class JsonWebKey(BaseModel):
    """The public half of an Ed25519 key (RFC 7517, RFC 8037); `kid` is its thumbprint (RFC 7638)."""

    kty: Literal["OKP"] = Field(examples=["OKP"])
    crv: Literal["Ed25519"] = Field(examples=["Ed25519"])
    x: Base64Url256 = Field(examples=["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"])
    kid: Base64Url256 = Field(examples=["kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"])
    use: Literal["sig"] = Field(examples=["sig"])
    alg: Literal["EdDSA"] = Field(examples=["EdDSA"])


class KeySet(BaseModel):
    """The keys that verify signed tokens (JWKS, RFC 7517); a token's header names its key by `kid`."""

    keys: list[JsonWebKey]


class IntrospectionRequest(BaseModel):
    """The form that RFC 7662 describes."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(min_length=1, description="An access token.", examples=[TOKEN_EXAMPLE])
    token_type_hint: str | None = Field(
        default=None, description="Has no effect: only access tokens are known here.", examples=["access_token"]
    )


class ActiveToken(BaseModel):
    """What an access token stands for. `username` is left out where it would have to be looked up."""

    active: Literal[True] = Field(examples=[True])
    sub: UUID = Field(description="The user's id.", examples=["0193f2b0-c4de-7a6f-9d1c-3b5a7e8f9012"])
    tenant: str = Field(examples=["default"])
    sid: UUID = Field(description="The session's id.", examples=["0193f2b0-d5ef-7b70-8e2d-4c6b8f90a123"])
    scope: str = Field(description="The permissions, separated by spaces.", examples=["audit:read users:read"])
    username: str | SkipJsonSchema[None] = Field(
        default=None, description="The e-mail address.", examples=["ada@example.com"]
    )
    token_type: Literal["bearer"] = Field(examples=["bearer"])
    iss: str = Field(examples=["janua"])
    exp: int = Field(description="When it expires, in seconds since 1970.", examples=[1767270000])


class InactiveToken(BaseModel):
    """All that is told of a token that is malformed, unknown, expired, revoked or another tenant's."""

    model_config = ConfigDict(extra="forbid")

    active: Literal[False] = Field(examples=[False])
