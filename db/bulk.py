"""The same statement for many rows, handed to the driver at once.

SQLAlchemy makes a dictionary of parameters for each row anew, which takes longer than the database takes
to store it. Here a statement is compiled once, and each row becomes the tuple that the driver wants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Insert, Update
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.ext.asyncio import AsyncSession

T = TypeVar("T")
AT_ONCE = 200  # rows or values in one statement: bounded, so that building it never holds the loop

_Process = Callable[[Any], Any]


def parts(rows: Sequence[T]) -> Iterable[Sequence[T]]:
    """Cut a long list into parts that one statement takes."""
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]


class Bulk:
    """An INSERT or UPDATE that is carried out for many rows. Build it once; it keeps what it compiled.

    `statement` names its values by `bindparam`; rows are mappings that hold all these names.
    """

    def __init__(self, statement: Insert | Update) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, tuple[tuple[str, _Process | None], ...]]] = {}

    async def run(self, session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
        """Carry it out within the session's transaction."""
        connection = await session.connection()
        text, columns = self._for(connection.dialect)
        for part in parts(rows):
            await connection.exec_driver_sql(text, _tuples(part, columns))

    def _for(self, dialect: Dialect) -> tuple[str, tuple[tuple[str, _Process | None], ...]]:
        found = self._compiled.get(dialect.name)
        if found is None:
            compiled = self._statement.compile(dialect=dialect)
            columns = tuple(
                (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
                for name in compiled.positiontup or ()
            )
            found = self._compiled[dialect.name] = (str(compiled), columns)
        return found


def _tuples(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[tuple[str, _Process | None]]
) -> list[tuple[Any, ...]]:
    """Give the rows as the driver wants them, column by column."""
    values = []
    for name, process in columns:
        column = [row[name] for row in rows]
        values.append(column if process is None else _processed(column, process))
    return list(zip(*values, strict=True))


def _processed(column: Sequence[Any], process: _Process) -> list[Any]:
    """Convert values; times repeat within a batch (most are "now"), and each is converted once."""
    known: dict[datetime, Any] = {}
    converted = []
    for value in column:
        if type(value) is not datetime:
            converted.append(process(value))
            continue
        if value not in known:
            known[value] = process(value)
        converted.append(known[value])
    return converted
