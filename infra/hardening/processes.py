"""The limit of a container's processes, which the engine knows and Pulumi's provider does not."""

import asyncio
from http import HTTPStatus

import docker as engine
import pulumi
from pulumi import Output

PROCESSES = 256
"""How many processes and threads a part that serves may have: several times what the largest was seen to have."""
USER_PROCESSES = 4096
"""How many a container's user may have on this machine, in all its containers: that is set before it starts."""


_ATTEMPTS = 20
_PAUSE_SECONDS = 0.25


def limit_processes(container_id: Output[str]) -> Output[None]:
    """Limit the processes of a container that has been made; it keeps the limit when it is restarted.

    What is returned is there when it is done. requests.HTTPError if the engine refuses.
    """
    return container_id.apply(_limit)


async def _limit(container_id: str) -> None:
    """Limit them, again where the engine fails: it does for one whose process has just ended, until it notices."""
    if pulumi.runtime.is_dry_run():
        return
    client = engine.from_env().api
    address = f"{client.base_url}/v{client.api_version}/containers/{container_id}/update"
    for _ in range(_ATTEMPTS):
        answer = await asyncio.to_thread(client.post, address, json={"PidsLimit": PROCESSES})
        # Removed already: by who waits for it and says why.
        if answer.ok or answer.status_code == HTTPStatus.NOT_FOUND:
            return
        await asyncio.sleep(_PAUSE_SECONDS)
    answer.raise_for_status()
