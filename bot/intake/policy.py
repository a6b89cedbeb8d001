"""What intake decides, as pure functions: is a page worth fetching, what does a story add to its case."""

from __future__ import annotations

import html
import re
from datetime import datetime
from urllib.parse import urlsplit

from db.case_status import moves_on

_TAG = re.compile(r"<[^<>]{0,2000}>")
_FRONT = re.compile(r"/?(?:[a-z]{2}(?:[-_][a-z]{2})?/?)?(?:index\.[a-z]{3,5}|home/?)?", re.IGNORECASE)
# Chinese and Japanese characters and Korean syllables each by itself, else whole words.
_WORD = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af]|[^\W\u2e80-\u9fff\uac00-\ud7af]+")

_LONG = 5  # characters of a word that says something
_SEVERAL = 3

ENOUGH_TEXT = 900  # characters; an entry with so many of its own is read as it stands
# Relevance of title and summary below which the page is left alone. A teaser that says nothing either way
# lies above it: one request too many is a smaller fault than an alert that nobody gets.
PLAINLY_IRRELEVANT = 0.15


def own_text(content: str, summary: str) -> str:
    """Give an entry's own text, the longer of its two, without markup."""
    longer = max(content, summary, key=len)
    return " ".join(html.unescape(_TAG.sub(" ", longer)).split())


def is_only_front_page(asked: str, found: str) -> bool:
    """Tell whether a site answered with its front page where an article was asked for.

    So do sites for an article that they took away, or do not show here.
    """
    return _is_front(found) and not _is_front(asked)


def is_elsewhere(title: str, text: str) -> bool:
    """Tell whether a page that a link was redirected to is about something else than the link's title says.

    It is where no longer word of several in the title comes up in its text, in whatever form: a page to
    subscribe, to log in.
    """
    beginnings = {word[:_LONG] for word in _WORD.findall(title.casefold()) if len(word) >= _LONG}
    said = text.casefold()
    return len(beginnings) >= _SEVERAL and not any(beginning in said for beginning in beginnings)


def _is_front(url: str) -> bool:
    page = urlsplit(url)
    return not page.query and _FRONT.fullmatch(page.path) is not None


def is_same_title(one: str, other: str) -> bool:
    """Tell whether two entries that lead to one address may be one article, whose title was edited.

    They are where half of the shorter title's words are in both, and the same figures. Without words in
    either nothing tells them apart.
    """
    first, second = (set(_WORD.findall(title.casefold())) for title in (one, other))
    if not first or not second:
        return True
    figures = {word for word in first ^ second if word.isdigit()}
    return not (figures & first and figures & second) and 2 * len(first & second) >= min(
        len(first), len(second)
    )


def adds_to_case(
    case_status: str | None,
    story_status: str | None,
    *,
    story_at: datetime,
    case_updated: datetime,
) -> str:
    """Tell what a further report adds to its case: "update" (it now stands elsewhere) or "source".

    An older story that arrives late changes nothing, however it ends; nor does one that tells an
    earlier stage again.
    """
    if story_at < case_updated:
        return "source"
    return "update" if moves_on(case_status, story_status) else "source"
