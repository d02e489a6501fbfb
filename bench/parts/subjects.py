"""The programs whose validations are compared, each tier of the service among them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bench import targets
from bench.arithmetic import ratios
from bench.figures import Figure
from bench.load.closed import ClosedLoop
from bench.load.requests import Validations
from bench.measuring import Bench
from bench.rounds import Round, Subject, over

BARE = "bare Starlette"
IN_PROCESS = "service, in-process"
REDIS = "service, Redis"
POSTGRES = "service, PostgreSQL"
REDIS_DOWN = "service, Redis down"
FASTAPI_REDIS = "fastapi-users, Redis"
FASTAPI_DATABASE = "fastapi-users, database"

_COMPARED = (
    (IN_PROCESS, BARE, targets.IN_PROCESS_OVER_BARE),
    (REDIS, BARE, targets.REDIS_OVER_BARE),
    (IN_PROCESS, FASTAPI_REDIS, targets.OVER_FASTAPI_USERS),
    (REDIS, FASTAPI_REDIS, targets.OVER_FASTAPI_USERS),
)

# Users who come again and again, few enough for the in-process tier.
HOT = 1000
# A copy is kept for a second, and no user comes twice in a round: each validation is one of a token not in the cache.
_FORGETFUL = {f"cache_{kind}_seconds": "1" for kind in ("validation", "session", "user", "permissions")}
_WITHOUT_MEMORY = {"cache_memory_entries": "0"}
_WARM_SECONDS = 30


def subjects(bench: Bench) -> list[tuple[Subject, Validations]]:
    """Start every program, and let it see users once; each with the validations to measure it with."""
    programs, population = bench.programs, bench.stand.population
    bench.stand.forget_copies()
    both = {"postgres": bench.stand.postgres, "redis": bench.stand.redis}
    hot = Validations(population, 0, HOT)
    fresh = Validations(population, HOT, population.count, draw="in turn")
    doomed = bench.stand.start_redis("doomed-redis")
    without_redis = programs.service("redis-down", redis_port=doomed.port)
    doomed.container.kill()
    others = programs.fastapi_users()
    started = [
        (Subject(BARE, programs.bare()), replace(hot, checked=False)),
        (Subject(IN_PROCESS, programs.service("in-process"), both), hot),
        (Subject(REDIS, programs.service("redis-tier", _WITHOUT_MEMORY), both), hot),
        (Subject(POSTGRES, programs.service("postgres-tier", _WITHOUT_MEMORY | _FORGETFUL), both), fresh),
        (Subject(REDIS_DOWN, without_redis, {"postgres": bench.stand.postgres}), hot),
        (Subject(FASTAPI_REDIS, others, both), replace(hot, path="/redis/me")),
        (Subject(FASTAPI_DATABASE, others, both), replace(hot, path="/database/me")),
    ]
    for subject, validations in started:
        warm(bench, subject, validations)
    return started


def warm(bench: Bench, subject: Subject, validations: Validations) -> None:
    """Let a program see its users once."""
    each = replace(validations, draw="in turn")
    bench.generator.run(ClosedLoop(subject.program.port, each, 4, _WARM_SECONDS, requests=HOT))


def compared(part: str, rounds: Mapping[str, Sequence[Round]], *, judged: bool) -> list[Figure]:
    """CPU time of the warm tiers as a multiple of others', round by round; `judged` by the targets or not."""
    spent = {name: over(those, lambda each: each.total_cpu_us) for name, those in rounds.items()}
    figures = [
        Figure(part, name, f"CPU, times that of {other}", "", ratios(spent[name], spent[other]), target)
        for name, other, target in _COMPARED
    ]
    return figures if judged else [replace(figure, target=None) for figure in figures]
