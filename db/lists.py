"""One condition for a list of any length, handed over as a single value.

`column IN (?, ?, …)` is another statement for each length: SQLAlchemy writes it, the driver prepares it and
the database plans it anew, which takes longer than finding the rows. Here the statement is always the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, String, any_, bindparam, func, select, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession


def one_of(session: AsyncSession, column: Any, values: Iterable[int] | Iterable[str]) -> ColumnElement[bool]:
    """Give the condition that a column holds one of these values."""
    sqlite = is_sqlite(session)
    return among(sqlite, column, bindparam(None, as_one(sqlite, values), unique=True))


def among(sqlite: bool, column: Any, value: BindParameter[Any]) -> ColumnElement[bool]:
    """Give the same for a value that `as_one` makes later (https://sqlite.org/json1.html#jeach)."""
    if sqlite:
        each = func.json_each(type_coerce(value, String)).table_valued("value")
        return column.in_(select(each.c.value))  # type: ignore[no-any-return] # of a column of any type
    return column == any_(type_coerce(value, ARRAY(column.type)))  # type: ignore[no-any-return] # the same


def as_one(sqlite: bool, values: Iterable[int] | Iterable[str]) -> Any:
    """Give many values as the one that is handed over."""
    some = list(values)
    return json.dumps(some) if sqlite else some


def is_sqlite(session: AsyncSession) -> bool:
    """Tell which of the two databases is asked."""
    return session.get_bind().dialect.name == "sqlite"
