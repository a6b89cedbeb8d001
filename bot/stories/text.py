"""Makes an article ready for reading: main text out, clutter gone, sentences split, language known.

The way of a text: lines -> runs of lines that belong together -> clutter and title dropped -> dated
blocks told apart -> sentences. Sentences stand verbatim in what came in; where Markdown or tags had to
be taken out of the middle of one, it says so (`Sentence.as_stands` is False).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from bot.errors import told
from bot.record import Notes
from bot.stories import clutter, html, language, sections, sentences
from bot.stories.markup import Plain, plain
from bot.stories.model import Article, Document, Sentence

MAX_CHARACTERS = 100_000  # of main text; a longer one is no news article, and every stage reads all of it
MAX_SENTENCES = 3_000  # three times what an article of MAX_CHARACTERS has
_TOP_LINES = 12  # by-lines, dates and a repeated title stand within the first lines
_TITLE_CHARACTERS = 200
_HEADING_WORDS = 16
_HEADING_CHARACTERS = 120
_PROSE_CHARACTERS = 60  # a closed line of this length is running text
_SURE_PROSE_CHARACTERS = 100  # ... even among teasers, where another such line follows it
_LONG_PROSE_CHARACTERS = 250  # ... even alone among them
_LONGEST_JOINED = 5_000  # characters of a paragraph that is put together of lines torn apart
_KEPT_REMOVED = 200  # characters of a dropped line that are kept for explanations

_CLOSED = re.compile(r"(?:[.!?…。！？।؟][\"'”’»)\]*_]*|[:;])$")
_SENTENCE_END = re.compile(r"[.!?。！？।؟][\"'”’»)\]*_]*$")
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufeff]")
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the text with its markup taken off; `raw` is as it came, white space folded."""

    raw: str
    text: str
    is_title: bool = False  # marked as a heading (Markdown `#`)
    is_item: bool = False  # an item of a list

    @property
    def closed(self) -> bool:
        return bool(_CLOSED.search(self.text[-8:]))

    @property
    def looks_like_heading(self) -> bool:
        """Short and without a closing mark: a heading, a menu, the title of another story."""
        if self.is_title:
            return True
        short = len(self.text) <= _HEADING_CHARACTERS and self.text.count(" ") < _HEADING_WORDS
        return short and not self.closed and not (self.is_item and self.text.count(" ") >= 5)

    @property
    def is_prose(self) -> bool:
        return len(self.text) >= _PROSE_CHARACTERS and self.closed and not clutter.is_cut_off(self.text)


def read(article: Article, notes: Notes) -> Document:
    """Read an article, plain text or HTML, into a `Document`. Any text gives one, if only an empty one."""
    canonical: str | None = None
    body, title = article.body, _fold(article.title)
    if article.is_html:
        page = html.extract(article.body, article.url)
        body, canonical, title = page.text, page.canonical_url, title or page.title
        if page.wall:
            notes.note(
                "text", "wall", f"The page shows {page.wall} in place of its article, or of most of it."
            )
        elif page.text:
            notes.note("text", "extracted", f"The main text was taken from the page by {page.by}.")
    if len(body) > MAX_CHARACTERS:
        notes.note("text", "cut", f"Only the first {MAX_CHARACTERS:,} characters of {len(body):,} were read.")
        body = body[:MAX_CHARACTERS]
    lines = _joined(_lines(body))
    if not title:
        title, lines = _title_from(lines)
    kept, removed = _without_clutter(lines, title, article.source)
    spoken = language.detect(" ".join([title, *(line.text for line in kept[:20])]), article.language)
    document = Document(
        title=title,
        sentences=tuple(islice(_sentences(kept, spoken), MAX_SENTENCES)),
        language=spoken,
        url=article.url,
        source=article.source,
        published=article.published,
        removed=tuple(line[:_KEPT_REMOVED] for line in removed),
        canonical_url=canonical,
    )
    _note(document, notes)
    return document


def _note(document: Document, notes: Notes) -> None:
    count, dropped = len(document.sentences), len(document.removed)
    notes.note(
        "text",
        "read" if count else "empty",
        f"The article has {count} sentences; {dropped} lines of clutter were left out.",
        evidence=document.removed[:3],
    )
    if document.language in language.SUPPORTED:
        notes.note(
            "language",
            document.language,
            told("Its small words show the language: {language}.", language=document.language),
        )
    elif document.language == language.UNKNOWN:
        notes.note("language", "unknown", told("There is too little text to tell its language."))
    else:
        notes.note(
            "language",
            "unsupported",
            told(
                "The text is written in a language that is not read here: {language}.",
                language=document.language,
            ),
        )


