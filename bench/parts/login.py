"""What a login costs beside its hash, and how long it takes; against fastapi-users, interleaved."""

from dataclasses import dataclass, field, replace
from statistics import median

from bench import targets
from bench.figures import Figure
from bench.load.closed import ClosedLoop
from bench.load.open import OpenLoop
from bench.load.requests import Logins
from bench.measuring import Bench, Findings
from bench.parts.hashing import CPUS, OWN, USUAL, hash_ms, hashes_per_second
from bench.rounds import Round, Subject, costs, over, percentiles

PART = "login"
# Users who log in, apart from those whose tokens are validated.
FIRST, LAST = 1000, 50_000
_CONNECTIONS = 64


@dataclass
class _Measured:
    """One program, and the rounds that were measured of it."""

    subject: Subject
    logins: Logins
    closed: list[Round] = field(default_factory=list)
    open: list[Round] = field(default_factory=list)

    def measure(self, bench: Bench) -> None:
        """As many logins at a time as there are processors."""
        load = ClosedLoop(self.subject.program.port, self.logins, CPUS, bench.plan.round_seconds)
        self.closed.append(bench.measure(self.subject, load))

    def measure_at(self, bench: Bench, rate: float) -> None:
        """Logins at a constant rate."""
        load = OpenLoop(self.subject.program.port, self.logins, _CONNECTIONS, rate, bench.plan.latency_seconds)
        self.open.append(bench.measure(self.subject, load))

    def figures(self, rate: float) -> list[Figure]:
        """What the rounds gave."""
        name = self.subject.name
        return [
            *costs(PART, name, self.closed),
            Figure(PART, name, "throughput", "1/s", over(self.closed, lambda each: each.samples.rate())),
            *percentiles(f"{PART}, open loop, {rate:.0f} requests/s", name, self.open),
        ]


def run(bench: Bench) -> Findings:
    """Measure the hash alone and each program in each round, then the programs at a rate that leaves room."""
    with bench.stand.engine.scope():
        hashes: dict[str, list[float]] = {USUAL: [], OWN: []}
        programs = _start(bench)
        for number in range(1, bench.plan.rounds + 1):
            for library, measured in hashes.items():
                measured.append(hash_ms(bench, library))
            for each in programs:
                each.measure(bench)
            spent = ", ".join(f"{each.subject.name} {each.closed[-1].total_cpu_us / 1000:.1f}" for each in programs)
            bench.say(f"{PART}, round {number}, CPU ms: hash {hashes[USUAL][-1]:.1f}, {spent}")
        rate = round(hashes_per_second(median(hashes[USUAL])))
        for _ in range(bench.plan.latency_rounds):
            for each in programs:
                each.measure_at(bench, rate)
    alone = [Figure(PART, f"hash alone, {library}", "CPU per hash", "ms", each) for library, each in hashes.items()]
    figures = [*(_beside_the_hash(programs[0], library, each) for library, each in hashes.items()), *alone]
    return Findings(figures + [figure for each in programs for figure in each.figures(rate)])


def _start(bench: Bench) -> list[_Measured]:
    servers = {"postgres": bench.stand.postgres, "redis": bench.stand.redis}
    logins = Logins(bench.stand.population, FIRST, LAST)
    service = Subject("service", bench.programs.service("login"), servers)
    others = Subject("fastapi-users, database", bench.programs.fastapi_users(), servers)
    return [_Measured(service, logins), _Measured(others, replace(logins, path="/database/login", form=True))]


def _beside_the_hash(service: _Measured, library: str, hashes: list[float]) -> Figure:
    """What a login costs more than a hash; the target is meant beside the usual library's."""
    spent = over(service.closed, lambda each: each.total_cpu_us / 1000)
    beside = [cpu_ms - hashed for cpu_ms, hashed in zip(spent, hashes, strict=True)]
    target = targets.LOGIN_OVER_HASH_MS if library == USUAL else None
    return Figure(PART, "service", f"CPU beside the hash of {library}", "ms", beside, target)
