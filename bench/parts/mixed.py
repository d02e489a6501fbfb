"""A mixture of all that users do, at a constant rate through the edge."""

from bench import targets
from bench.figures import Figure
from bench.load.open import OpenLoop
from bench.load.requests import LOGIN, VALIDATE, Mixed
from bench.measuring import Bench, Findings
from bench.parts.deployment import Accounted, deploy, measure_accounted, warm
from bench.parts.hashing import hash_ms, hashes_per_second
from bench.rounds import costs, not_right, over, percentiles

ROUNDS = 3
CONNECTIONS = 128
ACTIVE_USERS = 1000
_FIRST_SPARE = 50_000
_SPARE = 10_000
_MOST_REQUESTS = 100
_HASHES_PER_REQUEST = 0.04 + 0.01 / 3


def run(bench: Bench) -> Findings:
    """Warm the active users' tokens, then measure."""
    rounds: list[Accounted] = []
    rate = min(_MOST_REQUESTS, int(hashes_per_second(hash_ms(bench)) / _HASHES_PER_REQUEST))
    with bench.stand.engine.scope():
        deployment = deploy(bench)
        warm(bench, deployment.edge.port, ACTIVE_USERS)
        for number in range(ROUNDS):
            spare = _FIRST_SPARE + number * _SPARE
            mixture = Mixed(bench.stand.population, 0, ACTIVE_USERS, spare, f"mixed-{number}")
            load = OpenLoop(deployment.edge.port, mixture, CONNECTIONS, rate, bench.plan.mixed_seconds / ROUNDS)
            rounds.append(measure_accounted(bench, deployment, load))
            bench.say(f"mixed, round {number + 1}: p95 {rounds[-1].round.samples.latency_ms(95):.1f} ms")
    return Findings(_figures(f"95 % validations, 4 % logins, 1 % others, {rate} requests/s", rounds))


def _figures(part: str, accounted: list[Accounted]) -> list[Figure]:
    rounds = [each.round for each in accounted]
    queries = [each.queries_per_request for each in accounted]
    hit_rates = [each.hit_rate_percent for each in accounted]
    return [
        *percentiles(part, "all requests", rounds, p95=targets.MIXED_P95_MS),
        Figure(part, "all requests", "queries per request", "", queries, targets.QUERIES_PER_REQUEST),
        Figure(part, "validations", "hit rate", "%", hit_rates, targets.HIT_RATE_PERCENT),
        not_right(part, "all requests", rounds),
        *percentiles(part, "validations", rounds, kind=VALIDATE),
        *percentiles(part, "logins", rounds, kind=LOGIN),
        *costs(part, "all requests", rounds),
        Figure(part, "the generator", "late", "%", over(rounds, lambda each: each.samples.late_percent())),
    ]
