"""Runs the benchmark: `python -m bench`, or parts of it: `python -m bench --only cpu,edge --quick`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.engine import engine
from bench.figures import all_hold
from bench.images import packages, release_image
from bench.load.generator import generator
from bench.machine import describe
from bench.measuring import QUICK, Bench, Findings, Plan
from bench.parts import cpu, crowd, edge, latency, login, mixed, outage, telemetry
from bench.programs import Programs
from bench.results import Run, draw, new_folder
from bench.stand import prepare, stand
from infra.progress import INTERRUPTED, Progress, end_as_by_ctrl_c

PARTS: dict[str, Callable[[Bench], Findings]] = {
    "cpu": cpu.run,
    "telemetry": telemetry.run,
    "latency": latency.run,
    "login": login.run,
    "edge": edge.run,
    "mixed": mixed.run,
    "crowd": crowd.run,
    "outage": outage.run,
}

_say = Progress()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the results; 1 if a target is missed, 130 if interrupted."""
    options = _options(arguments)
    end_as_by_ctrl_c()
    try:
        run, folder = _run(options)
    except KeyboardInterrupt:
        print("interrupted: nothing is left running, and nothing was written", file=sys.stderr)
        return INTERRUPTED
    print(run.text())
    print(f"Results, table and picture: {folder}")
    return 0 if all_hold(run.findings.figures) else 1


def _run(options: argparse.Namespace) -> tuple[Run, Path]:
    """Measure all parts on one stand, and write the results."""
    plan, findings = QUICK if options.quick else Plan(), Findings()
    with engine() as docker, stand(docker, _say) as servers, generator() as load:
        _say("building the release image of this checkout, unless it is there")
        programs = Programs(servers, options.image or release_image(docker.client), packages())
        machine = describe(docker.client, programs.release)
        prepare(servers, programs.release, programs.make_tables, _say)
        for name in options.only:
            _say(f"part {name}")
            findings.add(PARTS[name](Bench(load, _say, servers, programs, plan)))
        run, folder = Run(machine, plan, options.quick, findings), new_folder()
        run.write(folder)
        draw(docker, programs.release, programs.packages, folder)
    return run, folder


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", type=_parts, default=list(PARTS), help=f"parts to run, of {','.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="short rounds, for development: not for conclusions")
    parser.add_argument("--image", help="a release image to measure instead of this checkout's")
    return parser.parse_args(arguments)


def _parts(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - PARTS.keys():
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return names


if __name__ == "__main__":
    sys.exit(main())
