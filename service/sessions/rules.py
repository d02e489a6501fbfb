"""What becomes of a refresh token that is presented."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from service.sessions.repository import Refreshable


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

    def judge(self, session: Refreshable, presented: str, successor: str, now: datetime) -> Verdict:
        """The verdict on a token's hash; `successor` is the hash of the refresh token that follows from it.

        The grace ends early if the successor was presented itself: then the answer had arrived.
        """
        if not session.is_active or session.refresh_expires_at <= now:
            return Verdict.REFUSE
        if session.refresh_token == presented:
            return Verdict.ROTATE
        assert session.rotated_at is not None  # noqa: S101 - it was found among the rotated ones
        in_grace = now - session.rotated_at <= timedelta(seconds=self.grace_seconds)
        return Verdict.REPEAT if in_grace and session.refresh_token == successor else Verdict.REVOKE
