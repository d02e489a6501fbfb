"""Redis is killed under load and comes back: what the clients see meanwhile."""

import math
import time
from contextlib import closing

import redis

from bench import targets
from bench.arithmetic import percentile
from bench.engine import Running
from bench.figures import Figure, Target
from bench.load.open import OpenLoop
from bench.load.requests import Validations
from bench.load.samples import Outcome, Samples
from bench.measuring import Bench, Findings
from bench.parts.deployment import Deployment, deploy, warm
from bench.stand import START_SECONDS
from infra.waiting import until_it_answers

RATE = 300
CONNECTIONS = 256
# More than one replica sees twice within seconds, so that Redis is asked.
USERS = 10_000
_PAUSE_SECONDS = 0.2


def run(bench: Bench) -> Findings:
    """Validate at a constant rate, kill Redis for a while, start it again, and go on."""
    plan = bench.plan
    with bench.stand.engine.scope():
        doomed = bench.stand.start_redis("doomed-redis")
        deployment = deploy(bench, doomed.port)
        warm(bench, deployment.edge.port, USERS)
        seconds = plan.outage_seconds + 2 * plan.around_outage_seconds
        validations = Validations(bench.stand.population, 0, USERS)
        running = bench.generator.start(OpenLoop(deployment.edge.port, validations, CONNECTIONS, RATE, seconds))
        time.sleep(plan.around_outage_seconds)
        bench.say(f"outage: Redis is killed for {plan.outage_seconds:.0f} s under {RATE} validations/s")
        doomed.container.kill()
        time.sleep(plan.outage_seconds)
        recovery = _bring_back(bench, doomed, deployment, plan.around_outage_seconds)
        bench.say(f"outage: back on Redis after {recovery:.1f} s")
        samples = running.result()
    part = f"Redis killed for {plan.outage_seconds:.0f} s, {RATE} validations/s"
    outage = [plan.around_outage_seconds, plan.around_outage_seconds + plan.outage_seconds]
    return Findings(_figures(part, samples, recovery), _curves(samples) | {"outage": outage})


def _bring_back(bench: Bench, doomed: Running, deployment: Deployment, patience: float) -> float:
    """Start Redis; the seconds from its first answer until every replica finds copies in it; NaN if one does not."""
    doomed.container.start()
    with closing(bench.stand.redis_client(port=doomed.port)) as client:
        until_it_answers(client.ping, (redis.ConnectionError, redis.TimeoutError), START_SECONDS)
    started, before = time.monotonic(), deployment.redis_hits()
    while time.monotonic() < started + patience:
        if all(now > then for now, then in zip(deployment.redis_hits(), before, strict=True)):
            return time.monotonic() - started
        time.sleep(_PAUSE_SECONDS)
    return math.nan


def _figures(part: str, samples: Samples, recovery: float) -> list[Figure]:
    def one(name: str, unit: str, value: float, target: Target | None = None) -> Figure:
        return Figure(part, "validations", name, unit, [value], target)

    return [
        one("wrong answers", "", samples.outcomes(Outcome.WRONG), targets.NONE),
        one("5xx and lost", "", samples.server_errors(), targets.NONE),
        one("p95", "ms", math.nan if samples.is_late() else samples.latency_ms(95), targets.OUTAGE_P95_MS),
        one("seconds until back on Redis", "s", recovery, targets.RECOVERY_SECONDS),
        one("p50", "ms", samples.latency_ms(50)),
        one("p99", "ms", samples.latency_ms(99)),
        one("the generator late", "%", samples.late_percent()),
    ]


def _curves(samples: Samples) -> dict[str, list[float]]:
    """The p50 and p95 of each second of the run, in milliseconds."""
    slices: dict[int, list[float]] = {}
    for at, latency in zip(samples.at, samples.latency, strict=True):
        slices.setdefault(int(at), []).append(1000 * latency)
    seconds = sorted(slices)
    return {
        "seconds": [float(second) for second in seconds],
        "p50": [percentile(sorted(slices[second]), 50) for second in seconds],
        "p95": [percentile(sorted(slices[second]), 95) for second in seconds],
    }
