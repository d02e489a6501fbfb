"""The replicas that are to be judged, as Prometheus names them."""

import json
import re
import socket
from dataclasses import dataclass

from alerts.metrics import BUILD_INFO


@dataclass(frozen=True)
class Candidates:
    """The release, and the `instance` label (`ip:port`) of each of its replicas that is to be judged.

    The release alone would not do: who goes back to a release that still serves has replicas of it twice.
    """

    release: str
    instances: tuple[str, ...]

    @property
    def build_info(self) -> str:
        """Return the PromQL selector of one series for each candidate, to join others with."""
        # PromQL quotes and escapes strings as JSON does.
        instances = json.dumps("|".join(re.escape(instance) for instance in self.instances))
        return f"{BUILD_INFO}{{release={json.dumps(self.release)},instance=~{instances}}}"


def resolve(addresses: str) -> tuple[str, ...]:
    """Return `ip:port` for each `host:port` of a comma-separated list. Raises ValueError for one that is none."""
    return tuple(_resolve(address.strip()) for address in addresses.split(","))


def _resolve(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"REPLICAS must be a list of host:port, not {address!r}")
    try:
        return f"{socket.gethostbyname(host)}:{port}"
    except OSError as error:
        raise ValueError(f"the replica {host} has no address: {error}") from error
