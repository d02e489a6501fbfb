"""The copies of a user that the cache holds."""

from dataclasses import dataclass

from service.cache.service import CacheService
from service.database.engine import Database
from service.database.scope import Subject
from service.sessions.repository import live_tokens


@dataclass(frozen=True, slots=True)
class UserCopies:
    """Lets changes of a user hold in every replica."""

    database: Database
    cache: CacheService

    async def forget(self, subject: Subject, tenant: str, *emails: str) -> None:
        """Forget what is known of a user, under each address that it has or had, and of its tokens.

        Call it after the commit and before the answer. Tokens come first: with them go the tickets of whoever
        has read the user before the commit and would store it after the copies were removed.
        """
        # A statement of its own, which sees the sessions that were opened before the change got its lock.
        async with self.database.reading(subject.scope) as connection:
            tokens = await live_tokens(connection, subject)
        await self.cache.revoke_tokens(tokens)
        for email in dict.fromkeys(emails):
            await self.cache.invalidate_user(subject.user_id, email, tenant)
