"""What traces cost a validation from memory: the same service with and without them, in turn."""

from dataclasses import replace

from bench import targets
from bench.arithmetic import ratios
from bench.figures import Figure
from bench.load.closed import ClosedLoop
from bench.load.requests import Validations
from bench.measuring import Bench, Findings
from bench.parts.cpu import CONNECTIONS
from bench.parts.subjects import HOT
from bench.rounds import Round, Subject, costs, over

PART = "traces of validations, closed loop"
WITHOUT = "service without traces"
WITH = "service with traces"
_WARM_SECONDS = 30


def run(bench: Bench) -> Findings:
    """Measure both in each round: the settings of a stack, with a Zipkin that takes the traces and without one."""
    validations = Validations(bench.stand.population, 0, HOT)
    with bench.stand.engine.scope():
        bench.stand.forget_copies()
        zipkin = bench.programs.zipkin()
        sends = {"traces_url": f"http://127.0.0.1:{zipkin.port}/api/v2/spans"}
        started = [
            Subject(WITHOUT, bench.programs.service("without-traces")),
            Subject(WITH, bench.programs.service("with-traces", sends)),
        ]
        for subject in started:
            each = replace(validations, draw="in turn")
            bench.generator.run(ClosedLoop(subject.program.port, each, 4, _WARM_SECONDS, requests=HOT))
        rounds: dict[str, list[Round]] = {subject.name: [] for subject in started}
        for number in range(1, bench.plan.tracing_rounds + 1):
            # Each is the first of the two in every other round: a machine that slows down slows both alike.
            for subject in started if number % 2 else reversed(started):
                load = ClosedLoop(subject.program.port, validations, CONNECTIONS, bench.plan.round_seconds)
                rounds[subject.name].append(bench.measure(subject, load))
            spent = ", ".join(f"{name} {each[-1].total_cpu_us:.1f}" for name, each in rounds.items())
            bench.say(f"{PART}, round {number}, CPU µs per request: {spent}")
    cpu = {name: over(those, lambda each: each.total_cpu_us) for name, those in rounds.items()}
    cost = Figure(
        PART, WITH, f"CPU, times that of {WITHOUT}", "", ratios(cpu[WITH], cpu[WITHOUT]), targets.TRACES_OVER_NONE
    )
    return Findings([cost, *(figure for name, those in rounds.items() for figure in costs(PART, name, those))])
