"""The dashboards: the overview says whether the targets hold, the others where it comes from."""

import json
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard

from alerts.metrics import API_ROUTES, AUTH_ROUTES, REQUEST_LATENCY, TENANT_REQUESTS
from alerts.rule_files import Links
from alerts.targets import Targets
from dashboards import uids
from dashboards.board import Board, routes, tenants_of
from dashboards.rows import (
    availability,
    budgets,
    cache,
    containers,
    figures,
    gate,
    host,
    load,
    load_costs,
    queries,
    redis,
    releases,
    revocation,
    route_figures,
    server,
    statements,
    tenants,
    traces,
    work,
)

COUNTED = f"{REQUEST_LATENCY}_count"


def dashboards(targets: Targets, links: Links) -> dict[str, dashboard.Dashboard]:
    """Return every dashboard by its file's name; thresholds are the targets, `links` lead to the runbooks."""
    boards = [
        _overview(targets, links),
        _cache(targets),
        _database(targets),
        _hosts(),
        _deployments(targets),
        _load(targets),
    ]
    return {f"{board.uid.removeprefix('janua-')}.json": board.build() for board in boards}


def texts(targets: Targets, links: Links) -> dict[str, str]:
    """Return every dashboard as JSON by its file's name."""
    encoder = JSONEncoder(sort_keys=True, indent=2)
    return {name: f"{encoder.encode(board)}\n" for name, board in dashboards(targets, links).items()}


def documents(targets: Targets, links: Links) -> dict[str, dict[str, Any]]:
    """Return every dashboard as the object that its JSON is, by its file's name."""
    return {name: json.loads(text) for name, text in texts(targets, links).items()}


def _overview(targets: Targets, links: Links) -> Board:
    return Board(
        uids.OVERVIEW,
        "Janua overview",
        "Do the targets hold, and if not, which route, tenant, tier or dependency is it?",
        {
            "Targets": figures.lines(targets, links),
            "Error budgets": budgets.lines(targets, links),
            "Availability": availability.lines(links),
            "Routes": route_figures.lines(targets),
            "Tenants": tenants.lines(targets),
            "Work": work.lines(),
            "Traces": traces.lines(),
        },
        [routes(COUNTED, API_ROUTES), tenants_of(TENANT_REQUESTS)],
    )


def _cache(targets: Targets) -> Board:
    return Board(
        uids.CACHE,
        "Janua cache",
        "How much the cache answers, tier by tier, and how fast a revocation holds in every replica.",
        {"Look-ups": cache.lines(targets), "Revocation": revocation.lines(), "Redis": redis.lines()},
    )


def _database(targets: Targets) -> Board:
    return Board(
        uids.DATABASE,
        "Janua database",
        "What requests ask of PostgreSQL, whether indexes answer it, and which statements take the time.",
        {
            "Requests": queries.lines(targets),
            "Server": server.lines(),
            "Tables and indexes": statements.tables(),
            "Statements": statements.lines(),
        },
        [routes(COUNTED, AUTH_ROUTES)],
    )


def _hosts() -> Board:
    return Board(
        uids.HOSTS,
        "Janua hosts and containers",
        "What the machine has left, and which part of the stack takes it.",
        {"Host": host.lines(), "Containers": containers.lines()},
    )


def _deployments(targets: Targets) -> Board:
    return Board(
        uids.DEPLOYMENTS,
        "Janua deployments",
        "Which release serves, what the gate measured before it let it, and how each does under the same traffic.",
        {"Releases": releases.lines(targets), "Gate": gate.lines(targets)},
    )


def _load(targets: Targets) -> Board:
    return Board(
        uids.LOAD,
        "Janua load test",
        "What k6 sees of a load test beside what the service says, and what it costs. Empty but for the service's own "
        "figures where `make load` has not run.",
        {"k6 and the service": load.lines(targets), "Costs": load_costs.lines(targets)},
    )
