"""Who tries to log in cannot tell from the time whether there is such a user, or whether the account is locked.

The test of it: logins of the three kinds and, of the wrong password, a second series, one of each in every round and
in a random order. The difference between the two series of the same kind is noise; how far its median may stray is
estimated by bootstrap (the 99.9 % interval of the median of as many differences drawn from it). The median
difference between kinds must stay within that. It is asked of the time that passes, and of the processor's time,
which a busy machine hardly disturbs: there the test must also be able to see a tenth of a hash.
"""

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness import PASSWORD
from tests.replicas import Replica, Seeder, replicas
from tests.servers import Database, Redis
from tests.wire import Wire, wires

pytestmark = pytest.mark.integration

ROUNDS = 150
FAILURES_ALLOWED = 10
BOOTSTRAPS = 4000
KINDS = ("wrong", "wrong again", "unknown", "locked")


async def test_unknown_wrong_and_locked_take_the_same_time(migrated: Database, redis: Redis, tmp_path: Path) -> None:
    seeder = Seeder(migrated, PASSWORD)
    tenant_id = seeder.default_tenant()
    # An account may fail nine times and is still not locked.
    users = seeder.users(2 * ROUNDS // (FAILURES_ALLOWED - 1) + 2, tenant_id)
    [locked] = seeder.users(1, tenant_id)
    choose = random.Random(11)  # noqa: S311 - an order, nothing secret
    spent: dict[str, list[Cost]] = {kind: [] for kind in KINDS}
    with replicas(1, migrated, redis, tmp_path) as [replica]:
        async with wires([replica.url]) as [wire]:
            for _ in range(FAILURES_ALLOWED):
                await failed_login(replica, wire, locked.email)
            hashes = replica.metric("janua_hashes_total")
            for number in range(ROUNDS):
                emails = {
                    "wrong": users[2 * (number // (FAILURES_ALLOWED - 1))].email,
                    "wrong again": users[2 * (number // (FAILURES_ALLOWED - 1)) + 1].email,
                    "unknown": f"nobody-{number}@seed.example.com",
                    "locked": locked.email,
                }
                for kind in choose.sample(KINDS, len(KINDS)):
                    spent[kind].append(await failed_login(replica, wire, emails[kind]))
            assert replica.metric("janua_hashes_total") - hashes == ROUNDS * len(KINDS)
    for clock in ("elapsed", "processor"):
        times = {kind: [getattr(cost, clock) for cost in costs] for kind, costs in spent.items()}
        noise = strays(differences(times["wrong again"], times["wrong"]))
        for kind in ("unknown", "locked"):
            difference = statistics.median(differences(times[kind], times["wrong"]))
            assert abs(difference) <= noise, f"{clock}, {kind}: {difference:.3f} ms, noise explains {noise:.3f} ms"
    assert noise < statistics.median(times["wrong"]) / 10


@dataclass(frozen=True)
class Cost:
    """Of one login, in milliseconds, as the service itself tells: the client's noise is left out."""

    elapsed: float
    processor: float


async def failed_login(replica: Replica, wire: Wire, email: str) -> Cost:
    body = {"email": email, "password": "not the password"}
    before = processor_milliseconds(replica)
    answer = await wire.request("POST", "/api/v1/auth/login", body=body)
    processor = processor_milliseconds(replica) - before
    assert answer.status == 401
    assert answer.json()["type"] == "urn:janua:problem:invalid-credentials"
    return Cost(float(answer.headers["x-response-time"][:-2]), processor)


def processor_milliseconds(replica: Replica) -> float:
    """What all threads of the process have had of the processors (proc(5), schedstat)."""
    files = Path(f"/proc/{replica.process.pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e6


def differences(first: Sequence[float], second: Sequence[float]) -> list[float]:
    return [a - b for a, b in zip(first, second, strict=True)]


def strays(same: Sequence[float]) -> float:
    """How far the median of such differences strays from nought in 999 of 1000 repetitions."""
    choose = random.Random(13)  # noqa: S311
    centred = [each - statistics.median(same) for each in same]
    medians = sorted(abs(statistics.median(choose.choices(centred, k=len(same)))) for _ in range(BOOTSTRAPS))
    return medians[int(0.999 * BOOTSTRAPS)] + abs(statistics.median(same))