def _fold(text: str) -> str:
    return " ".join(text.split())


# ---------------------------------------------------------------- lines
def _lines(body: str) -> list[_Line]:
    """Split a text into its lines without markup; an empty line is kept as a mark between paragraphs."""
    body = _CONTROLS.sub(" ", _BREAKS.sub("\n", body))
    rows = [_fold(row) for row in body.split("\n")]
    if _is_hard_wrapped(rows):
        rows = _unwrapped(rows)
    found: list[_Line] = []
    for row in rows:
        if not row:
            continue
        made: Plain = plain(row)
        if made.text:
            found.append(_Line(row, made.text, made.is_heading, made.is_item))
    return found


def _is_hard_wrapped(rows: Sequence[str]) -> bool:
    """Whether lines were broken at a fixed width (mails, archives): most stop short of a sentence's end."""
    inner = [row for row, after in pairwise(rows) if row and after]
    if len(inner) < 5:
        return False
    wrapped = sum(45 <= len(row) <= 100 and not _CLOSED.search(row[-8:]) for row in inner)
    return wrapped >= 0.6 * len(inner)


def _unwrapped(rows: Sequence[str]) -> list[str]:
    paragraphs: list[list[str]] = [[]]
    for row in rows:
        if row:
            paragraphs[-1].append(row)
        elif paragraphs[-1]:
            paragraphs.append([])
    return [" ".join(parts) for parts in paragraphs if parts]


def _joined(lines: list[_Line]) -> list[_Line]:
    """Put together what a lost link or tag tore apart: an open line and one that goes on in small letters."""
    found: list[_Line] = []
    for line in lines:
        first = line.text.lstrip("\"'“‘([")[:2]
        goes_on = first[:1].islower() and not first[1:].isupper() and not line.is_item
        if found and goes_on:
            last = found[-1]
            if (
                len(last.text) < _LONGEST_JOINED
                and not last.closed
                and not last.is_title
                and not clutter.kind_of_line(last.text)
                and not clutter.kind_of_line(line.text)
            ):
                found[-1] = replace(last, raw=f"{last.raw} {line.raw}", text=f"{last.text} {line.text}")
                continue
        found.append(line)
    return found


def _title_from(lines: list[_Line]) -> tuple[str, list[_Line]]:
    """Take the first heading within the first lines as the title, when nobody gave one."""
    for at, line in enumerate(lines[:5]):
        if line.is_prose:
            break
        if clutter.kind_of_line(line.text) or clutter.is_byline(line.text):
            continue
        headline = line.is_title or not _SENTENCE_END.search(line.text[-8:]) or line.text.endswith("?")
        if headline and len(line.text) <= _TITLE_CHARACTERS:
            # A menu may run into the title ("Home News Title"); the title alone then follows.
            again = next(
                (after.text for after in lines[at + 1 : at + 4] if line.text.endswith(after.text)), ""
            )
            return again or line.text, lines[:at] + lines[at + 1 :]
        break
    return "", lines


# ---------------------------------------------------------------- clutter
def _without_clutter(lines: list[_Line], title: str, source: str) -> tuple[list[_Line], list[str]]:
    """Part the lines into the article's own and those dropped."""
    kept: list[_Line] = []
    removed: list[str] = []
    seen: set[str] = set()
    has_prose = any(line.is_prose for line in lines)
    prose = False
    at = 0
    while at < len(lines):
        line = lines[at]
        if prose and clutter.is_tail_heading(line.text):
            end = _end_of_tail(lines, at + 1)
        elif prose and clutter.is_link_heading(line.text):
            end = _end_of_links(lines, at + 1)
        else:
            end = at
        if end > at:
            removed.extend(dropped.raw for dropped in lines[at:end])
            at = end
            continue
        top = not prose and at < _TOP_LINES
        following = lines[at + 1].text if at + 1 < len(lines) else ""
        if (
            line.text in seen
            or _is_dropped(line, title, source, top=top, following=following, prose=prose)
            or (top and has_prose and clutter.is_cut_off(line.text))  # a caption or teaser that was cut
        ):
            removed.append(line.raw)
        else:
            kept.append(line)
            prose = prose or line.is_prose
        if len(line.text) > 40:
            seen.add(line.text)
        at += 1
    first, last = _start_of_article(kept), _end_of_article(kept)
    outside = kept[:first] + kept[max(first, last) :]
    return kept[first:last], removed + [line.raw for line in outside]


