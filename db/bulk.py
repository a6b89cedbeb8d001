"""The same statement for many rows, handed to the driver at once.

SQLAlchemy makes a dictionary of parameters for each row anew, which takes longer than the database takes
to store it. Here a statement is compiled once, and each row becomes the tuple that the driver wants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Insert, Update
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.ext.asyncio import AsyncSession

T = TypeVar("T")
AT_ONCE = 200  # rows or values in one statement: bounded, so that building it never holds the loop
_ROWS_AT_ONCE = 1000  # rows handed to the driver in one go: some 2 ms of work

_Process = Callable[[Any], Any]


def parts(rows: Sequence[T], at_once: int = AT_ONCE) -> Iterable[Sequence[T]]:
    """Cut a long list into parts that one statement takes."""
    for start in range(0, len(rows), at_once):
        yield rows[start : start + at_once]


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
        for part in parts(rows, _ROWS_AT_ONCE):
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
    """Give the rows as the driver wants them, converted column by column."""
    values = ((list(map(itemgetter(name), rows)), process) for name, process in columns)
    return list(
        zip(
            *(column if process is None else _processed(column, process) for column, process in values),
            strict=True,
        )
    )


def _processed(column: Sequence[Any], process: _Process) -> list[Any]:
    """Convert values; those that repeat within a batch (most times are "now") are converted once."""
    try:
        known = {value: process(value) for value in set(column)}
    except TypeError:  # values without a hash: JSON
        return [process(value) for value in column]
    return [known[value] for value in column]
