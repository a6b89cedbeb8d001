"""One condition for a list of any length, handed over as a single value.

`column IN (?, ?, …)` is another statement for each length: SQLAlchemy writes it, the driver prepares it and
the database plans it anew, which takes longer than finding the rows. Here the statement is always the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, String, any_, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession


def one_of(session: AsyncSession, column: Any, values: Iterable[int] | Iterable[str]) -> ColumnElement[bool]:
    """Give the condition that a column holds one of these values (https://sqlite.org/json1.html#jeach)."""
    some = list(values)
    if session.get_bind().dialect.name == "sqlite":
        each = func.json_each(literal(json.dumps(some), String)).table_valued("value")
        return column.in_(select(each.c.value))  # type: ignore[no-any-return] # of a column of any type
    return column == any_(bindparam(None, some, ARRAY(column.type), unique=True))  # type: ignore[no-any-return] # the same
