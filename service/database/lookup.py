"""Questions that are asked before the tenant is known."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnClause, Select, column, func, select
from sqlalchemy.sql.selectable import TableValuedAlias

from service.database.engine import Database
from service.database.statement import Statement
from service.database.types import AnyRow


class LookUp:
    """A question whose answer is the rows of `plain`; it is built once, and asked with other values each time.

    PostgreSQL's `function` (revision 007) answers the same with its owner's rights. SQLite, without row level
    security, executes `plain` itself. `parameters` are those of `plain`, in the order of the function's arguments.
    """

    def __init__(self, function: str, parameters: Sequence[BindParameter[Any]], plain: Select[Any]) -> None:
        self._names = [parameter.key for parameter in parameters]
        self._plain = Statement(plain)
        columns: list[ColumnClause[Any]] = [column(each.key, each.type) for each in plain.selected_columns if each.key]
        answer: TableValuedAlias = getattr(func, function)(*parameters).table_valued(*columns)
        self._call = Statement(select(answer))

    async def ask(self, database: Database, *values: Any) -> Sequence[AnyRow]:
        """The rows for these values of the parameters. Raises SQLAlchemyError."""
        statement = self._call if database.has_row_level_security else self._plain
        return await database.execute(statement, dict(zip(self._names, values, strict=True)))
