"""The rules of tokens for others: signed ones, the keys that verify them, and what an access token stands for."""

from dataclasses import dataclass

from service import problems
from service.access import Caller
from service.audit.events import AuditEvent
from service.audit.repository import AuditEntry
from service.audit.trail import Trail
from service.cache.service import CacheService
from service.clock import Clock
from service.problems import ProblemError
from service.sessions.identities import Identities
from service.sessions.repository import confirm_session
from service.settings import Settings
from service.tokens.jwt import sign
from service.tokens.keys import SigningKeys
from service.tokens.models import ActiveToken, InactiveToken, JwtAnswer, KeySet

# Who may see all tenants may ask about tokens of all tenants.
_ANY_TENANT = "tenants:read"


@dataclass(frozen=True, slots=True)
class TokenService:
    """`keys` are those that the signed tokens are verified with."""

    settings: Settings
    identities: Identities
    trail: Trail
    cache: CacheService
    clock: Clock
    keys: SigningKeys

    async def issue(self, caller: Caller) -> JwtAnswer:
        """Sign a token for the caller's session, if it lives at this moment. Problems: 401."""
        now = self.clock.now()
        entry = AuditEntry(AuditEvent.JWT_ISSUED, now)
        async with self.trail.writing(caller.subject.scope) as recorder:
            is_alive = await confirm_session(recorder, caller.subject, caller.session_id, entry)
        if not is_alive:
            # Whoever ended that session may have died before its copies were removed.
            await self.cache.drop_token(caller.token_hash)
            raise problems.invalid_token()
        return sign(self.settings, self.keys.signing(now), caller, now)

    def key_set(self) -> KeySet:
        """The keys that verify every signed token that has not expired."""
        return KeySet(keys=self.keys.published(self.clock.now()))

    async def introspect(self, caller: Caller, token: str) -> ActiveToken | InactiveToken:
        """What an access token stands for, as far as the caller may know."""
        try:
            found = await self.identities.validate(token, None)
        except ProblemError:
            return InactiveToken(active=False)
        if found.tenant_id != caller.tenant_id and _ANY_TENANT not in caller.permissions:
            return InactiveToken(active=False)
        # No query for it: whatever loads a token stores its user as well.
        user = await self.cache.get_user_by_id(found.user_id)
        return ActiveToken(
            active=True,
            sub=found.user_id,
            tenant=found.tenant,
            sid=found.session_id,
            scope=" ".join(found.permissions),
            username=user.email if user else None,
            token_type="bearer",  # noqa: S106 - a type, not a token
            iss=self.settings.jwt_issuer,
            exp=int(found.expires_at.timestamp()),
        )
