"""Lists page by page: a cursor says after which item the next page begins (keyset pagination)."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, Self, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, Field

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
# Hexadecimal digits: whatever has so many of them is a place in the list, even if no item stands there.
ID_DIGITS = 32

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many items a page has at most.")]


def cursor_parameter(digits: int) -> Any:
    """The query parameter of a cursor with that many hexadecimal digits."""
    return Query(pattern=f"^[0-9a-f]{{{digits}}}$", description="`next_cursor` of the page before.")


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = Field(description="Where the next page begins; null at the end.", examples=[None])

    @classmethod
    def cut(cls, found: Sequence[T], limit: int, key: Callable[[T], str]) -> Self:
        """A page of at most `limit` items; one more must have been looked for. `key` says where an item stands."""
        items = list(found[:limit])
        return cls(items=items, next_cursor=key(items[-1]) if len(found) > limit else None)


async def _id_cursor(cursor: Annotated[str | None, cursor_parameter(ID_DIGITS)] = None) -> UUID | None:
    return None if cursor is None else UUID(hex=cursor)


IdCursor = Annotated[UUID | None, Depends(_id_cursor)]
"""The cursor of a list whose items are ordered by their ids."""
