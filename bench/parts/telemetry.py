"""What telemetry costs a validation from memory: the same service with all of it, without traces, and silent, in turn.

Metrics are always counted: what alerts are made of cannot be switched off.

Processes of one program differ by some percent in what they spend, for as long as they live: seeds of hashes,
addresses. So the three are started anew again and again.
"""

from bench import targets
from bench.arithmetic import ratios
from bench.engine import Running
from bench.figures import Figure
from bench.load.closed import ClosedLoop
from bench.load.requests import Validations
from bench.measuring import Bench, Findings
from bench.parts.cpu import CONNECTIONS
from bench.parts.subjects import HOT, warm
from bench.rounds import Round, Subject, costs, over

PART = "telemetry of validations, closed loop"
SILENT = "service without traces and request lines"
WITHOUT_TRACES = "service without traces"
ALL = "service with traces and request lines"
_NO_LINES = {"log_level": "WARNING"}


def run(bench: Bench) -> Findings:
    """Measure all three in each round: the settings of a stack, with a Zipkin that takes the traces and without one."""
    rounds: dict[str, list[Round]] = {SILENT: [], WITHOUT_TRACES: [], ALL: []}
    with bench.stand.engine.scope():
        bench.stand.forget_copies()
        zipkin = bench.programs.zipkin()
        for number in range(1, bench.plan.telemetry_starts + 1):
            with bench.stand.engine.scope():
                subjects = _start(bench, number, zipkin)
                # There and back: a machine that slows down slows all alike.
                for subject in (*subjects, *reversed(subjects)):
                    load = ClosedLoop(subject.program.port, _validations(bench), CONNECTIONS, bench.plan.round_seconds)
                    rounds[subject.name].append(bench.measure(subject, load))
            spent = ", ".join(
                f"{name} {each[-2].total_cpu_us:.1f}, {each[-1].total_cpu_us:.1f}" for name, each in rounds.items()
            )
            bench.say(f"{PART}, start {number}, CPU µs per request: {spent}")
    cpu = {name: over(those, lambda each: each.total_cpu_us) for name, those in rounds.items()}
    compared = [
        Figure(PART, ALL, f"CPU, times that of {other}", "", ratios(cpu[ALL], cpu[other]), target)
        for other, target in ((SILENT, targets.TELEMETRY_OVER_NONE), (WITHOUT_TRACES, None))
    ]
    return Findings([*compared, *(figure for name, those in rounds.items() for figure in costs(PART, name, those))])


def _start(bench: Bench, number: int, zipkin: Running) -> list[Subject]:
    """Start the three, and let each see the users once."""
    sends = {"traces_url": f"http://127.0.0.1:{zipkin.port}/api/v2/spans"}
    subjects = [
        Subject(SILENT, bench.programs.service(f"silent-{number}", _NO_LINES)),
        Subject(WITHOUT_TRACES, bench.programs.service(f"without-traces-{number}")),
        Subject(ALL, bench.programs.service(f"with-traces-{number}", sends)),
    ]
    for subject in subjects:
        warm(bench, subject, _validations(bench))
    return subjects


def _validations(bench: Bench) -> Validations:
    return Validations(bench.stand.population, 0, HOT)
