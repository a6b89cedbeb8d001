"""`quash analyse`: what the program makes of articles, for people (text) and for scripts (JSON)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from bot.collector import calm
from bot.errors import QuashError, UsageError
from bot.settings import Settings
from bot.stories.analyse import analyse
from bot.stories.cases import CaseBook
from bot.stories.model import Article, Story, story_to_json

_LOADED = 20  # lines after which all rules have been read
_MAX_ARTICLE = 20_000_000  # characters; an article is a few thousand


class ArticleError(QuashError):
    """An article cannot be read: says which and why."""


def main(arguments: argparse.Namespace, settings: Settings) -> int:
    """Analyse files, pages or standard input. Status 1 when one of several could not be read."""
    if arguments.jsonl:
        if arguments.articles:
            raise UsageError("--jsonl reads standard input and takes no files; leave one of the two out.")
        return _many(sys.stdin.buffer, sys.stdout)
    if not arguments.articles:
        raise UsageError(
            "analyse needs a file, an address or - for standard input; see `quash analyse --help`."
        )
    book = CaseBook()
    failed = 0
    for name in arguments.articles:
        try:
            article = _read(name, settings)
        except ArticleError as error:
            print(f"quash: {error}", file=sys.stderr)
            failed = 1
            continue
        story = analyse(article)
        case = _case(book, story)
        if arguments.json:
            print(json.dumps(story_to_json(story, id=name, case=case), ensure_ascii=False), flush=True)
        else:
            from bot.commands.explain import explain

            explain(story, case)
    return failed


def _case(book: CaseBook, story: Story) -> str | None:
    return str(book.place(story.fingerprint)[0]) if story.relevant else None


# ------------------------------------------------------------------ many at once


def _many(lines: Iterable[bytes], out: TextIO) -> int:
    """Answer every line with a line, in order; one that cannot be analysed is answered and told of."""
    book = CaseBook()
    failed = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        given: Any = None
        try:
            given = json.loads(line)
            story = _story(given)
        except (ValueError, RecursionError) as error:
            said = str(error) if isinstance(error, _LineError) else "it is no JSON"
            print(f"quash: line {number} of standard input was not analysed: {said}.", file=sys.stderr)
            answer: dict[str, Any] = {
                "id": given.get("id") if isinstance(given, dict) else None,
                "error": said,
            }
            failed = 1
        else:
            answer = story_to_json(story, id=given.get("id", str(number)), case=_case(book, story))
        out.write(json.dumps(answer, ensure_ascii=False) + "\n")
        out.flush()
        if number == _LOADED:
            calm()
    return failed


class _LineError(ValueError):
    """What is wrong with one line of `--jsonl`."""


def _story(given: object) -> Story:
    article = article_from_json(given)
    try:
        return analyse(article)
    except Exception as error:  # one article that trips over a fault of ours must not end all others
        raise _LineError(f"a fault in Quash ({type(error).__name__}: {error})") from error


def article_from_json(given: object) -> Article:
    """Read one object of `--jsonl` (`id`, `title`, `text` or `html`, `url`, `source`, `published`)."""
    if not isinstance(given, dict):
        raise _LineError("it is no object")
    for name in ("title", "text", "html", "url", "source", "published"):
        if not isinstance(given.get(name), str | None):
            raise _LineError(f"{name} is no text")
    body = given.get("html") or given.get("text")
    if not body and not given.get("title"):
        raise _LineError("it has neither text nor html nor title")
    return Article(
        title=given.get("title") or "",
        body=(body or "")[:_MAX_ARTICLE],
        url=given.get("url") or "",
        source=given.get("source") or "",
        published=moment(given.get("published")),
        is_html=bool(given.get("html")),
    )


def moment(value: str | None) -> datetime | None:
    """Read an ISO 8601 date or time; a time without a zone is taken as UTC. None when it is no date."""
    try:
        at = datetime.fromisoformat((value or "").strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):  # of a year before the first, in UTC
        return None


# ------------------------------------------------------------------ one at a time


def _read(name: str, settings: Settings) -> Article:
    if name == "-":
        return _from_bytes(sys.stdin.buffer.read(), name="standard input")
    if name.startswith(("http://", "https://")):
        from bot.commands.page import fetch_article

        return fetch_article(name, settings)
    try:
        content = Path(name).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no file name"
        raise ArticleError(f"{name} cannot be read: {reason}.") from error
    return _from_bytes(content, name=name)


def _from_bytes(content: bytes, *, name: str) -> Article:
    if not content.strip():
        raise ArticleError(f"{name} is empty: there is nothing to analyse.")
    if content[:4096].count(0) > 16:
        raise ArticleError(f"{name} is no text: give an HTML page or a plain text.")
    body = decode(content)[:_MAX_ARTICLE]
    return Article(title="", body=body, is_html=looks_like_html(body))


def decode(content: bytes) -> str:
    """Decode a text of unknown encoding: UTF-8 where it is, else the most likely one."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(content[:200_000]).best()
        return content.decode(best.encoding if best else "latin-1", errors="replace")


def looks_like_html(body: str) -> bool:
    """Tell a web page from plain text by its beginning."""
    head = body[:2000].lstrip().casefold()
    return head.startswith(("<!doctype html", "<html", "<head", "<body", "<?xml")) or (
        "<html" in head or ("<p>" in head and "</" in head) or "<div" in head
    )
