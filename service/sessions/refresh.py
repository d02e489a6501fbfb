"""Exchanging a refresh token for a new pair."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service import problems
from service.audit.events import AuditEvent
from service.audit.repository import AuditEntry
from service.observability.context import name_subject
from service.sessions.models import TokenPair
from service.sessions.repository import Tokens, confirm_session
from service.sessions.rotation import Refreshable, find_refreshable, find_replaced, rotate_tokens
from service.sessions.rules import RefreshRule, Verdict, token_pair
from service.sessions.service import SessionService
from service.tokens.opaque import fingerprint, is_well_formed, successors

# Each attempt means that somebody else refreshed in between: 50 at once need no more than two.
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class RefreshService:
    """`keys`: what successors are derived with, the one in use first."""

    sessions: SessionService
    rule: RefreshRule
    keys: Sequence[bytes]

    async def refresh(self, refresh_token: str, tenant: str | None) -> TokenPair:
        """Exchange a refresh token for a new pair; reuse of an old one ends the session. Problems: 401, 429."""
        if not is_well_formed(refresh_token):
            raise problems.invalid_refresh_token()
        presented = fingerprint(refresh_token)
        # A replica that has the lines of the signing secret in another order has derived another pair.
        pairs = {fingerprint(refresh): (access, refresh) for access, refresh in self._successors(refresh_token)}
        for _ in range(_ATTEMPTS):
            session = await self._find(presented, tenant)
            now = self.sessions.clock.now()
            match self.rule.judge(session, presented, pairs.keys(), now):
                case Verdict.ROTATE:
                    access, refresh = next(iter(pairs.values()))
                    tokens = self.sessions.lifetimes.begin(access, refresh, now, opened_at=session.opened_at)
                    done = await self._rotate(session, presented, tokens, now)
                case Verdict.REPEAT:
                    access, refresh = pairs[session.refresh_token]
                    tokens = session.tokens
                    done = await self._repeat(session, presented, now)
                case Verdict.REVOKE:
                    replaced = await self.sessions.replaced_in(session.subject, session.session_id)
                    event = AuditEvent.REFRESH_REUSED
                    await self.sessions.end_one(session.subject, session.session_id, event, *replaced)
                    raise problems.invalid_refresh_token()
                case Verdict.REFUSE:
                    raise problems.invalid_refresh_token()
            if done:
                name_subject(session.user.tenant, session.user.id)
                return token_pair(access, refresh, tokens, now)
        raise problems.too_busy(1)

    def _successors(self, refresh_token: str) -> list[tuple[str, str]]:
        return [successors(key, refresh_token) for key in self.keys]

    async def _find(self, presented: str, tenant: str | None) -> Refreshable:
        session = await find_refreshable(self.sessions.database, presented)
        if session is None or tenant not in (None, session.user.tenant):
            raise problems.invalid_refresh_token()
        return session

    async def _rotate(self, session: Refreshable, presented: str, tokens: Tokens, now: datetime) -> bool:
        entry = AuditEntry(AuditEvent.TOKEN_REFRESHED, now)
        async with self.sessions.trail.writing(session.subject.scope) as recorder:
            replaced = await rotate_tokens(recorder, session, presented, tokens, entry)
        if replaced:
            await self.sessions.cache.revoke_tokens([session.tokens.token])
        return replaced

    async def _repeat(self, session: Refreshable, presented: str, now: datetime) -> bool:
        entry = AuditEntry(AuditEvent.TOKEN_REFRESHED, now, {"repeated": True})
        async with self.sessions.trail.transaction(session.subject.scope) as recorder:
            if not await confirm_session(recorder, session.subject, session.session_id, entry):
                return False
            former = await find_replaced(recorder.connection, session.subject, presented)
        # Whoever gave the answer first may have died before it removed the copies of the former token.
        await self.sessions.cache.revoke_tokens(former)
        return True
