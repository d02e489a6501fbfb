"""What a part is given to measure with, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bench.figures import Figure
from bench.load.generator import Generator, Load
from bench.load.samples import Samples
from bench.programs import Programs
from bench.rounds import Round, Subject
from bench.stand import Stand


@dataclass(frozen=True)
class Plan:
    """How many rounds there are and how long they last, in seconds."""

    rounds: int = 5
    round_seconds: float = 5
    warm_seconds: float = 0.5
    telemetry_starts: int = 8
    latency_rounds: int = 3
    latency_seconds: float = 6
    edge_seconds: float = 12
    mixed_seconds: float = 60
    crowd_seconds: float = 300
    outage_seconds: float = 60
    around_outage_seconds: float = 30


QUICK = Plan(3, 2, 0.5, 2, 2, 3, 4, 15, 90, 15, 10)


@dataclass(frozen=True)
class Meter:
    """Sends load and reads what it costs; `say` prints a line of progress."""

    generator: Generator
    say: Callable[[str], None]

    def measure(self, subject: Subject, load: Load, *, tolerates_errors: bool = False) -> Round:
        """Run a load, and read what it cost; a round with answers that were not right is invalid unless tolerated."""
        before = subject.cpu_seconds()
        samples = self.generator.run(load)
        spent = {name: seconds - before[name] for name, seconds in subject.cpu_seconds().items()}
        is_right = samples.not_right() == 0
        if not is_right or samples.is_late():
            self.say(f"  {subject.name}: {_trouble(samples)}")
        cpu_us = {name: 1e6 * seconds / max(1, samples.count()) for name, seconds in spent.items()}
        return Round(samples, cpu_us, (is_right or tolerates_errors) and not samples.is_late())


@dataclass(frozen=True)
class Bench(Meter):
    """A meter with a stand, and what runs on that."""

    stand: Stand
    programs: Programs
    plan: Plan


@dataclass
class Findings:
    """Figures, and curves to draw: columns of equal length by name."""

    figures: list[Figure] = field(default_factory=list)
    curves: dict[str, list[float]] = field(default_factory=dict)

    def add(self, other: "Findings") -> None:
        """Take over what another part found."""
        self.figures += other.figures
        self.curves |= other.curves


def _trouble(samples: Samples) -> str:
    answers = ", ".join(f"{count} {kind} answered {status}" for (kind, status), count in samples.statuses.items())
    counts = f"{samples.late_percent():.1f} % sent late, {samples.not_right()} not right of: {answers}"
    return f"{counts}; the first: {samples.first_not_right}" if samples.first_not_right else counts
