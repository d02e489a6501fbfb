"""The limit of a container's processes, which the engine knows and Pulumi's provider does not."""

import docker as engine
import pulumi
from pulumi import Output

PROCESSES = 256
"""How many processes and threads a part that serves may have: several times what the largest was seen to have."""
USER_PROCESSES = 4096
"""How many a container's user may have on this machine, in all its containers: that is set before it starts."""


def limit_processes(container_id: Output[str]) -> None:
    """Limit the processes of a container that has been made; it keeps the limit when it is restarted."""
    container_id.apply(_limit)


def _limit(container_id: str) -> None:
    if pulumi.runtime.is_dry_run():
        return
    client = engine.from_env().api
    address = f"{client.base_url}/v{client.api_version}/containers/{container_id}/update"
    client.post(address, json={"PidsLimit": PROCESSES}).raise_for_status()
