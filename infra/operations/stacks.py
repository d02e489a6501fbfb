"""The stack, through Pulumi's Automation API: the same engine, state and configuration as the CLI's."""

import os
from typing import Any

import docker
from docker.models.containers import Container
from pulumi import automation

from infra.containers import PART_LABEL, STACK_LABEL
from infra.serving import REPLICA, serving
from infra.setup import stack as setup
from infra.setup.host import ROOT


def select(name: str) -> automation.Stack:
    """Return the existing stack `name`; raise automation.StackNotFoundError if there is none."""
    return automation.select_stack(name, work_dir=str(ROOT), opts=_options())


def selected() -> str | None:
    """Return the name of the stack that plain `pulumi` commands work on, if there is one."""
    current = automation.LocalWorkspace(work_dir=str(ROOT), env_vars=_options().env_vars).stack()
    return current.name if current else None


def remove(name: str) -> None:
    """Destroy a stack's resources, then the stack itself and its configuration."""
    stack = select(name)
    stack.destroy(color="never")
    stack.workspace.remove_stack(name)


def address(container: Container) -> str:
    """Return where this machine reaches a container, whether it publishes a port or not."""
    networks = container.attrs["NetworkSettings"]["Networks"].values()
    return str(next(network["IPAddress"] for network in networks))


def _options() -> automation.LocalWorkspaceOptions:
    variables = setup.environment()
    # The Automation API looks for the CLI on this process's own PATH.
    os.environ.update(variables)
    return automation.LocalWorkspaceOptions(env_vars=variables)


def outputs(stack: automation.Stack, *, with_secrets: bool) -> dict[str, Any]:
    """Return the outputs by name; the secret ones are left out unless `with_secrets`."""
    return {name: output.value for name, output in stack.outputs().items() if with_secrets or not output.secret}


def settings(name: str) -> dict[str, str]:
    """Return the plain settings of a stack without the namespace; the encrypted ones are left out."""
    found = select(name).get_all_config()
    prefix = f"{setup.NAMESPACE}:"
    return {key.removeprefix(prefix): entry.value for key, entry in found.items() if not entry.secret}


def containers(name: str) -> list[Container]:
    """Return every part of stack `name`, stopped ones and its steps included; not what only carries their files."""
    labels = [f"{STACK_LABEL}={name}", PART_LABEL]
    found: list[Container] = docker.from_env().containers.list(all=True, filters={"label": labels})
    return found


def in_service(name: str) -> list[Container]:
    """Return the parts without the replicas of a release that does not serve."""
    serves = serving(name)
    return [one for one in containers(name) if not one.labels[PART_LABEL].startswith(REPLICA) or serves(one)]
