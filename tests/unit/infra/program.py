"""Pulumi programs under mocks."""

import asyncio
import json
import runpy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pulumi
from pulumi.runtime import mocks

from infra.config import ENCRYPTED, ROOT
from tests.unit.infra.test_config import MINIMAL

CONTAINER = "docker:index/container:Container"
IMAGE = "docker:index/remoteImage:RemoteImage"
NETWORK = "docker:index/network:Network"
VERDICT = {"verdict": "pass", "reasons": [], "warnings": [], "figures": {"k6_requests": 1}}


@dataclass
class Engine(mocks.Mocks):
    """Answers like an engine in which every step succeeds, and remembers what it was asked for."""

    resources: list[mocks.MockResourceArgs] = field(default_factory=list)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.resources.append(args)
        outputs: dict[str, Any] = {"name": f"janua-{args.name}", **args.inputs}
        if args.typ == CONTAINER:
            outputs |= {"exitCode": 0, "containerLogs": f"VERDICT {json.dumps(VERDICT)}\n"}
        if args.typ == IMAGE:
            outputs["imageId"] = f"sha256:{args.name}"
        return f"{args.name}-id", outputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        raise AssertionError(f"the program asks for nothing, but called {args.token}")

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        return {args.name: args.inputs for args in self.resources if args.typ == kind}


def run_program(
    program: Callable[[], None], config: Mapping[str, str] | None = None, plain: Sequence[str] = ()
) -> Engine:
    """Run a program with a configuration of the namespace `janua`; return the engine that it talked to.

    What has to be encrypted is, except for what is given as `plain`.
    """
    engine = Engine()
    # Pulumi's test harness takes the thread's event loop, which other tests may have closed and put away.
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(engine, project="janua", stack="test")
    given = {f"janua:{key}": value for key, value in (config or {}).items()}
    pulumi.runtime.set_all_config(given, [f"janua:{key}" for key in ENCRYPTED if key not in plain])

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> None:
        program()

    # Both ask the real engine.
    with patch("infra.hardening.processes._limit"), patch("infra.readiness._wait"):
        run()
    asyncio.get_event_loop().close()
    return engine


def deploy(
    changes: Mapping[str, str],
    transformation: Callable[[pulumi.ResourceTransformationArgs], None] | None = None,
    plain: Sequence[str] = (),
) -> Engine:
    """Run the project's program with `changes` beside the minimal settings; return the engine that it talked to."""

    def program() -> None:
        if transformation:
            pulumi.runtime.register_stack_transformation(transformation)
        runpy.run_path(str(ROOT / "infra" / "__main__.py"), run_name="__main__")

    return run_program(program, {**MINIMAL, **changes}, plain)
