"""`python3 -m infra.setup [--stack NAME]`: all the set-up, idempotent, with the time of each step."""

import argparse
import sys
import time
from functools import partial

from infra.images.table import buildable
from infra.setup import browser, engine, images, python_env, secrets, stack, toolchain
from infra.setup.steps import Step, run

FOR_TESTS = [Step("browser", browser.ensure)]


def steps(stack_name: str) -> list[Step]:
    """Return every step with what it needs; those that need nothing of each other run side by side."""
    tools = ("python", "pulumi CLI", "language host", "docker plugin")
    stand_ins = [
        # k6's binary comes with the Python environment.
        Step(f"image {name}", partial(images.ensure_stand_in, name), ("debian base", "python"))
        if name == "k6"
        else Step(f"image {name}", partial(images.ensure_stand_in, name), ("debian base",))
        for name in buildable()
    ]
    return [
        Step("pulumi CLI", toolchain.ensure_cli),
        Step("language host", toolchain.ensure_language_host, ("pulumi CLI",)),
        # One after the other: the two share most of what they compile.
        Step("docker plugin", toolchain.ensure_docker_plugin, ("pulumi CLI",)),
        Step("docker engine", engine.ensure),
        Step("secrets", partial(secrets.ensure, stack_name)),
        Step("python", python_env.ensure),
        Step("image source", partial(_probe, stack_name), ("docker engine",)),
        Step("debian base", images.ensure_base, ("image source",)),
        *stand_ins,
        Step("image runtime", images.ensure_runtime, ("image python", "image source")),
        Step("stack", partial(stack.ensure, stack_name), ("image source", "secrets", *tools)),
    ]


def _probe(stack_name: str) -> str:
    present = stack.configured(stack_name)
    source = present.get("images")
    return images.probe(
        present.get("registryMirror", ""),
        present.get("grafanaImage"),
        "registry" if source == "registry" else "debian" if source == "debian" else None,
    )


def main() -> int:
    """Run the set-up; return 1 if a step failed, after telling which and what to do."""
    parser = argparse.ArgumentParser(prog="infra.setup", description=__doc__)
    parser.add_argument("--stack", default="staging")
    parser.add_argument("--only", metavar="STEP", help="run this one step")
    parser.add_argument("--tests", action="store_true", help="also what only the tests need")
    options = parser.parse_args()
    everything = [*steps(options.stack), *(FOR_TESTS if options.tests else [])]
    wanted = [step for step in everything if options.only in (None, step.name)]
    started = time.monotonic()
    print(f"Setting up (stack {options.stack}); steps as they end:", flush=True)
    outcomes = run(wanted)
    failed = [outcome for outcome in outcomes if outcome.error]
    print(f"Set-up took {time.monotonic() - started:.1f} s.")
    for outcome in failed:
        print(f"\nset-up: {outcome.name}: {outcome.error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
