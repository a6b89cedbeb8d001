"""Whether everything in the database is in order: the file itself, the schema, and what must always hold."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, table, text
from sqlalchemy.exc import DatabaseError as DriverError
from sqlalchemy.ext.asyncio import AsyncSession

from db import schema
from db.engine import Database

_TABLES = ("feeds", "entries", "stories", "cases", "demands", "deliveries", "rules", "subscriptions")


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at: what was found, and whether it is as it must be."""

    what: str
    found: str
    ok: bool = True


# What must never be: a sentence that says what it means, and a query that counts it.
_NEVER = (
    (
        "deliveries that wait where nobody looks (no due time at their destination)",
        "SELECT count(*) FROM deliveries AS d LEFT JOIN destinations AS p ON p.target = d.target "
        "AND p.target_id = d.target_id WHERE d.state IN ('due', 'sending', 'failed') "
        "AND (p.target IS NULL OR (p.next_due IS NULL AND p.claimed_by IS NULL))",
    ),
    (
        "deliveries in a state that does not exist",
        "SELECT count(*) FROM deliveries "
        "WHERE state NOT IN ('due', 'sending', 'sent', 'failed', 'dead', 'skipped', 'review')",
    ),
    (
        "entries in a state that does not exist",
        "SELECT count(*) FROM entries WHERE state NOT IN ('new', 'read', 'failed')",
    ),
    (
        "stories in a case that was merged into another",
        "SELECT count(*) FROM stories AS s JOIN cases AS c ON c.id = s.case_id "
        "WHERE c.merged_into IS NOT NULL",
    ),
    (
        "demands in another case than their story",
        "SELECT count(*) FROM demands AS d JOIN stories AS s ON s.id = d.story_id "
        "WHERE coalesce(d.case_id, 0) <> coalesce(s.case_id, 0)",
    ),
    (
        "cases merged into one that is merged itself into the first",
        "SELECT count(*) FROM cases AS a JOIN cases AS b ON b.id = a.merged_into WHERE b.merged_into = a.id",
    ),
    (
        "relevant stories that no search finds",
        "SELECT count(*) FROM stories AS s WHERE s.relevant AND NOT EXISTS "
        "(SELECT 1 FROM story_search AS f WHERE f.{id} = s.id)",
    ),
)


async def check(database: Database) -> list[Checked]:
    """Look at everything; reads the whole database, and changes nothing."""
    found = [await _schema(database)]
    async with database.read() as session:
        try:
            if database.is_sqlite:
                found += await _file(session)
            if found[0].ok:
                found += [await _never(session, database.is_sqlite, *one) for one in _NEVER]
                found.append(await _counts(session))
        except DriverError as error:
            said = " ".join(str(error.orig).split())[:200]
            found.append(Checked("reading", f"the database cannot be read to its end ({said})", ok=False))
    return found


async def _schema(database: Database) -> Checked:
    current = await schema.current(database)
    if current == schema.head():
        return Checked("schema", current)
    todo = "`quash db upgrade`" if schema.is_known(current) else "update the program"
    return Checked("schema", f"{current or 'none'}, this program needs {schema.head()}: {todo}", ok=False)


async def _file(session: AsyncSession) -> list[Checked]:
    damage = [str(row[0]) for row in await session.execute(text("PRAGMA integrity_check(5)"))]
    orphans = list(await session.execute(text("PRAGMA foreign_key_check")))
    of = ", ".join(sorted({str(row[0]) for row in orphans}))
    return [
        Checked("integrity", "; ".join(damage), ok=damage == ["ok"]),
        Checked(
            "references", f"{len(orphans)} rows refer to nothing ({of})" if orphans else "ok", not orphans
        ),
    ]


async def _never(session: AsyncSession, sqlite: bool, what: str, query: str) -> Checked:
    statement = query.format(id="rowid" if sqlite else "story_id")
    count = int((await session.execute(text(statement))).scalar_one())
    return Checked(what, str(count) if count else "none", ok=count == 0)


async def _counts(session: AsyncSession) -> Checked:
    counts = [
        (await session.execute(select(func.count()).select_from(table(name)))).scalar_one()
        for name in _TABLES
    ]
    return Checked("stored", ", ".join(f"{n} {table}" for n, table in zip(counts, _TABLES, strict=True)))
