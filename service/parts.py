"""The parts of the application that `create_app` has put together, for its routes."""

from typing import Annotated, Any

from fastapi import Depends, Request

from service.observability.metrics import Metrics


def part(name: str) -> Any:
    """The dependency of a route that needs `app.state.<name>`."""

    async def find(request: Request) -> Any:
        return getattr(request.app.state, name)

    return Depends(find)


Measured = Annotated[Metrics, part("metrics")]
"""The metrics, for a route that measures something itself or shows them."""
