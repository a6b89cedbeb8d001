"""The command line: argparse in, a command's module called, an exit status out.

This module imports nothing heavy: `--version` and `--help` answer at once, and each command imports
what it needs when it is called (`bot.commands`).
"""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from bot import __version__
from bot.errors import QuashError, UsageError

_DESCRIPTION = (
    "Quash watches the news for demands for people's data and for surveillance, and tells those who asked."
)


class _Parser(argparse.ArgumentParser):
    """Says a usage error in one line with what to do, and ends with status 2."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="quash", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"quash {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    run = commands.add_parser("run", help="the bot itself")
    run.add_argument(
        "--role", choices=("all", "gateway", "worker"), default="all", help="what this process does"
    )

    preview = commands.add_parser("preview", help="check feeds and show the posts that `run` would make")
    preview.add_argument(
        "feeds", nargs="*", metavar="FEED", help="addresses or files (default: the bundled list)"
    )
    preview.add_argument("--limit", type=_count, metavar="N", help="show the newest N (default: 10 posts)")
    preview.add_argument("--html", type=Path, metavar="FILE", help="write the posts as a web page")
    preview.add_argument("--json", action="store_true", help="one JSON object a story on standard output")
    preview.add_argument(
        "--replay",
        type=Path,
        metavar="FILE|FOLDER",
        help="count what 90 days of stories (JSON lines, as `analyse --jsonl` takes) would bring",
    )

    analyse = commands.add_parser("analyse", help="what the program makes of articles")
    analyse.add_argument("articles", nargs="*", metavar="FILE|URL|-", help="HTML or plain text")
    analyse.add_argument("--json", action="store_true", help="one JSON object a story")
    analyse.add_argument("--jsonl", action="store_true", help="many at once: JSON lines in, JSON lines out")

    feeds = commands.add_parser("feeds", help="the operator's own view of the feeds")
    verbs = feeds.add_subparsers(dest="verb", metavar="VERB", required=True)
    verbs.add_parser("list", help="all feeds with their state and next look")
    add = verbs.add_parser("add", help="add feeds by address")
    add.add_argument("urls", nargs="+", metavar="URL")
    remove = verbs.add_parser("remove", help="remove feeds")
    remove.add_argument("ids", nargs="+", type=_id, metavar="ID")
    undo = verbs.add_parser("undo-move", help="give feeds back the address that they had before they moved")
    undo.add_argument("ids", nargs="+", type=_id, metavar="ID")
    take = verbs.add_parser("import", help="add the feeds of an OPML file, or of one address a line")
    take.add_argument("file", metavar="FILE", help="- for standard input")
    give = verbs.add_parser("export", help="write all feeds as OPML")
    give.add_argument("file", nargs="?", metavar="FILE.opml", help="default: standard output")
    check = verbs.add_parser("check", help="one round over the feeds, whatever their schedule")
    check.add_argument("ids", nargs="*", type=_id, metavar="ID")
    keep = verbs.add_parser("record", help="keep a server's raw answer in a file, for a bug report")
    keep.add_argument("feed", metavar="FEED", help="a feed's number, or an address")
    keep.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="FOLDER", help="default: here")

    demo = commands.add_parser("demo", help="the whole bot on this machine alone, with no token")
    demo.add_argument("--once", action="store_true", help="post the sample feeds, answer some look-ups, end")
    demo.add_argument(
        "--port", type=_whole(0, 65_535), default=0, metavar="N", help="port of the sample web server"
    )

    search = commands.add_parser("search", help="the same search that /search answers")
    search.add_argument("query", nargs="+", metavar="QUERY")
    search.add_argument("--topic", metavar="T")
    search.add_argument("--limit", type=_count, default=10, metavar="N")
    search.add_argument("--json", action="store_true")

    cases = commands.add_parser("cases", help="the cases that stories were put into, and putting that right")
    verbs = cases.add_subparsers(dest="verb", metavar="VERB", required=True)
    shown = verbs.add_parser("list", help="the cases last reported, or one with its stories and history")
    shown.add_argument(
        "words", nargs="*", metavar="NUMBER|WORDS", help="a case's number, or a part of titles"
    )
    shown.add_argument("--limit", type=_count, default=25, metavar="N")
    merge = verbs.add_parser("merge", help="two cases are one matter: later stories of both go to the first")
    merge.add_argument("into", type=_id, metavar="CASE")
    merge.add_argument("other", type=_id, metavar="OTHER")
    split = verbs.add_parser("split", help="move some of a case's stories into a case of their own")
    split.add_argument("case", type=_id, metavar="CASE")
    split.add_argument("stories", nargs="+", type=_id, metavar="STORY")
    split.add_argument("--title", default="", help="default: the title of the oldest story moved")
    proposals = verbs.add_parser("proposals", help="merges and splits that servers' moderators propose")
    proposals.add_argument(
        "decision", nargs="?", choices=("accept", "reject"), help="without it: those that are open"
    )
    proposals.add_argument("numbers", nargs="*", type=_id, metavar="NUMBER")

    database = commands.add_parser("db", help="the database: schema, backup, check")
    verbs = database.add_subparsers(dest="verb", metavar="VERB", required=True)
    verbs.add_parser("upgrade", help="apply the schema migrations that are missing")
    verbs.add_parser("current", help="the schema's version")
    verbs.add_parser("check", help="whether everything in the database is in order")
    backup = verbs.add_parser("backup", help="copy a SQLite database while the bot runs")
    backup.add_argument("file", type=Path, metavar="FILE", help="the copy; must not be there yet")
    return parser


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"{value[:40]!r} is no whole number from {low} to {high}")
        return number

    return read


_count = _whole(1, 100_000)
_id = _whole(1, 2**63 - 1)  # the largest number that a database takes


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status: 0 done, 1 something failed, 2 wrong usage or configuration."""
    level = os.environ.get("LOG_LEVEL", "").upper()
    try:
        arguments = _parser().parse_args(argv)
        from bot import logs
        from bot.settings import load

        settings = load(os.environ, warn=_say)
        level = settings.log_level
        logs.set_up(level, settings.log_format)  # else Python tells what libraries log, tracebacks and all
        return int(_command(arguments.command).main(arguments, settings))
    except QuashError as error:
        _say(str(error))
        return error.exit_status
    except KeyboardInterrupt as error:
        return _TERMINATED if isinstance(error, _Terminated) else 130
    except BrokenPipeError:
        # The reader of our output went away (`quash ... | head`): nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # the last net: a traceback never reaches a user
        if (status := _told_of_the_database(error)) is not None:
            return status
        if level == "DEBUG":
            raise
        if isinstance(error, OSError):  # the system's word for it
            _say(f"It could not be done: {str(error) or type(error).__name__}.")
        else:
            _say(f"An error of Quash itself: {type(error).__name__}: {error}. LOG_LEVEL=DEBUG shows where.")
        return 1


