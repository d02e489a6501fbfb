"""Signed tokens (JWT, RFC 7519): what they say, and for how long."""

from datetime import datetime, timedelta

import jwt

from service.access import Caller
from service.ids import new_id
from service.settings import Settings
from service.tokens.keys import SigningKey
from service.tokens.models import JwtAnswer


def sign(settings: Settings, key: SigningKey, caller: Caller, now: datetime) -> JwtAnswer:
    """A token that says at `now` who the caller is; it never outlives the caller's access token."""
    issued_at = int(now.timestamp())
    end = min(now + timedelta(seconds=settings.jwt_seconds), caller.expires_at)
    expires_at = int(end.timestamp())
    claims = {
        "iss": settings.jwt_issuer,
        "sub": str(caller.user_id),
        "tenant": caller.tenant,
        "sid": str(caller.session_id),
        "permissions": sorted(caller.permissions),
        "iat": issued_at,
        "exp": expires_at,
        "jti": str(new_id()),
    }
    token = jwt.encode(claims, key.private, algorithm=key.public.alg, headers={"kid": key.public.kid})
    return JwtAnswer(token=token, expires_in=expires_at - issued_at)
