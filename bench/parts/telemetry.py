"""What telemetry costs a validation from memory: the same service with all of it, without traces, and silent, in turn.

Metrics are always counted: what alerts are made of cannot be switched off.
"""

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

PART = "telemetry of validations, closed loop"
SILENT = "service without traces and request lines"
WITHOUT_TRACES = "service without traces"
ALL = "service with traces and request lines"
_NO_LINES = {"log_level": "WARNING"}
_WARM_SECONDS = 30


def run(bench: Bench) -> Findings:
    """Measure all three in each round: the settings of a stack, with a Zipkin that takes the traces and without one."""
    validations = Validations(bench.stand.population, 0, HOT)
    with bench.stand.engine.scope():
        bench.stand.forget_copies()
        zipkin = bench.programs.zipkin()
        sends = {"traces_url": f"http://127.0.0.1:{zipkin.port}/api/v2/spans"}
        started = [
            Subject(SILENT, bench.programs.service("silent", _NO_LINES)),
            Subject(WITHOUT_TRACES, bench.programs.service("without-traces")),
            Subject(ALL, bench.programs.service("with-traces", sends)),
        ]
        for subject in started:
            each = replace(validations, draw="in turn")
            bench.generator.run(ClosedLoop(subject.program.port, each, 4, _WARM_SECONDS, requests=HOT))
        rounds: dict[str, list[Round]] = {subject.name: [] for subject in started}
        for number in range(1, bench.plan.telemetry_rounds + 1):
            # Every other round goes backwards: a machine that slows down slows all alike.
            for subject in started if number % 2 else reversed(started):
                load = ClosedLoop(subject.program.port, validations, CONNECTIONS, bench.plan.round_seconds)
                rounds[subject.name].append(bench.measure(subject, load))
            spent = ", ".join(f"{name} {each[-1].total_cpu_us:.1f}" for name, each in rounds.items())
            bench.say(f"{PART}, round {number}, CPU µs per request: {spent}")
    cpu = {name: over(those, lambda each: each.total_cpu_us) for name, those in rounds.items()}
    compared = [
        Figure(PART, ALL, f"CPU, times that of {other}", "", ratios(cpu[ALL], cpu[other]), target)
        for other, target in ((SILENT, targets.TELEMETRY_OVER_NONE), (WITHOUT_TRACES, None))
    ]
    return Findings([*compared, *(figure for name, those in rounds.items() for figure in costs(PART, name, those))])
