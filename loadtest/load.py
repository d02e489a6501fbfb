"""The k6 suite against the running stack: `python -m loadtest.load TYPE [--rate N] [--duration D]`.

Its users are the stack's population, if it has one, and its figures go to the stack's Prometheus, if that takes them.
Becomes loadtest/run-tests.sh, whose exit code it has then: 0 when every threshold holds, 99 when one does not.
"""

import argparse
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any, NoReturn

import psycopg
from docker.errors import DockerException
from pulumi import automation

from infra.config import ROOT
from infra.operations import stacks
from infra.setup.host import LOCAL
from loadtest.population.stack import PopulationError, seeded

TYPES = ("smoke", "load", "stress", "spike", "soak")
SCRIPT = ROOT / "loadtest" / "run-tests.sh"
RESULTS = ROOT / "loadtest" / "results"
_WRITE = "/api/v1/write"
_TIMEOUT_SECONDS = 5


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Become the script; SystemExit with the reason where there is no stack to send load to."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.load", description=__doc__)
    parser.add_argument("type", choices=TYPES)
    parser.add_argument("--stack", default="staging")
    parser.add_argument("--rate", help="iterations a second at the profile's peak, instead of its virtual users")
    parser.add_argument("--duration", help="how long the whole profile lasts instead of its own length, such as 90s")
    options = parser.parse_args(arguments)
    outputs = deployed(options.stack)
    if "prometheus_url" not in outputs:
        sys.exit(f"no load is sent: stack {options.stack} is not deployed: `make up` deploys it")
    try:
        people = population(options.stack)
    except (PopulationError, psycopg.Error, DockerException) as error:
        sys.exit(f"no load is sent: {error}")
    given = {"RATE": options.rate, "DURATION": options.duration}
    settings = {name: value for name, value in given.items() if value}
    # The seed is in the environment, never on the command line, which whoever lists processes can read. Signals and
    # the exit code are the script's own from here on.
    environment = {**os.environ, **addresses(outputs), **trust(options.stack, outputs), **people, **settings}
    os.execve(SCRIPT, [str(SCRIPT), options.type], environment)  # noqa: S606 - no shell is wanted


def deployed(stack: str) -> dict[str, Any]:
    """Return the outputs of a stack; none if there is no such stack, or nothing of it was deployed."""
    try:
        return stacks.outputs(stacks.select(stack), with_secrets=False)
    except automation.StackNotFoundError:
        return {}


def addresses(outputs: dict[str, Any]) -> dict[str, str]:
    """Return where requests and figures go, as the environment names it."""
    found = {"BASE_URL": str(outputs["api_url"])}
    prometheus = str(outputs["prometheus_url"])
    if not takes_figures(prometheus):
        print(f"k6's figures are not written to {prometheus}: it takes none (see loadtest/README.md)", flush=True)
        return found
    return {**found, "K6_PROMETHEUS_RW_SERVER_URL": f"{prometheus}{_WRITE}"}


def trust(stack: str, outputs: dict[str, Any]) -> dict[str, str]:
    """Return by what k6 knows the edge, as the environment names it; nothing where the edge speaks no TLS."""
    if not outputs.get("api_certificate"):
        return {}
    file = LOCAL / f"{stack}.pem"
    file.write_text(str(outputs["api_certificate"]))
    return {"SSL_CERT_FILE": str(file)}


def takes_figures(prometheus: str) -> bool:
    """Tell whether a Prometheus lets others write: it has the address then, and complains of nothing being written."""
    request = urllib.request.Request(f"{prometheus}{_WRITE}", data=b"", method="POST")  # noqa: S310 - of our own stack
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        return error.code == 400
    except OSError:
        return False


def population(stack: str) -> dict[str, str]:
    """Return the stack's population as the environment names it, nothing if it has none; errors as `seeded` has."""
    found = seeded(stack)
    if not found.count:
        return {}
    return {
        "POPULATION_SEED": found.seed,
        "POPULATION_COUNT": str(found.count),
        "POPULATION_TENANTS": str(found.tenants),
    }


if __name__ == "__main__":
    main()
