"""Lists page by page: a cursor says after which item the next page begins (keyset pagination)."""

import base64
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, Self, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from service.problems import FieldError, invalid_fields

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
_MAX_CURSOR = 200

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many items a page has at most.")]
Cursor = Annotated[
    str | None,
    Query(max_length=_MAX_CURSOR, pattern=r"^[A-Za-z0-9_-]+$", description="`next_cursor` of the page before."),
]


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = Field(description="Where the next page begins; null at the end.", examples=[None])

    @classmethod
    def cut(cls, found: Sequence[T], limit: int, key: Callable[[T], str]) -> Self:
        """A page of at most `limit` items; one more must have been looked for. `key` says where an item stands."""
        items = list(found[:limit])
        return cls(items=items, next_cursor=encode_cursor(key(items[-1])) if len(found) > limit else None)


def encode_cursor(key: str) -> str:
    """A key as clients see it: opaque, safe in a URL."""
    return base64.urlsafe_b64encode(key.encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> str:
    """The key of a cursor. Problems: 422 if it is none of ours."""
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        raise invalid_cursor() from None


def invalid_cursor() -> Exception:
    """The answer to a cursor that no page has given."""
    return invalid_fields(FieldError(field="cursor", location="query", message="is no cursor of this list"))


def _id_cursor(cursor: Cursor = None) -> UUID | None:
    if cursor is None:
        return None
    try:
        return UUID(decode_cursor(cursor))
    except ValueError:
        raise invalid_cursor() from None


IdCursor = Annotated[UUID | None, Depends(_id_cursor)]
"""The cursor of a list whose items are ordered by their ids."""
