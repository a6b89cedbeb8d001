"""What is stored about a person: the columns of `db.tables.PERSONAL`, to show, export and forget."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, CursorResult, Table, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import PERSONAL, Base

_AT_ONCE = 200  # rows between two turns of the event loop
# Of these others may have changed the rest since, who need not tell it to whoever made the row.
_TOLD_OF = {"rules": ("id", "guild_id", "created_by", "created_at")}


async def count_about(session: AsyncSession, user_id: int) -> dict[str, int]:
    """Count the rows that name a person, by table; tables without one are left out."""
    found: dict[str, int] = {}
    for (name, column), _ in PERSONAL.items():
        table = Base.metadata.tables[name]
        if number := await _count(session, table, _names(table, column, user_id)):
            found[name] = found.get(name, 0) + number
    return found


async def rows_about(session: AsyncSession, user_id: int) -> dict[str, list[dict[str, Any]]]:
    """Give the rows that name a person, by table, as values that JSON knows (times in ISO 8601)."""
    found: dict[str, list[dict[str, Any]]] = {}
    for (name, column), _ in PERSONAL.items():
        table = Base.metadata.tables[name]
        columns: list[Column[Any]] = [table.c[told] for told in _TOLD_OF.get(name, table.c.keys())]
        rows = await session.stream(
            select(*columns).where(_names(table, column, user_id)).order_by(*table.primary_key.columns)
        )
        async for part in rows.mappings().partitions(_AT_ONCE):
            told = found.setdefault(name, [])
            told += [{str(key): _plain(value) for key, value in row.items()} for row in part]
            await asyncio.sleep(0)
    return found


async def forget(session: AsyncSession, user_id: int) -> int:
    """Delete or clear all that names a person; gives how many rows that were."""
    changed = 0
    for (name, column), how in PERSONAL.items():
        table = Base.metadata.tables[name]
        where = _names(table, column, user_id)
        gone = delete(table) if how == "delete" else update(table).values({column: None})
        result = await session.execute(gone.where(where))
        changed += cast("CursorResult[Any]", result).rowcount  # counted before, all would be read twice
    return changed


async def _count(session: AsyncSession, table: Table, where: ColumnElement[bool]) -> int:
    return (await session.execute(select(func.count()).select_from(table).where(where))).scalar_one()


def _names(table: Table, column: str, user_id: int) -> ColumnElement[bool]:
    """Give the condition that a row names this person; ids of channels stand in `target_id` too."""
    mine = table.c[column] == user_id
    return and_(mine, table.c.target == "user") if column == "target_id" else mine


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
