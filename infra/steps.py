"""Run-to-completion steps of a deployment: what fails here fails `pulumi up`, with the step's log."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import docker as engine
import pulumi
import pulumi_docker as docker
from pulumi import Output, Resource, ResourceOptions

from infra import refusal
from infra.containers import ContainerArgs, run
from infra.images.table import content_hash

INPUTS_LABEL = "com.janua.inputs"
LOG_TAIL_LINES = 40
Witness = Callable[[int, str], None]
"""Is told the exit code and the log of a step that has ended."""


@dataclass(frozen=True)
class Outcome:
    """How a step ended, and by their ids the containers that a failure removes or stops."""

    exit_code: int | None
    log: str | None
    to_repeat: Sequence[str] = ()
    to_stop: Sequence[str] = ()


@dataclass(frozen=True)
class Step:
    """A step: its log, and `passed`, what a later resource depends on to start only after success.

    Depending on the container itself would not do: the engine calls it created when it has exited, however.
    """

    container: docker.Container
    log: Output[str]
    passed: Output[Resource]


def step(  # noqa: PLR0913 - what it is, and who has to do with it
    name: str,
    args: ContainerArgs,
    inputs: str,
    opts: ResourceOptions,
    *,
    judges: Sequence[Step] = (),
    replicas: Sequence[docker.Container] = (),
    witness: Witness = lambda _code, _log: None,
    must_succeed: bool = True,
) -> Step:
    """Run a container once for each value of `inputs` (what the step's outcome depends on).

    A non-zero exit fails the update with the end of the log in the message, and removes the container, so that the next
    update runs the step again: and with it the steps that it `judges`, whose results would only be refused once more or
    are over. The `replicas` of a release that it refuses are stopped. The `witness` is told how it ended, before a
    failure stops the update. What need not succeed (`must_succeed`) fails no update.
    """
    labelled = replace(args, labels={**args.labels, INPUTS_LABEL: content_hash(inputs)})
    container = run(name, labelled, opts)
    to_repeat = Output.all(container.id, *(judged.container.id for judged in judges))
    to_stop = Output.all(*(replica.id for replica in replicas))
    outcome = Output.all(container.exit_code, container.container_logs, to_repeat, to_stop)
    log = outcome.apply(lambda ended: _require_success(name, witness, Outcome(*ended), must_succeed=must_succeed))
    return Step(container=container, log=log, passed=log.apply(lambda _: container))


def _require_success(name: str, witness: Witness, outcome: Outcome, *, must_succeed: bool = True) -> str:
    log = outcome.log or ""
    if pulumi.runtime.is_dry_run():
        return log
    witness(outcome.exit_code or 0, log)
    if not (outcome.exit_code and must_succeed):
        return log
    for container_id in outcome.to_repeat:
        remove(container_id)
    refusal.stop(outcome.to_stop)
    tail = "\n".join(log.splitlines()[-LOG_TAIL_LINES:])
    raise pulumi.RunError(f"step '{name}' failed with exit code {outcome.exit_code}; the end of its log:\n{tail}")


def remove(container_id: str) -> None:
    """Remove a container, so that the next update makes it anew; one that is gone is fine."""
    with contextlib.suppress(engine.errors.NotFound):
        engine.from_env().containers.get(container_id).remove(v=True, force=True)