def run() -> NoReturn:
    """Be the program: `main`, then an end at once, without Python's taking itself apart (0.06 s of work).

    What wants to be told of the end is told, and what was written is written out.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        # Half a pair of UTF-16, from JSON or a file's name, ends nothing; so does JSON itself write it.
        sys.stdout.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _terminate)
    status = main()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # a full disk, a reader that went away
            status = status or 1
    if status == _TERMINATED:  # whoever asked for it is told by the signal itself
        os.kill(os.getpid(), signal.SIGTERM)
    os._exit(status)


class _Terminated(KeyboardInterrupt):
    """SIGTERM: as Ctrl+C, so that what was made for the moment, as a folder, is taken away."""


_TERMINATED = 128 + signal.SIGTERM


def _terminate(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second one waits for nothing
    raise _Terminated


def _command(name: str) -> ModuleType:
    """Load what a command needs, without looking for garbage: loading makes none, and starts faster so.

    Nor is it looked for among what was loaded, which would be the first thing to happen afterwards.
    """
    gc.disable()
    try:
        return importlib.import_module(f"bot.commands.{name}")
    finally:
        gc.freeze()
        gc.enable()


def _told_of_the_database(error: Exception) -> int | None:
    """Say what is the matter with the database; gives the exit status, None where it is something else."""
    if "db.engine" not in sys.modules:
        return None
    from sqlalchemy.exc import DBAPIError

    from db.engine import is_damaged, is_denied, is_outage
    from db.errors import AddressError, DatabaseError

    if isinstance(error, DatabaseError):
        _say(str(error))
        return 2 if isinstance(error, AddressError) else 1
    if not isinstance(error, DBAPIError):
        return None
    if is_outage(error):
        _say(f"The database does not do its work ({error.orig}); try again when it does.")
        return 1
    if is_damaged(error):
        _say(
            f"The database file is damaged ({error.orig}); `quash db check` says more, and a copy that "
            "`quash db backup` made can take its place."
        )
        return 1
    if is_denied(error):
        _say(
            f"DATABASE_URL: its role may not do that ({error.orig}); name one that owns the database, or "
            "grant it what it lacks."
        )
        return 2
    return None


def _say(sentence: str) -> None:
    print(f"quash: {' '.join(sentence.split())}", file=sys.stderr)


if __name__ == "__main__":
    run()
