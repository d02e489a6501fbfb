"""fastapi-users as its documentation puts it together, with both of its strategies that can revoke a token.

Bearer transport, SQLAlchemy and asyncpg; a login under `/redis` and `/database`, and `me`, which needs a user.
Passwords cost what they cost the service. `python -m bench.subjects.users` makes the tables.
"""
# mypy: disable-error-code="import-not-found,misc,no-any-unimported,valid-type"

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, RedisStrategy, Strategy
from fastapi_users.authentication.strategy.db import AccessTokenDatabase, DatabaseStrategy
from fastapi_users.password import PasswordHelper
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import SQLAlchemyAccessTokenDatabase, SQLAlchemyBaseAccessTokenTableUUID
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from service.settings import load_settings, read_secret

_settings = load_settings()
_LIFETIME_SECONDS = _settings.access_token_seconds
_engine = create_async_engine(_settings.sqlalchemy_url.set(drivername="postgresql+asyncpg"))
_new_session = async_sessionmaker(_engine, expire_on_commit=False)
_redis = Redis.from_url(_settings.redis_url, password=read_secret(_settings.redis_password_file), decode_responses=True)


class _Base(DeclarativeBase):
    pass


class User(SQLAlchemyBaseUserTableUUID, _Base):
    """The table `user`."""


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, _Base):
    """The table `accesstoken`."""


class _Users(UUIDIDMixin, BaseUserManager[User, UUID]):
    pass


async def _session() -> AsyncIterator[AsyncSession]:
    async with _new_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(_session)]


async def _manager(session: Session) -> _Users:
    hasher = Argon2Hasher(
        time_cost=_settings.hash_time_cost,
        memory_cost=_settings.hash_memory_kib,
        parallelism=_settings.hash_parallelism,
    )
    return _Users(SQLAlchemyUserDatabase(session, User), PasswordHelper(PasswordHash((hasher,))))


async def _tokens(session: Session) -> SQLAlchemyAccessTokenDatabase[AccessToken]:
    return SQLAlchemyAccessTokenDatabase(session, AccessToken)


def _in_redis() -> Strategy[User, UUID]:
    return RedisStrategy(_redis, lifetime_seconds=_LIFETIME_SECONDS)


def _in_database(
    tokens: Annotated[AccessTokenDatabase[AccessToken], Depends(_tokens)],
) -> Strategy[User, UUID]:
    return DatabaseStrategy(tokens, lifetime_seconds=_LIFETIME_SECONDS)


app = FastAPI()

for _name, _strategy in (("redis", _in_redis), ("database", _in_database)):
    _backend = AuthenticationBackend(_name, BearerTransport(f"{_name}/login"), _strategy)
    _users = FastAPIUsers[User, UUID](_manager, [_backend])
    _current = _users.current_user(active=True)
    app.include_router(_users.get_auth_router(_backend), prefix=f"/{_name}")

    @app.get(f"/{_name}/me")
    async def _me(user: Annotated[User, Depends(_current)]) -> dict[str, str]:
        return {"user_id": str(user.id)}


async def _make_tables() -> None:
    async with _engine.begin() as connection:
        await connection.run_sync(_Base.metadata.create_all)
    await _engine.dispose()


if __name__ == "__main__":
    asyncio.run(_make_tables())
