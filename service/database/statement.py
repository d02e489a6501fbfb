"""Statements that are built once and asked for often."""

from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import count
from typing import Any

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.types import TypeEngine

from service.database.types import AnyRow, Values

_DIALECT = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # SQLAlchemy's
_numbers = count(1)
_Conversion = Callable[[Any], Any] | None


class Statement:
    """A SELECT with bind parameters, compiled for PostgreSQL at its first use there, and how its values and rows read.

    `clause` is what SQLAlchemy executes where it is not PostgreSQL. `name` is what it is prepared under.
    """

    def __init__(self, clause: Select[Any]) -> None:
        self.clause = clause
        self.name = b"janua_%d" % next(_numbers)
        self._columns = list(clause.selected_columns)
        self._row = _row_of([str(column.key) for column in self._columns])

    @cached_property
    def text(self) -> str:
        """The statement in PostgreSQL's words."""
        return str(self._compiled)

    @cached_property
    def encoded(self) -> bytes:
        """The same as it is sent."""
        return self.text.encode()

    def arguments(self, values: Values) -> list[Any]:
        """The values of its parameters in their order, as psycopg takes them. KeyError if one is missing."""
        given = {**self._defaults, **values}
        return [convert(given[name]) if convert else given[name] for name, convert in self._parameters]

    def rows(self, found: Sequence[Sequence[Any]]) -> Sequence[AnyRow]:
        """Rows whose columns are read by name, of what psycopg has made of PostgreSQL's answer."""
        return [self._row._make(self._converted(row)) for row in found]

    @cached_property
    def _compiled(self) -> Any:
        return self.clause.compile(dialect=_DIALECT)

    @cached_property
    def _defaults(self) -> Values:
        """The values that are part of the statement."""
        return {name: bind.value for name, bind in self._compiled.binds.items() if not bind.required}

    @cached_property
    def _parameters(self) -> list[tuple[str, _Conversion]]:
        binds = self._compiled.binds
        return [(name, _of(binds[name].type).bind_processor(_DIALECT)) for name in self._compiled.positiontup]

    @cached_property
    def _conversions(self) -> dict[int, Callable[[Any], Any]]:
        """Of the columns that have one, by place."""
        found = (_of(column.type).result_processor(_DIALECT, None) for column in self._columns)
        return {place: convert for place, convert in enumerate(found) if convert}

    def _converted(self, row: Sequence[Any]) -> list[Any]:
        converted = list(row)
        for place, convert in self._conversions.items():
            converted[place] = convert(converted[place])
        return converted


def _row_of(names: Sequence[str]) -> Any:
    """The type of rows with these columns."""
    return namedtuple("Row", names)


def _of(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type as psycopg's dialect has it."""
    return kind.dialect_impl(_DIALECT)
