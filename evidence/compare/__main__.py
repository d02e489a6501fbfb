"""Compare the release with itself without its cache and indexes: `python -m evidence.compare [--users N] [--quick]`."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import docker
from pulumi import automation

from alerts import targets
from bench.images import release_image
from bench.load.generator import generator
from bench.machine import describe
from bench.measuring import Meter
from bench.results import new_folder
from evidence.compare.comparisons import comparisons
from evidence.compare.deployments import OPTIMIZED, PROFILES, DeploymentError, both
from evidence.compare.measure import measure
from evidence.compare.plan import QUICK, Plan
from evidence.compare.report import report
from evidence.compare.results import Result
from evidence.folders import RESULTS
from evidence.report.write import write
from infra.operations.leftovers import UnderWayError
from infra.progress import INTERRUPTED, Progress, end_as_by_ctrl_c

_say = Progress()


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy, measure, print the table; 1 if a promise is not kept or nothing was measured, 130 if interrupted."""
    options = _options(arguments)
    end_as_by_ctrl_c()
    plan = QUICK if options.quick else Plan()
    try:
        plan = replace(plan, users=options.users or plan.users)
        result, folder, file = _run(options.name, plan, is_quick=options.quick)
    except KeyboardInterrupt:
        print("interrupted: both deployments were taken down, and nothing was written", file=sys.stderr)
        return INTERRUPTED
    except DeploymentError as error:
        print(error, file=sys.stderr)
        return 1
    except (automation.CommandError, UnderWayError) as error:
        stacks = " and ".join(f"`make down STACK={options.name}-{profile}`" for profile in PROFILES)
        print(f"{error}\nWhat is left of the deployments is taken down by {stacks}.", file=sys.stderr)
        return 1
    print(result.text())
    print(f"Results: {folder}\nReport: {file}")
    return 1 if result.missed else 0


def _run(name: str, plan: Plan, *, is_quick: bool) -> tuple[Result, Path, Path]:
    client = docker.from_env()
    machine = describe(client, release_image(client))
    with both(name, plan.users, _say) as sides, generator() as load:
        started_at = time.time()
        measured = measure(sides, Meter(load, _say), plan)
        result = Result(machine, plan, is_quick, measured, comparisons(measured, targets.load()))
        folder = new_folder(RESULTS, "compare")
        result.write(folder)
        file = write(report(result, sides[OPTIMIZED], started_at, time.time()))
    return result, folder, file


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evidence.compare", description=__doc__)
    parser.add_argument("--users", type=int, help=f"users in each deployment, {Plan().users:,} if not given")
    parser.add_argument("--name", default="compare", help="what the names of the two stacks begin with")
    parser.add_argument("--quick", action="store_true", help="short rounds, for development: not for conclusions")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
