"""Whether this replica lives, and whether it can serve."""

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from service.cache.service import CacheService
from service.database.engine import Database
from service.database.tables import REQUIRED_REVISION
from service.parts import Measured
from service.problems import ProblemError, problem_responses

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """The replica can serve; `degraded` if it does so without its cache."""

    status: Literal["ready", "degraded"]
    release: str
    checks: dict[str, str]


def _not_ready(waiting_for: str, reason: str, **members: Any) -> ProblemError:
    return ProblemError(503, "not-ready", f"Not ready: {reason}.", waiting_for=[waiting_for], **members)


@router.get("/livez")
async def livez() -> Alive:
    """Whether the process answers at all: says nothing about what it depends on."""
    return Alive()


@router.get("/readyz", responses=problem_responses(_not_ready("database", "the database is unreachable")))
async def readyz(request: Request) -> Ready:
    """Whether requests can be served; a 503 names in `waiting_for` what is missing.

    That is `database`, `migrations`, or `draining` on a replica that is about to stop and wants no more requests.
    """
    state = request.app.state
    if state.draining:
        raise _not_ready("draining", "this replica is about to stop")
    schema, cache = await asyncio.gather(_check_schema(state.database), _check_cache(state.cache))
    checks = {**schema, "cache": cache}
    for name, found in schema.items():
        if found != "ok":
            raise _not_ready(name, f"{name}: {found}", checks=checks)
    return Ready(status="ready" if cache == "ok" else "degraded", release=state.settings.release, checks=checks)


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request, registry: Measured) -> Response:
    """All metrics in the format that is asked for."""
    exposition, content_type = registry.render(request.headers.get("accept", ""))
    return Response(exposition, headers={"Content-Type": content_type})


async def _check_schema(database: Database) -> dict[str, str]:
    try:
        async with asyncio.timeout(2), database.reading() as connection:
            revision = await _find_revision(connection)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        return {"database": f"unreachable ({type(error).__name__})", "migrations": "unknown"}
    return {"database": "ok", "migrations": _judge(revision)}


async def _find_revision(connection: AsyncConnection) -> str | None:
    """The schema's revision; None before the first. Raises SQLAlchemyError if the database is out of reach."""
    try:
        revision: str | None = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar()
    except DBAPIError:
        await connection.execute(text("SELECT 1"))  # it answers: then there is no such table
        return None
    return revision


def _judge(revision: str | None) -> str:
    # A newer revision is fine: the next release migrates while this one still serves.
    if revision is not None and _number(revision) >= _number(REQUIRED_REVISION):
        return "ok"
    return f"at {f'revision {revision}' if revision else 'no revision'}, needs {REQUIRED_REVISION}"


async def _check_cache(cache: CacheService) -> str:
    return "ok" if await cache.is_available() else "down: answering from the database"


def _number(revision: str) -> int:
    """Revisions are numbered 001, 002_...: the number orders them."""
    return int(revision[:3])
