"""What becomes of a release that the gate refuses: its replicas are stopped, and keep their logs until the next look.

Left running, each would hold connections to PostgreSQL and have a say in every revocation, and every further refusal
would add as many.
"""

import contextlib
from collections.abc import Sequence

import docker as engine
import pulumi

from infra.containers import STOP_SECONDS
from infra.serving import serving


def stop(replicas: Sequence[str]) -> None:
    """Stop containers, by their ids, unless they serve: a release may be judged again while it does."""
    serves = serving(pulumi.get_stack())
    for replica in replicas:
        with contextlib.suppress(engine.errors.NotFound):
            container = engine.from_env().containers.get(replica)
            if not serves(container):
                container.stop(timeout=STOP_SECONDS)
