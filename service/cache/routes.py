"""The route of the cache's figures: parse, call, answer."""

from typing import Annotated

from fastapi import APIRouter

from service import problems
from service.access import Caller, requires
from service.cache.service import CacheService
from service.cache.stats import CacheStats
from service.documentation import WITH_TOKEN
from service.parts import part
from service.problems import problem_responses

router = APIRouter(prefix="/api/v1/cache", tags=["cache"])


@router.get("/stats", responses=problem_responses(problems.forbidden("metrics:read"), *WITH_TOKEN))
async def stats(
    cache: Annotated[CacheService, part("cache")], _caller: Annotated[Caller, requires("metrics:read")]
) -> CacheStats:
    """What the cache holds and how look-ups went. Look-ups are those of the replica that answers."""
    return await cache.stats()
