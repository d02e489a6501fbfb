"""The two deployments: stacks of the same release side by side, real in every part, and gone at the end."""

import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from docker.models.containers import Container
from pulumi import automation

from bench.cost import counter_file
from bench.engine import ADDRESS, Running, free_port
from bench.parts.deployment import Deployment
from infra.config import ROOT
from infra.containers import PART_LABEL
from infra.operations import leftovers, stacks
from infra.serving import REPLICA
from infra.setup import secrets
from infra.tiers.application import PORT
from infra.waiting import until_it_answers
from loadtest.population.seed import seed
from loadtest.population.stack import connect, population
from loadtest.population.users import Population

BASELINE, OPTIMIZED = "baseline", "optimized"
PROFILES = (BASELINE, OPTIMIZED)
_PORTS = ("apiPort", "prometheusPort", "alertmanagerPort", "grafanaPort", "tracesPort")
# Nothing but the profile and the ports differs. Neither sends traces, and nobody looks at a Grafana of theirs.
_SETTINGS = {"traces": "off", "grafana": "off", "smokeDuration": "15s"}
_SERVERS = ("postgres", "redis")
# How long an update that was interrupted may take to end.
_RELEASE_SECONDS = 60


class DeploymentError(RuntimeError):
    """A side could not be deployed; the message has the end of what the set-up or the engine said."""


@dataclass(frozen=True)
class Side:
    """One of the two: its stack's outputs, its containers, and who is in its database."""

    profile: str
    outputs: Mapping[str, Any]
    deployment: Deployment
    population: Population

    @property
    def port(self) -> int:
        """The port of its edge on 127.0.0.1."""
        return self.deployment.edge.port


@contextmanager
def both(name: str, users: int, say: Callable[[str], None]) -> Iterator[dict[str, Side]]:
    """Deploy the stacks NAME-baseline and NAME-optimized with so many users each; both are gone at the end.

    Raises DeploymentError if one cannot be deployed.
    """
    with ExitStack() as at_the_end:
        sides = {}
        for profile in PROFILES:
            stack = f"{name}-{profile}"
            at_the_end.enter_context(_stack(stack, say))
            sides[profile] = _deploy(stack, profile, users, say)
        yield sides


@contextmanager
def _stack(name: str, say: Callable[[str], None]) -> Iterator[None]:
    """Make a stack, and remove it with everything that it deployed; the selected one stays the selected one."""
    selected = stacks.selected()
    _require_idle(name)
    try:
        _run([sys.executable, "-m", "infra.setup", "--stack", name])
        yield
    finally:
        try:
            say(f"taking {name} down")
            _take_down(name)
            secrets.forget(name)
        finally:
            if selected:
                stacks.select(selected)


def _require_idle(name: str) -> None:
    """Raise DeploymentError where somebody else works on a stack of that name, which is theirs to take down."""
    with suppress(automation.StackNotFoundError):
        try:
            _clear(stacks.select(name))
        except leftovers.UnderWayError as error:
            raise DeploymentError(f"{error}; another comparison? --name gives this one a name of its own") from error


def _take_down(name: str) -> None:
    with suppress(automation.StackNotFoundError):
        # An update that was interrupted gives its lock back when Pulumi has ended.
        clear = partial(_clear, stacks.select(name))
        until_it_answers(clear, (leftovers.UnderWayError,), _RELEASE_SECONDS)
        stacks.remove(name)


def _clear(stack: automation.Stack) -> None:
    deque(leftovers.clear(stack), maxlen=0)


def _deploy(name: str, profile: str, users: int, say: Callable[[str], None]) -> Side:
    stack = stacks.select(name)
    ports = {key: str(free_port()) for key in _PORTS}
    for key, value in {**_SETTINGS, **ports, "profile": profile}.items():
        stack.set_config(f"janua:{key}", automation.ConfigValue(value))
    say(f"deploying {name}")
    try:
        for line in leftovers.clear(stack):
            say(f"{name}: {line}")
        result = stack.up(color="never")
    except leftovers.UnderWayError as error:
        raise DeploymentError(str(error)) from error
    except automation.CommandError as error:
        raise DeploymentError(f"{name} could not be deployed:\n{error}") from error
    everybody = population(name, users)
    with connect(name) as connection:
        seed(connection, everybody, lambda line: say(f"{name}: {line}"))
    outputs = {key: output.value for key, output in result.outputs.items() if not output.secret}
    return Side(profile, outputs, _containers(name, outputs), everybody)


def _containers(name: str, outputs: Mapping[str, Any]) -> Deployment:
    parts: dict[str, Container] = {one.labels[PART_LABEL]: one for one in stacks.in_service(name)}
    edge_port = int(str(outputs["api_url"]).rpartition(":")[2])
    replicas = sorted(part for part in parts if part.startswith(REPLICA))
    return Deployment(
        _running(parts["edge"], edge_port, ADDRESS),
        tuple(_running(parts[part], PORT) for part in replicas),
        {part: _running(parts[part], 0) for part in _SERVERS},
    )


def _running(container: Container, port: int, host: str = "") -> Running:
    return Running(container, port, counter_file(container.attrs["State"]["Pid"]), host or stacks.address(container))


def _run(command: list[str]) -> None:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode:
        raise DeploymentError(f"{' '.join(command)} failed:\n{(result.stdout + result.stderr)[-2000:]}")
