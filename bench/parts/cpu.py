"""CPU time of a validation and the throughput of a closed loop, tier by tier and against others, interleaved."""

from dataclasses import replace

from bench.figures import Figure
from bench.load.closed import ClosedLoop
from bench.load.requests import Validations
from bench.measuring import Bench, Findings
from bench.parts.subjects import compared, subjects
from bench.rounds import Round, Subject, costs, over

PART = "validation, closed loop"
CONNECTIONS = 8


def run(bench: Bench) -> Findings:
    """Measure every subject in each round, one after the other."""
    with bench.stand.engine.scope():
        started = subjects(bench)
        rounds: dict[str, list[Round]] = {subject.name: [] for subject, _ in started}
        for number in range(1, bench.plan.rounds + 1):
            for subject, validations in started:
                rounds[subject.name].append(_round(bench, subject, validations))
            spent = ", ".join(f"{name} {each[-1].total_cpu_us:.0f}" for name, each in rounds.items())
            bench.say(f"{PART}, round {number}, CPU µs per request: {spent}")
    measured = [figure for name, those in rounds.items() for figure in _measured(name, those)]
    return Findings(compared(PART, rounds, judged=True) + measured)


def _round(bench: Bench, subject: Subject, validations: Validations) -> Round:
    load = ClosedLoop(subject.program.port, validations, CONNECTIONS, bench.plan.round_seconds)
    # With the other half of the users: where each has to be new, those of the round still are.
    half = replace(validations, first=(validations.first + validations.last) // 2)
    bench.generator.run(replace(load, workload=half, seconds=bench.plan.warm_seconds))
    return bench.measure(subject, load)


def _measured(name: str, rounds: list[Round]) -> list[Figure]:
    spent = over(rounds, lambda each: 1e6 * each.samples.generator_cpu_seconds / each.samples.count())
    return [
        *costs(PART, name, rounds),
        Figure(PART, name, "throughput", "1/s", over(rounds, lambda each: each.samples.rate())),
        Figure(PART, name, "the generator's own CPU per request", "µs", spent),
    ]
