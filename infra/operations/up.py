"""`make up` after the set-up: `pulumi up`, then every URL, where the credentials are, and the gate's verdict."""

import argparse
import sys
import time
from typing import Any

from pulumi import automation

from infra.operations import leftovers, stacks
from infra.operations.timings import Timings
from infra.setup import secrets
from infra.setup.host import ROOT

URLS = ("api_url", "prometheus_url", "alertmanager_url", "grafana_url", "traces_url")


def main() -> int:
    """Deploy the stack and print what came of it; return 1 if the update failed."""
    parser = argparse.ArgumentParser(prog="infra.operations.up", description=__doc__)
    parser.add_argument("--stack", default="staging")
    name = parser.parse_args().stack
    stack = stacks.select(name)
    try:
        for line in leftovers.clear(stack):
            print(line, flush=True)
    except leftovers.UnderWayError as error:
        print(error, file=sys.stderr)
        return 1
    timings = Timings()
    started = time.monotonic()
    try:
        result = stack.up(on_output=lambda line: print(line, flush=True), on_event=timings.add, color="never")
    except automation.CommandError:
        # Pulumi has printed the reason above; what was serving before goes on serving.
        print(f"\n`pulumi up` of stack {name} FAILED after {time.monotonic() - started:.0f} s: see the errors above.")
        return 1
    print("\nTime of each step:", *timings.lines() or ["  nothing changed"], sep="\n")
    outputs = {key: output.value for key, output in result.outputs.items()}
    print(report(name, outputs))
    return 0


def report(stack: str, outputs: dict[str, Any]) -> str:
    """Return what a person wants to know of a running stack: where everything is, and whether it is fit to serve."""
    folder = secrets.stack_folder(stack).relative_to(ROOT)
    lines = [f"Stack {stack}, release {outputs['release']}", ""]
    lines += [f"  {key:<18} {outputs[key]}" for key in URLS]
    lines += [
        f"  {'admin_email':<18} {outputs['admin_email']}",
        f"  {'credentials':<18} {folder}/ (files of mode 600), or: pulumi stack output --show-secrets",
        "",
        gate_line(outputs["gate"]),
        f"  {'report':<18} {outputs['report'] or 'none: see the warnings above'}",
    ]
    if not outputs["grafana_url"].startswith("http"):
        lines += ["", f"ATTENTION: there is no Grafana: {outputs['grafana_url']}"]
    return "\n".join(["", *lines])


def gate_line(gate: dict[str, Any]) -> str:
    """Return the verdict with its figures, and its warnings, a line each."""
    figures = {key: value for key, value in gate["figures"].items() if not isinstance(value, dict)}
    told = ", ".join(f"{key} {_short(value)}" for key, value in figures.items())
    said = [f"OVERRIDDEN: {gate['override']}", *gate["reasons"]] if gate.get("override") else []
    said += [f"WARNING {warning}" for warning in gate["warnings"]]
    warnings = "".join(f"\n                     {line}" for line in said)
    return f"  gate               {gate['verdict'].upper()}\n                     {told}{warnings}"


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
