"""A copy of a SQLite database while it is in use, by SQLite's own backup
(https://sqlite.org/backup.html), opened and checked before it gets its name."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from db.engine import Database
from db.errors import DatabaseError


class BackupError(DatabaseError):
    """The copy cannot be made: says why."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that was made: its size in bytes, its schema, and how many stories are in it."""

    size: int
    schema: str
    stories: int


def back_up(database: Database, file: Path) -> Copied:
    """Copy the database to a new file; blocks for as long as reading it takes. Raises `BackupError`.

    Everything is read in one transaction: the copy is the database as it was at the beginning, and in WAL
    mode nobody who writes meanwhile waits for it. Until it is whole and checked it is called `FILE.part`.
    """
    source = Path(database.url.database or "")
    if not database.is_sqlite:
        raise BackupError("This copies SQLite files; for PostgreSQL use pg_dump.")
    if not source.is_file():
        raise BackupError(f"There is no database {source} to copy; DATABASE_URL names another file.")
    if not file.name:
        raise BackupError(f"{file} is a folder; name a file for the copy.")
    if not file.parent.is_dir():
        raise BackupError(f"There is no folder {file.parent} to copy to; make it first.")
    part = file.with_name(file.name + ".part")
    for taken in (file, part):
        if taken.exists():
            raise BackupError(f"{taken} is there already and is not overwritten; name another file.")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # it names people
        _copy(source, part)
        copied = _checked(part)
        if file.exists():
            raise BackupError(f"{file} has come into being meanwhile and is not overwritten.")
        part.rename(file)
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"The copy could not be made ({error}); nothing is left of it.") from error
    finally:
        for left in (part, part.with_name(part.name + "-wal"), part.with_name(part.name + "-shm")):
            left.unlink(missing_ok=True)
    return copied


def _copy(source: Path, part: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as one,
        contextlib.closing(sqlite3.connect(part)) as other,
    ):
        one.execute("PRAGMA busy_timeout = 15000")
        one.backup(other)  # all pages in one step: in several, each write meanwhile begins it anew
    with part.open("rb") as written:
        os.fsync(written.fileno())


def _checked(part: Path) -> Copied:
    with contextlib.closing(sqlite3.connect(part)) as copy:
        found = str(copy.execute("PRAGMA integrity_check(1)").fetchone()[0])
        if found != "ok":
            raise BackupError(f"The copy is damaged ({found}), so the database may be; run `quash db check`.")
        schema = str(copy.execute("SELECT version_num FROM alembic_version").fetchone()[0])
        stories = int(copy.execute("SELECT count(*) FROM stories").fetchone()[0])
    return Copied(part.stat().st_size, schema, stories)
