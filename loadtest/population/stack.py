"""The population of a running stack: its seed, and the way to the stack's PostgreSQL."""

import psycopg
from docker.models.containers import Container

from infra.containers import PART_LABEL
from infra.operations import stacks
from infra.setup import secrets
from loadtest.population.seed import Connection, count_users
from loadtest.population.users import Population

SEED = "population"
"""The secret that a stack's population follows from, generated when it is first asked for."""
TENANTS = 20
_CONNECT_SECONDS = 5


class PopulationError(Exception):
    """The stack's database cannot be reached; the message says why."""


def population(stack: str, count: int) -> Population:
    """Return a population of `count` users in the stack's tenants."""
    return Population(secrets.ensure_one(secrets.stack_folder(stack) / SEED), count, TENANTS)


def seeded(stack: str) -> Population:
    """Return the population that the stack's database holds; PopulationError if it cannot be asked.

    A server that others run holds none: only the stack's own is ever seeded.
    """
    if not _servers(stack):
        return population(stack, 0)
    with connect(stack) as connection:
        return population(stack, count_users(connection, population(stack, 1)))


def connect(stack: str) -> Connection:
    """Return a superuser's connection to the stack's PostgreSQL, with autocommit; PopulationError if there is none.

    No port of it is published: this machine reaches it at the container's own address.
    """
    found = _servers(stack)
    if not found or found[0].status != "running":
        raise PopulationError(f"stack {stack} has no running PostgreSQL of its own: `make up` deploys it")
    host = stacks.address(found[0])
    password = secrets.read(stack)["database"]
    try:
        return psycopg.connect(
            host=host,
            user="janua",
            dbname="janua",
            password=password,
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
        )
    except psycopg.OperationalError as error:
        raise PopulationError(f"PostgreSQL of stack {stack} does not answer at {host}: {error}") from error


def _servers(stack: str) -> list[Container]:
    return [one for one in stacks.containers(stack) if one.labels[PART_LABEL] == "postgres"]
