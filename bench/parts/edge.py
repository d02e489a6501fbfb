"""Validations of 100,000 users at a constant rate, through the edge and on one replica; the cache is warm."""

from bench import scrape, targets
from bench.figures import Figure
from bench.load.open import OpenLoop
from bench.load.requests import Validations
from bench.measuring import Bench, Findings
from bench.parts.deployment import Accounted, deploy, measure_accounted, warm
from bench.rounds import Round, Subject, costs, not_right, percentiles

RATE = 1000
CONNECTIONS = 128
EDGE, REPLICA = "through the edge", "on one replica"


def run(bench: Bench) -> Findings:
    """Let each token be seen once, then measure within the five minutes that its copies are kept."""
    population = bench.stand.population
    through: list[Accounted] = []
    direct: list[Round] = []
    with bench.stand.engine.scope():
        deployment = deploy(bench)
        bench.say(f"edge: warming {population.count:,} tokens")
        warm(bench, deployment.edge.port, population.count)
        at_edge, at_replica = (_load(bench, each.port) for each in (deployment.edge, deployment.replicas[0]))
        for number in range(1, bench.plan.latency_rounds + 1):
            through.append(measure_accounted(bench, deployment, at_edge, scrape.VALIDATE_PATH))
            direct.append(bench.measure(Subject(REPLICA, deployment.replicas[0]), at_replica, tolerates_errors=True))
            tails = [each.samples.latency_ms(95) for each in (through[-1].round, direct[-1])]
            bench.say(f"edge, round {number}: p95 {tails[0]:.2f} ms {EDGE}, {tails[1]:.2f} ms {REPLICA}")
        memory = bench.stand.redis_memory_mb()
    part = f"{population.count:,} users, {RATE:,} validations/s"
    rounds = [each.round for each in through]
    return Findings(
        [
            *percentiles(part, EDGE, rounds, p95=targets.EDGE_VALIDATION_P95_MS),
            not_right(part, EDGE, rounds),
            *_accounts(part, through),
            *costs(part, EDGE, rounds),
            *percentiles(part, REPLICA, direct, p95=targets.DIRECT_VALIDATION_P95_MS),
            not_right(part, REPLICA, direct),
            Figure(part, "Redis", "memory", "MB", [memory]),
            Figure(part, "the generator", "late", "%", [each.samples.late_percent() for each in rounds + direct]),
        ]
    )


def _load(bench: Bench, port: int) -> OpenLoop:
    everyone = Validations(bench.stand.population, 0, bench.stand.population.count)
    return OpenLoop(port, everyone, CONNECTIONS, RATE, bench.plan.edge_seconds)


def _accounts(part: str, rounds: list[Accounted]) -> list[Figure]:
    rates = [each.hit_rate_percent for each in rounds]
    return [
        Figure(part, EDGE, "database queries", "", [each.queries for each in rounds], targets.NONE),
        Figure(part, EDGE, "hit rate", "%", rates, targets.EDGE_HIT_RATE_PERCENT),
    ]
