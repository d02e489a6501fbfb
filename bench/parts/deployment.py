"""The service as a stack deploys it: replicas behind the edge."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bench import scrape
from bench.engine import Running
from bench.load.closed import ClosedLoop
from bench.load.generator import Load
from bench.load.requests import Validations
from bench.measuring import Bench, Meter
from bench.rounds import Round, Subject

_WARM_CONNECTIONS = 32
_WARM_SECONDS = 250


@dataclass(frozen=True)
class Deployment:
    """The edge, the replicas behind it, and the servers behind those by their names."""

    edge: Running
    replicas: tuple[Running, ...]
    servers: Mapping[str, Running]

    def account(self) -> scrape.Account:
        """What the replicas say of themselves now."""
        return scrape.read(self.replicas)

    def redis_hits(self) -> list[float]:
        """How many validations each replica has found in Redis; a replica that has lost it finds none."""
        return [scrape.read([replica]).redis_hits() for replica in self.replicas]


def deploy(bench: Bench, redis_port: int | None = None) -> Deployment:
    """Start two replicas with an empty cache, and the edge in front of them."""
    bench.stand.forget_copies()
    programs = bench.programs
    replicas = tuple(programs.service(f"service-{number}", redis_port=redis_port) for number in (1, 2))
    servers = {"postgres": bench.stand.postgres, "redis": bench.stand.redis}
    return Deployment(programs.edge(replicas), replicas, servers)


def warm(bench: Bench, port: int, users: int) -> None:
    """Validate the tokens of the first users once each."""
    each = Validations(bench.stand.population, 0, users, draw="in turn")
    bench.generator.run(ClosedLoop(port, each, _WARM_CONNECTIONS, _WARM_SECONDS, requests=users))


@dataclass(frozen=True)
class Accounted:
    """A round, and what the replicas counted in it."""

    round: Round
    requests: float
    queries: float
    hits: float
    validations: float

    @property
    def hit_rate_percent(self) -> float:
        """How many of a hundred validations were found in the cache; NaN without any."""
        return 100 * self.hits / self.validations if self.validations else math.nan

    @property
    def queries_per_request(self) -> float:
        """Statements for each request; NaN without any."""
        return self.queries / self.requests if self.requests else math.nan


def measure_accounted(meter: Meter, deployment: Deployment, load: Load, path: str | None = None) -> Accounted:
    """Run a load through the edge; requests and queries are those of a path, or of the whole API."""
    replicas = {f"replica {number}": replica for number, replica in enumerate(deployment.replicas, start=1)}
    before = deployment.account()
    subject = Subject("edge", deployment.edge, {**deployment.servers, **replicas})
    measured = meter.measure(subject, load, tolerates_errors=True)
    after = deployment.account()
    return Accounted(
        measured,
        after.requests(path) - before.requests(path),
        after.queries(path) - before.queries(path),
        after.hits() - before.hits(),
        after.requests(scrape.VALIDATE_PATH) - before.requests(scrape.VALIDATE_PATH),
    )
