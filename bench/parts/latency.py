"""Latency of a validation at a constant rate, tier by tier and against others, interleaved."""

from bench.load.open import OpenLoop
from bench.measuring import Bench, Findings
from bench.parts.subjects import compared, subjects
from bench.rounds import Round, costs, percentiles

PART = "validation, open loop"
CONNECTIONS = 64
# What the slowest of the subjects can keep up with.
RATE = 200


def run(bench: Bench) -> Findings:
    """Measure every subject in each round, one after the other."""
    with bench.stand.engine.scope():
        started = subjects(bench)
        rounds: dict[str, list[Round]] = {subject.name: [] for subject, _ in started}
        for number in range(1, bench.plan.latency_rounds + 1):
            for subject, validations in started:
                load = OpenLoop(subject.program.port, validations, CONNECTIONS, RATE, bench.plan.latency_seconds)
                rounds[subject.name].append(bench.measure(subject, load))
            tails = ", ".join(f"{name} {each[-1].samples.latency_ms(95):.1f}" for name, each in rounds.items())
            bench.say(f"{PART}, round {number}, p95 in ms: {tails}")
    part = f"{PART}, {RATE} requests/s"
    latencies = [figure for name, those in rounds.items() for figure in percentiles(part, name, those)]
    spent = [costs(part, name, those)[0] for name, those in rounds.items()]
    return Findings(latencies + spent + compared(part, rounds, judged=False))
