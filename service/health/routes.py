"""Whether this replica lives, and whether it can serve."""

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from service.cache.service import CacheService
from service.database.engine import Database
from service.database.tables import REQUIRED_REVISION
from service.observability.metrics import CONTENT_TYPE, Metrics
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


def _not_ready(reason: str, **members: Any) -> ProblemError:
    detail = f"Waiting for the database: {reason}."
    return ProblemError(503, "not-ready", detail, waiting_for=["database"], **members)


@router.get("/livez")
async def livez() -> Alive:
    """Whether the process answers at all: says nothing about what it depends on."""
    return Alive()


@router.get("/readyz", responses=problem_responses(_not_ready("unreachable")))
async def readyz(request: Request) -> Ready:
    """Whether requests can be served; a 503 names in `waiting_for` what is missing."""
    state = request.app.state
    database, cache = await asyncio.gather(_check_database(state.database), _check_cache(state.cache))
    checks = {"database": database, "cache": cache}
    if database != "ok":
        raise _not_ready(database, checks=checks)
    return Ready(status="ready" if cache == "ok" else "degraded", release=state.settings.release, checks=checks)


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """All metrics in Prometheus's text format."""
    registry: Metrics = request.app.state.metrics
    return Response(registry.render(), media_type=CONTENT_TYPE)


async def _check_database(database: Database) -> str:
    try:
        async with asyncio.timeout(2), database.reading() as connection:
            revision = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar()
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        return f"unreachable or not migrated ({type(error).__name__})"
    if revision is None or _number(revision) < _number(REQUIRED_REVISION):
        return f"at revision {revision}, needs {REQUIRED_REVISION}"
    # A newer revision is fine: the next release migrates while this one still serves.
    return "ok"


async def _check_cache(cache: CacheService) -> str:
    return "ok" if await cache.is_available() else "down: answering from the database"


def _number(revision: str) -> int:
    """Revisions are numbered 001, 002_...: the number orders them."""
    return int(revision[:3])
