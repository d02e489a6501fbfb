"""The rules of a session's tokens: how long they live, and what becomes of a refresh token that is presented."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from service.sessions.models import TokenPair
from service.sessions.repository import Tokens
from service.sessions.rotation import Refreshable
from service.tokens.opaque import fingerprint


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Of access tokens, of refresh tokens, and of a session however often it is refreshed; in seconds."""

    access_seconds: int
    refresh_seconds: int
    session_seconds: int

    def begin(self, access: str, refresh: str, now: datetime, *, opened_at: datetime) -> Tokens:
        """Two tokens that live from now on: both lifetimes slide with each refresh, up to an end that does not."""
        end = opened_at + timedelta(seconds=self.session_seconds)
        return Tokens(
            token=fingerprint(access),
            refresh_token=fingerprint(refresh),
            expires_at=min(end, now + timedelta(seconds=self.access_seconds)),
            refresh_expires_at=min(end, now + timedelta(seconds=self.refresh_seconds)),
        )


class Verdict(Enum):
    """What to do about a presented refresh token."""

    ROTATE = "exchange it for the next pair"
    REPEAT = "give the same answer again"
    REFUSE = "it is worth nothing, and says nothing"
    REVOKE = "somebody has a copy: end the session"


@dataclass(frozen=True, slots=True)
class RefreshRule:
    """How long a rotated token may still be presented by whoever did not get the answer, in seconds."""

    grace_seconds: float

    def judge(self, session: Refreshable, presented: str, successors: Collection[str], now: datetime) -> Verdict:
        """The verdict on a token's hash; `successors` are the hashes of refresh tokens that may follow from it.

        The grace ends early if the successor was presented itself: then the answer had arrived.
        """
        if not session.is_active or session.refresh_expires_at <= now:
            return Verdict.REFUSE
        if session.refresh_token == presented:
            return Verdict.ROTATE
        assert session.rotated_at is not None  # noqa: S101 - it was found among the rotated ones
        in_grace = now - session.rotated_at <= timedelta(seconds=self.grace_seconds)
        return Verdict.REPEAT if in_grace and session.refresh_token in successors else Verdict.REVOKE


def token_pair(access: str, refresh: str, tokens: Tokens, now: datetime) -> TokenPair:
    """Two tokens as their owner gets them."""
    expires_in = int((tokens.expires_at - now).total_seconds())
    return TokenPair(access_token=access, refresh_token=refresh, expires_in=expires_in)
