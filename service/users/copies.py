"""The copies of a user that the cache holds."""

from dataclasses import dataclass

from service.cache.service import CacheService, UserChange
from service.clock import Clock
from service.database.engine import Database
from service.database.scope import Subject
from service.sessions.repository import tokens_with_copies


@dataclass(frozen=True, slots=True)
class UserCopies:
    """Lets changes of a user hold in every replica."""

    database: Database
    cache: CacheService
    clock: Clock

    async def forget(self, subject: Subject, change: UserChange) -> None:
        """Forget what is known of a user who was changed, and of all its tokens.

        Call it after the commit and before the answer.
        """
        # Those of sessions that have just ended too: whoever ended one may not have removed its copies yet.
        since = self.cache.copied_since(self.clock.now())
        # A statement of its own, which sees the sessions that were opened before the change got its lock.
        async with self.database.reading(subject.scope) as connection:
            tokens = await tokens_with_copies(connection, subject, since)
        await self.cache.forget_user(change, tokens)
