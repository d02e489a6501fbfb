"""A thousand users at a time, each with a login, a connection and a pause after each answer."""

from bench import targets
from bench.figures import Figure
from bench.load.crowd import Crowd
from bench.load.requests import LOGIN, VALIDATE
from bench.measuring import Bench, Findings
from bench.parts.deployment import deploy, measure_accounted
from bench.parts.hashing import hash_ms, hashes_per_second
from bench.rounds import costs, percentiles

_PAUSE_SECONDS = 1
# While the last ones arrive most of the others validate already.
_ROOM = 2


def run(bench: Bench) -> Findings:
    """Let them work."""
    users, seconds = targets.CONCURRENT_USERS, bench.plan.crowd_seconds
    with bench.stand.engine.scope():
        deployment = deploy(bench)
        bench.say(f"{users:,} users for {seconds:.0f} s")
        arriving = _ROOM * users / hashes_per_second(hash_ms(bench))
        load = Crowd(deployment.edge.port, bench.stand.population, users, _PAUSE_SECONDS, arriving, seconds)
        found = measure_accounted(bench, deployment, load)
    part = f"{users:,} users, {_PAUSE_SECONDS} s of thought, {seconds:.0f} s"
    rounds, samples = [found.round], found.round.samples
    return Findings(
        [
            *percentiles(part, "validations", rounds, kind=VALIDATE, p95=targets.CROWD_VALIDATION_P95_MS),
            Figure(part, "all requests", "errors", "%", [samples.error_percent()], targets.ERROR_PERCENT),
            *percentiles(part, "logins", rounds, kind=LOGIN),
            Figure(part, "all requests", "rate", "1/s", [samples.rate()]),
            *costs(part, "all requests", rounds),
        ]
    )
