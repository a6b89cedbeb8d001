"""What can go wrong with the database, each said in one sentence.

`db` imports nothing of the other rooms, so these are not `QuashError`s by birth: `bot.app` and
`bot.cli` turn a `DatabaseError` into the line that a person reads.
"""

from __future__ import annotations


class DatabaseError(Exception):
    """What was asked of the database cannot be done; the message is one sentence that says why."""


class DatabaseUnavailableError(DatabaseError):
    """It cannot be opened or reached."""


class AddressError(DatabaseUnavailableError):
    """`DATABASE_URL` is no address of a database: trying again will not help."""


class SchemaError(DatabaseError):
    """Its schema is newer than this program, or older and not to be upgraded by itself."""
