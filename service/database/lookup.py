"""Questions that are asked before the tenant is known."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnClause, ColumnElement, Select, column, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import TableValuedAlias

from service.database.types import AnyRow


async def look_up(
    connection: AsyncConnection, function: str, arguments: Sequence[ColumnElement[Any]], plain: Select[Any]
) -> Sequence[AnyRow]:
    """The rows of `plain`, which is what PostgreSQL's `function` (revision 007) answers with its owner's rights.

    SQLite, without row level security, executes `plain` itself.
    """
    rows: Sequence[AnyRow]
    if connection.dialect.name != postgresql.dialect.name:
        rows = (await connection.execute(plain)).all()
        return rows
    columns: list[ColumnClause[Any]] = [column(each.key, each.type) for each in plain.selected_columns if each.key]
    answer: TableValuedAlias = getattr(func, function)(*arguments).table_valued(*columns)
    rows = (await connection.execute(select(answer))).all()
    return rows
