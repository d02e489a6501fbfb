"""How long a request waits for a connection."""

from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Generic, TypeVar

from service.observability.context import INTERNAL, note_operation, operation_begins

_C = TypeVar("_C")


class Checkout(AbstractAsyncContextManager[_C], Generic[_C]):
    """The connection that `opening` gives; how long that took, or why it failed, is part of the request's trace.

    Where a pool is exhausted or a server is gone no statement would tell of it.
    """

    def __init__(self, opening: AbstractAsyncContextManager[_C]) -> None:
        self._opening = opening

    async def __aenter__(self) -> _C:
        """Take the connection. Raises SQLAlchemyError if there is none in time."""
        began = operation_begins()
        try:
            connection = await self._opening.__aenter__()
        except BaseException as error:
            note_operation(INTERNAL, "take a connection", began, error)
            raise
        note_operation(INTERNAL, "take a connection", began)
        return connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Give it back."""
        return await self._opening.__aexit__(kind, error, traceback)
