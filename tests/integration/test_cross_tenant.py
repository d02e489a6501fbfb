"""A hundred tenants, each of whose administrators tries to reach the others through every route that takes an id."""

import random
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from service.app import create_app
from service.settings import Settings
from tests.harness import PASSWORD
from tests.replicas import SeededSession, Seeder, replicas
from tests.servers import Database, Redis
from tests.wire import Wire, in_parallel, wires

pytestmark = pytest.mark.integration

TENANTS = 100
PROBES = 10_000
# Every route with an id in its path, and every parameter that names somebody.
ID_PATHS = {
    ("GET", "/api/v1/users/{user_id}"),
    ("PATCH", "/api/v1/users/{user_id}"),
    ("GET", "/api/v1/users/{user_id}/roles"),
    ("PUT", "/api/v1/users/{user_id}/roles"),
    ("DELETE", "/api/v1/auth/sessions/{session_id}"),
}


@dataclass(frozen=True)
class Probe:
    """One attempt: what is asked, and which statuses say that nothing was found."""

    method: str
    path: str
    refused: int
    body: Any = None
    tenant: str | None = None


def probes_of(victim: SeededSession, slug: str) -> list[Probe]:
    user, session = f"/api/v1/users/{victim.user.id}", f"/api/v1/auth/sessions/{victim.id}"
    return [
        Probe("GET", user, 404),
        Probe("PATCH", user, 404, {"name": "Taken over"}),
        Probe("GET", f"{user}/roles", 404),
        Probe("PUT", f"{user}/roles", 404, {"roles": ["auditor"]}),
        Probe("DELETE", session, 404),
        Probe("GET", f"/api/v1/audit-logs?user_id={victim.user.id}", 200),
        Probe("GET", f"/api/v1/users?cursor={victim.user.id.hex}", 200),
        # Naming the other tenant makes the token worthless instead of opening its doors.
        Probe("GET", user, 401, tenant=slug),
        Probe("DELETE", session, 401, tenant=slug),
    ]


def test_the_probes_cover_every_route_with_an_id() -> None:
    document = create_app(Settings()).openapi()
    routes = {(m.upper(), path) for path, methods in document["paths"].items() for m in methods if "{" in path}
    assert routes == ID_PATHS


def fingerprint(database: Database) -> list[tuple[Any, ...]]:
    """What must not change: every row of every tenant, the audit trail too, for nothing has happened."""
    tables = ("tenants", "users", "user_roles", "sessions", "rotated_tokens", "login_failures", "audit_logs")
    with database.connect("postgres") as connection:
        query = "SELECT count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} t"
        return [(table, *(connection.execute(query.format(table)).fetchone() or ())) for table in tables]


async def test_no_probe_sees_or_changes_a_row(migrated: Database, redis: Redis, tmp_path: Path) -> None:
    seeder = Seeder(migrated, PASSWORD)
    admins = [seeder.users(1, tenant_id, role="tenant-admin")[0] for tenant_id in seeder.tenants(TENANTS)]
    sessions = seeder.sessions(admins)
    before = fingerprint(migrated)
    choose = random.Random(5)  # noqa: S311 - who probes whom, nothing secret
    outcomes: Counter[tuple[str, int]] = Counter()
    wrong: list[tuple[Probe, int, bytes]] = []

    async def probe(wire: Wire, prober: SeededSession, victim: SeededSession, attempt: Probe) -> None:
        extra = {"X-Tenant": attempt.tenant} if attempt.tenant else {}
        answer = await wire.request(attempt.method, attempt.path, prober.token, attempt.body, extra)
        outcomes[attempt.method, answer.status] += 1
        seen = victim.user.email.encode() in answer.body or str(victim.user.id).encode() in answer.body
        if answer.status != attempt.refused or seen:
            wrong.append((attempt, answer.status, answer.body))

    plan = []
    for number in range(PROBES):
        mine, theirs = choose.sample(range(TENANTS), 2)
        attempts = probes_of(sessions[theirs], f"t{theirs + 1}")
        plan.append((sessions[mine], sessions[theirs], attempts[number % len(attempts)]))
    with replicas(2, migrated, redis, tmp_path) as pair:
        async with wires([replica.url for replica in pair]) as clients:
            await in_parallel([partial(probe, clients[n % 2], *each) for n, each in enumerate(plan)])
            # That the probes were real ones: on one's own tenant they find what they look for.
            own = sessions[0]
            assert (await clients[0].request("GET", f"/api/v1/users/{own.user.id}", own.token)).status == 200
            assert own.user.email.encode() in (await clients[1].request("GET", "/api/v1/users", own.token)).body
    assert wrong == []
    assert sum(outcomes.values()) == PROBES
    assert fingerprint(migrated) == before
