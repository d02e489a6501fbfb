"""Loads both sides in turn, round by round, so that a machine that slows down slows both."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from bench.load.closed import ClosedLoop
from bench.load.crowd import Crowd
from bench.load.open import OpenLoop
from bench.load.requests import Mixed, Validations
from bench.measuring import Meter
from bench.parts.deployment import Accounted, measure_accounted
from evidence.compare.deployments import BASELINE, OPTIMIZED, PROFILES, Side
from evidence.compare.plan import Plan
from evidence.compare.workloads import Operations

# Both are asked at one rate, which the slower one can answer without a queue: a latency under overload tells of the
# load. This share of what the baseline can validate, but not more than so many requests a second.
_SHARE = 0.3
_MOST_REQUESTS = 50
_OPERATIONS_PER_SECOND = 6
_CONNECTIONS = 64
_CALIBRATING_CONNECTIONS = 4
_CALIBRATING_SECONDS = 4
# What a side can answer is not asked again once so many of a hundred answers were errors.
_GIVEN_UP_PERCENT = 1.0
_PAUSE_SECONDS = 1.0
_ARRIVAL_SECONDS = 5.0
ACTIVE_USERS = 1000
# Users whose sessions a load may use up, of the operations and of the mixtures.
_OPERATIONS_FROM, _MIXED_FROM, _SPARE = 2000, 10_000, 500


@dataclass(frozen=True)
class CrowdStep:
    """So many users at a time on one side: the share of answers that were errors, and the p95 of the others."""

    users: int
    error_percent: float
    p95_ms: float


@dataclass
class Measured:
    """Everything that both sides gave, by profile; `rate` is that of the mixture, in requests a second."""

    rate: int
    mixed: dict[str, list[Accounted]] = field(default_factory=lambda: {profile: [] for profile in PROFILES})
    operations: dict[str, list[Accounted]] = field(default_factory=lambda: {profile: [] for profile in PROFILES})
    crowds: dict[str, list[CrowdStep]] = field(default_factory=lambda: {profile: [] for profile in PROFILES})


def measure(sides: Mapping[str, Side], meter: Meter, plan: Plan) -> Measured:
    """Measure all that is compared."""
    measured = Measured(_rate(sides[BASELINE], meter))
    _warm(sides[OPTIMIZED], meter)
    for number in range(plan.rounds):
        for profile, side in sides.items():
            measured.mixed[profile].append(_mixed(side, meter, plan, measured.rate, number))
            measured.operations[profile].append(_operations(side, meter, plan, number))
        p95s = ", ".join(
            f"{profile} {measured.mixed[profile][-1].round.samples.latency_ms(95):.1f} ms" for profile in sides
        )
        meter.say(f"round {number + 1} of {plan.rounds}: p95 of all requests: {p95s}")
    for users in plan.crowds:
        for profile, side in sides.items():
            if not measured.crowds[profile] or measured.crowds[profile][-1].error_percent < _GIVEN_UP_PERCENT:
                measured.crowds[profile].append(_crowd(side, meter, plan, users))
    return measured


def held(steps: list[CrowdStep], limit_percent: float) -> int:
    """How many users worked at a time with fewer errors than that, and so did all smaller numbers of them."""
    good = takewhile(lambda step: step.error_percent < limit_percent, steps)
    return max((step.users for step in good), default=0)


def _rate(baseline: Side, meter: Meter) -> int:
    validations = Validations(baseline.population, 0, baseline.population.count)
    load = ClosedLoop(baseline.port, validations, _CALIBRATING_CONNECTIONS, _CALIBRATING_SECONDS)
    answered = measure_accounted(meter, baseline.deployment, load).round.samples.rate()
    rate = max(1, min(_MOST_REQUESTS, int(_SHARE * answered)))
    meter.say(f"the baseline validates {answered:.0f} tokens a second at most; both are asked {rate} a second")
    return rate


def _warm(side: Side, meter: Meter) -> None:
    tokens = Validations(side.population, 0, ACTIVE_USERS, draw="in turn")
    meter.generator.run(ClosedLoop(side.port, tokens, _CALIBRATING_CONNECTIONS, 60, requests=ACTIVE_USERS))


def _mixed(side: Side, meter: Meter, plan: Plan, rate: int, number: int) -> Accounted:
    spare = _MIXED_FROM + number * _SPARE
    mixture = Mixed(side.population, 0, ACTIVE_USERS, spare, f"mixed-{number}")
    load = OpenLoop(side.port, mixture, _CONNECTIONS, rate, plan.mixed_seconds)
    return measure_accounted(meter, side.deployment, load)


def _operations(side: Side, meter: Meter, plan: Plan, number: int) -> Accounted:
    spare = _OPERATIONS_FROM + number * _SPARE
    operations = Operations(side.population, spare - ACTIVE_USERS, spare, f"operations-{number}")
    load = OpenLoop(side.port, operations, _CONNECTIONS, _OPERATIONS_PER_SECOND, plan.operations_seconds)
    return measure_accounted(meter, side.deployment, load)


def _crowd(side: Side, meter: Meter, plan: Plan, users: int) -> CrowdStep:
    load = Crowd(side.port, side.population, users, _PAUSE_SECONDS, _ARRIVAL_SECONDS, plan.crowd_seconds, logs_in=False)
    samples = meter.generator.run(load)
    step = CrowdStep(users, samples.error_percent(), samples.latency_ms(95))
    meter.say(f"{side.profile}: {users:,} users: {step.error_percent:.2f} % errors, p95 {step.p95_ms:.1f} ms")
    return step