def _is_dropped(line: _Line, title: str, source: str, *, top: bool, following: str, prose: bool) -> bool:
    text = line.text
    if clutter.kind_of_line(text):
        return True
    if top and (
        _repeats(text, title, closed=line.closed) or clutter.is_byline(text, source) or clutter.is_name(text)
    ):
        return True
    if not top and len(text) <= 80 and text[:3] in ("By ", "BY ") and clutter.is_byline(text):
        return True
    return prose and line.looks_like_heading and not line.is_title and clutter.is_date(following)


def _repeats(text: str, title: str, *, closed: bool) -> bool:
    """Whether a line is the title once more, perhaps with a menu before it or a site's name behind it."""
    ours, its = _WORDS.findall(title.lower()), _WORDS.findall(text.lower())
    if not ours or not its:
        return False
    if ours == its:
        return True
    if closed and not title.endswith(("?", "!", ".")):
        return False
    joined, sought = f" {' '.join(its)} ", f" {' '.join(ours)} "
    if sought in joined:
        return len(its) <= len(ours) + 6
    a, b = set(ours), set(its)
    return len(a) >= 4 and len(a & b) >= 0.75 * len(a | b)


def _end_of_tail(lines: Sequence[_Line], start: int) -> int:
    """Find where running text begins again behind a heading of teasers; a form for comments ends it."""
    if re.match(
        r"(?i)\W*(?:leave a|post a|comments|\d+ comments|about the author|privacy|contact|navigation)",
        lines[start - 1].text,
    ):
        return len(lines)
    for at in range(start, len(lines)):
        line = lines[at]
        if not _is_sure_prose(line):
            continue
        if len(line.text) >= _LONG_PROSE_CHARACTERS or (
            at + 1 < len(lines) and _is_sure_prose(lines[at + 1])
        ):
            return at
    return len(lines)


def _is_sure_prose(line: _Line) -> bool:
    return line.is_prose and len(line.text) >= _SURE_PROSE_CHARACTERS and not clutter.kind_of_line(line.text)


def _end_of_links(lines: Sequence[_Line], start: int) -> int:
    """Find the end of a box of links inside an article: the first line that is no bare title."""
    return next((at for at in range(start, len(lines)) if not lines[at].looks_like_heading), len(lines))


def _start_of_article(lines: Sequence[_Line]) -> int:
    """Find the start of the article behind a menu: three or more lines of at most three words each."""
    start = 0
    while start < len(lines) and lines[start].looks_like_heading and lines[start].text.count(" ") < 3:
        start += 1
    return start if 3 <= start < len(lines) else 0


def _end_of_article(lines: Sequence[_Line]) -> int:
    """Find the end of the article before a run of teasers: cut-off lines, or bare titles of other stories."""
    end = len(lines)
    while end and clutter.is_cut_off(lines[end - 1].text):
        end -= 1
    if len(lines) - end >= 2 and any(line.is_prose for line in lines[:end]):
        return end
    end = len(lines)
    while end and lines[end - 1].looks_like_heading and not lines[end - 1].is_item:
        end -= 1
    if len(lines) - end >= 3 and any(line.is_prose for line in lines[:end]):
        return end
    return len(lines)


# ---------------------------------------------------------------- sentences
def _is_shouted(text: str) -> bool:
    """Whether a line without a closing mark is all capitals: a link to another story, or a heading."""
    return text.isupper() and not _CLOSED.search(text[-8:])


def _sentences(lines: Sequence[_Line], spoken: str) -> Iterator[Sentence]:
    numbers = sections.number([line.text for line in lines])
    index = paragraph = 0
    for line, section in zip(lines, numbers, strict=True):
        text = line.text if line.is_title else line.text[clutter.lead_in(line.text) :]
        parts = sentences.split(text, spoken)
        heading = line.is_title or (len(parts) == 1 and (line.looks_like_heading or _is_shouted(text)))
        before = index
        for sentence in parts:
            if clutter.is_sentence_clutter(sentence):
                continue
            yield Sentence(sentence, index, paragraph, section, heading, as_stands=sentence in line.raw)
            index += 1
        paragraph += index > before
