"""Small facts that the program keeps for itself, by name."""

from __future__ import annotations

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.feed_tables import NoteRow

_PUT = text(
    "INSERT INTO notes (name, value) VALUES (:name, :value) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


async def get(session: AsyncSession, name: str) -> str | None:
    """Give a note, None where there is none."""
    return await session.scalar(select(NoteRow.value).where(NoteRow.name == name))


async def put(session: AsyncSession, name: str, value: str) -> None:
    """Write a note down, over what stood there; also where somebody else does so at this moment."""
    await session.execute(_PUT, {"name": name, "value": value})


async def drop(session: AsyncSession, prefix: str) -> None:
    """Take away all notes whose names begin so."""
    await session.execute(delete(NoteRow).where(NoteRow.name.startswith(prefix, autoescape=True)))


async def named(session: AsyncSession, prefix: str) -> dict[str, str]:
    """Give all notes whose names begin so."""
    found = await session.execute(
        select(NoteRow.name, NoteRow.value).where(NoteRow.name.startswith(prefix, autoescape=True))
    )
    return {row.name: row.value for row in found}


async def remove(session: AsyncSession, name: str) -> None:
    """Take a note away."""
    await session.execute(delete(NoteRow).where(NoteRow.name == name))
