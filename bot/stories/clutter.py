"""Tells the article's own lines from what a page carries beside them.

Phrases come from `data/clutter.toml`; shapes that no list can hold (by-lines, dates, captions, cut-off
teasers, embedded teasers of a site's script) are described here. Nothing here changes a text: it says
what a line or a span is, `bot.stories.text` decides.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import resources
from typing import Any

_MAX_LINE = 450  # characters: a longer line that begins like clutter is a paragraph of the article
_MAX_CONTAINS = 700
_MAX_SENTENCE = 200
_MAX_NOTICE = 400
_EDGE = " \t\"'“”‘’*_#|>·•–—-:.,!…()[]{}«»=~"

_MONTH = (
    r"(?:jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|f[ée]v(?:rier|r)?|mar(?:ch|s|zo)?|märz|apr(?:il)?|avril|ma[iy]o?|maggio|mei|"
    r"june?|juni|juin|junio|giugno|july?|juli|juillet|julio|luglio|aug(?:ust|ustus)?|ao[uû]t|agosto|sept?(?:ember|embre|iembre)?|"
    r"setembro|settembre|o[ck]t(?:ober|obre|ubre)?|outubro|ottobre|nov(?:ember|embre|iembre|embro)?|de[cz](?:ember|embro)?|d[ée]cembre|diciembre|dicembre|"
    r"enero|janeiro|gennaio|febrero|fevereiro|febbraio|março|abril|aprile|junho|julho)"
)
_DAY = (
    r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag"
    r"|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo"
)
_CLOCK = r"\d{1,2}[:.h]\d{2}(?::\d{2})?\s*(?:[ap]\.?m\.?)?\s*(?:[A-Z]{2,4}|uhr)?|\d{1,2}\s*[ap]\.?m\.?"
DATE = (
    r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}"
    rf"|\d{{1,2}}\.?(?:st|nd|rd|th|er)?(?: de)? {_MONTH}\.?,?(?: de)? \d{{4}}"
    rf"|{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})"
)
_DATE_ONLY = re.compile(
    r"^\W*(?:(?:by|on|date|am|le|el|il|op|em|posted|published|updated|update|last updated|modified)\b\W*)*"
    rf"(?:(?:{_DAY})\.?,?\s+)?{DATE}(?:[\s,|•·–—-]+(?:at\s+)?(?:{_CLOCK}))?"
    r"\W*(?:\d+ min(?:ute)?s? read|by [\w .'-]{2,40})?\W*$"
    rf"|^\W*\d{{1,2}} {_MONTH} \d{{4}}\W*$|^\W*(?:{_CLOCK})\W*$"
    r"|^\W*\d+ (?:second|minute|hour|day|week|month|year)s? ago\W*$|^\W*\d+ min(?:ute)?s? read\W*$",
    re.I,
)
_BYLINE = re.compile(
    r"^(?:(?i:by|von|par|por|di|da|door|text|story by|words by|reported by|analysis by|opinion by))[\s:]+"
    r"(?:(?:(?i:and|und|et|y|e|en|with|de|van|von|der|del|la|di)\b|[A-ZÀ-Þ][\w.'’-]*+|\||/|,|&)[\s,]*+){1,14}"
    rf"(?:[\s,|•·–—-]*(?i:{DATE}|{_CLOCK}|updated|published|staff|writer|reporter|correspondent|editor).{{0,60}})?$"
)
_NAME = re.compile(
    r"^[A-ZÀ-Þ][\w.'’-]+(?: (?:[A-ZÀ-Þ][\w.'’-]*|de|van|von|der|bin|al|del|la|di)){1,3}"
    r"(?:(?:,| and| und| et| y| e| en| &) [A-ZÀ-Þ][\w.'’-]+(?: [A-ZÀ-Þ][\w.'’-]*){1,3})*,?$"
)
# "More on the leak:Who knew what when": a link to another story
_UNSPACED_LABEL = re.compile(r"^[A-Z][\w.’' &-]{2,50}:(?=[A-Z‘'\"“])")
_NO_LETTERS = re.compile(r"^[\W\d_]*$")
_CREDIT_END = re.compile(
    r"[(\[][^()\[\]]{0,60}(?:/|via |for |courtesy )(?:[^()\[\]]{0,40})[)\]]\.?$"
    r"|(?:/|via )(?:AP|AFP|CNET|NPR|EPA|Reuters|POLITICO|Getty)\)?\.?$"
)
_MARKDOWN_LINKS_ONLY = re.compile(r"^(?:[-*•]\s*)?(?:Related: )?(?:!?\[[^\]]*\]\([^)]*\)[\s|·•,]*)+$")
_URL_ONLY = re.compile(r"^[\W_]*(?:https?://|www\.)\S+[\W_]*$|^\*?\[?www\.")
_CUT_OFF = re.compile(
    r"(?:…|\.\.\.|\[…\]|\[\.\.\.\]|\[&hellip;\])\s*(?:read more|continue reading|more)?\W*$", re.I
)
# Date-lines: "WASHINGTON (AP) — ", "Washington (CNN) ", "MUMBAI, India - ", "(Reuters) - ", "May 3, 2024 - ".
_PLACE = (
    r"[A-ZÀ-Þ][\w.'’-]*(?:[ /][A-ZÀ-Þ][\w.'’-]*){0,3}(?:, [A-ZÀ-Þ][\w.'’-]*(?:[ .][A-ZÀ-Þ][\w.'’-]*){0,2})?"
)
_CAPITALS = (
    r"[A-ZÀ-Þ]{3}[A-ZÀ-Þ.'’-]*(?: [A-ZÀ-Þ]{2}[A-ZÀ-Þ.'’-]*){0,3}"
    r"(?:, [A-ZÀ-Þ][\w.'’-]*(?: [A-ZÀ-Þ][\w.'’-]*)?)?"
)
# A script of The Hill leaves a politician's page inside the sentence: "Rep. Ann Lee Ann Mary LeeHouse passes
# bill Senate delays vote MORE said". From the name's second coming, which runs into the next word, to MORE.
_SPLICE = re.compile(r"\b([A-Z][\w'’-]+) ((?:[A-Z][\w.'’-]* ){1,4}\1(?=[A-Z0-9‘'\"“])[^\n]{10,700}? MORE\b)")


@cache
def box_names() -> frozenset[str]:
    """Give the words that, in an element's class or id, name a box beside the article."""
    return frozenset(_data()["boxes"]["names"])


@cache
def _data() -> dict[str, Any]:
    source = resources.files("bot.stories.data").joinpath("clutter.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))


@cache
def _share_bar() -> re.Pattern[str]:
    """At least two words of a bar of buttons, with counts between, and nothing else."""
    words = "|".join(re.escape(word) for word in _data()["buttons"])
    return re.compile(rf"^\W*+(?:(?:{words})\b\W*+(?:\d++\W*+)?){{2,}}$", re.I)


@cache
def _dateline() -> re.Pattern[str]:
    agencies = "|".join(re.escape(name) for name in _data()["agencies"])
    return re.compile(
        r"^(?:date \d{4}-\d{2}-\d{2}\s+)?(?:"
        rf"(?:{_PLACE},? )?\((?:{agencies})\)(?:\s*(?:--|[-–—:])+)?\s+"
        r"|\([A-Z][A-Za-z.]{2,24}\)\s*(?:--|[–—])\s*"
        rf"|(?:{_CAPITALS})\s*(?:--|[–—]|(?<=\s)-)\s*"
        r"|[A-Z][a-z]+(?: [A-Z][a-z]+)?, [A-Z][a-z]+(?: [A-Z][a-z]+)? [-–—]+ (?=[A-Z])"
        rf"|(?:(?i:{_DAY}),? )?(?i:{DATE})\s*(?:--|[–—]|(?<=\s)-)\s+"
        r")(?=\S)|^date \d{4}-\d{2}-\d{2}\s+(?=\S)"
    )


def _fold(text: str) -> str:
    return text.lower().replace("’", "'")


def _wildcard(phrase: str) -> str:
    return r"[^\n]{0,60}?".join(re.escape(piece) for piece in phrase.split("*"))


_FIRST_WORD = re.compile(r"[\w']+|\S")


class _Openings:
    """Phrases with which a line begins, found by their first word."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._plain: dict[str, list[tuple[str, bool]]] = {}
        self._capitals: tuple[str, ...] = tuple(p for p in phrases if p.isupper() and len(p) > 2)
        self._wild: dict[str, list[re.Pattern[str]]] = {}
        for phrase in phrases:
            if phrase in self._capitals:
                continue
            low = _fold(phrase)
            if "*" in low.strip("*"):
                self._wild.setdefault(_first_word(low), []).append(
                    re.compile(_wildcard(low.rstrip("*")) + r"\b")
                )
            else:
                whole_words = low[-1].isalnum()  # "share" does not begin "shares", "copyright 20*" goes on
                start = low.rstrip("*")
                self._plain.setdefault(_first_word(start), []).append((start, whole_words))

    def match(self, line: str, low: str) -> bool:
        word = _first_word(low)
        for phrase, whole_words in self._plain.get(word, ()):
            if low.startswith(phrase) and not (whole_words and low[len(phrase) : len(phrase) + 1].isalnum()):
                return True
        for pattern in self._wild.get(word, ()):
            if pattern.match(low):
                return True
        return line.startswith(self._capitals)


def _first_word(low: str) -> str:
    match = _FIRST_WORD.match(low)
    return match.group() if match else ""


class _Lines:
    """Phrases that are a whole line."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._plain = frozenset(_fold(p).strip(_EDGE) for p in phrases if "*" not in p)
        wild = [_wildcard(_fold(p)) for p in phrases if "*" in p]
        self._wild = re.compile("|".join(wild)) if wild else None

    def match(self, low: str) -> bool:
        key = low.strip(_EDGE)
        return key in self._plain or bool(self._wild and len(key) < 90 and self._wild.fullmatch(key))


class _Inside:
    """Phrases that stand anywhere in a line."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._capitals = tuple(p for p in phrases if any(c.isalpha() for c in p) and p.isupper())
        self._plain = tuple(_fold(p) for p in phrases if p not in self._capitals and "*" not in p)
        self._wild = tuple(
            (_fold(p).split("*")[0], re.compile(_wildcard(_fold(p)))) for p in phrases if "*" in p
        )

    def match(self, line: str, low: str) -> bool:
        for phrase in self._plain:  # plain loops: this is asked of every line
            if phrase in low:
                return True
        for phrase in self._capitals:
            if phrase in line:
                return True
        return any(first in low and pattern.search(low) for first, pattern in self._wild)


@cache
def _openings(kind: str) -> _Openings:
    return _Openings(_data()[kind])


@cache
def _lines(kind: str) -> _Lines:
    return _Lines(_data()[kind])


@cache
def _inside(kind: str) -> _Inside:
    return _Inside(_data()[kind])


@cache
def _outlets() -> frozenset[str]:
    return frozenset(_data()["outlets"])


@cache
def _endings() -> tuple[str, ...]:
    return tuple(f" {ending}" for ending in _data()["ends"])


@cache
def _labels() -> re.Pattern[str]:
    parts = [
        re.escape(label) + r"\s+" if label.isupper() else f"(?i:{re.escape(label)})" + r"\s+(?=[A-Z\"“])"
        for label in _data()["labels"]
    ]
    return re.compile("|".join(parts))


@lru_cache(maxsize=300)  # a page's lines are asked of more than once
def kind_of_line(line: str) -> str | None:
    """Say what kind of clutter a line is, wherever it stands; None when it may be the article's own."""
    low = _fold(line)
    length = len(line)
    if _NO_LETTERS.match(line):
        return "no words"
    if length <= 140:
        if _lines("whole").match(low):
            return "a label of the page"
        if _DATE_ONLY.match(line):
            return "a date"
        if _share_bar().match(line) or _URL_ONLY.match(line) or _MARKDOWN_LINKS_ONLY.match(line):
            return "links"
        if _openings("starts_short").match(line, low):
            return "a notice of the page"
    if length <= 160 and _UNSPACED_LABEL.match(line):
        return "links"
    if length <= 160 and _inside("contains_short").match(line, low):
        return "a credit or notice"
    if length <= _MAX_LINE and _openings("starts").match(line, low):
        return "a notice of the page"
    if length <= _MAX_LINE and low.rstrip(_EDGE).endswith(_endings()):
        return "links"
    if _inside("gallery").match(line, low):
        return "a gallery"
    if length <= _MAX_CONTAINS and (_inside("contains").match(line, low) or _CREDIT_END.search(line[-120:])):
        return "a caption or notice"
    return None


def is_byline(line: str, source: str = "") -> bool:
    """Whether a line near the top names who wrote it: "By Ann Lee", "Ann Lee and Bo Chi", "USA TODAY"."""
    if len(line) > 160:
        return False
    low = _fold(line).strip(_EDGE)
    if low in _outlets() or (source and low == _fold(source).strip(_EDGE)):
        return True
    return bool(_BYLINE.match(line))


def is_name(line: str) -> bool:
    """Whether a line is nothing but a name or several ("Ann Lee", "Ann Lee and Bo Chi")."""
    return len(line) <= 80 and bool(_NAME.match(line))


def is_sentence_clutter(sentence: str) -> bool:
    """Whether a sentence inside a paragraph is the page's own ("Subscribe to us on Telegram!")."""
    return len(sentence) <= _MAX_SENTENCE and _openings("sentence").match(sentence, _fold(sentence))


def is_tail_heading(line: str) -> bool:
    """Whether only teasers, forms and menus come after this line."""
    return len(line) <= 60 and _lines("tail").match(_fold(line))


def is_link_heading(line: str) -> bool:
    """Whether a line stands before the bare titles of other stories, in the middle of an article."""
    return len(line) <= 60 and _lines("links").match(_fold(line))


def is_cut_off(line: str) -> bool:
    """Whether a line ends in an ellipsis as a teaser does ("…teaming up with Public...")."""
    return bool(_CUT_OFF.search(line[-40:]))


def is_date(line: str) -> bool:
    """Whether a line is nothing but a date or a time."""
    return len(line) <= 140 and bool(_DATE_ONLY.match(line))


def lead_in(line: str) -> int:
    """Give how many characters before a paragraph's text are a date-line or a label of the page."""
    match = _labels().match(line)
    at = match.end() if match else 0
    match = _dateline().match(line[at : at + 120])
    return at + match.end() if match else at


@cache
def _notice_phrases() -> tuple[dict[str, _Inside], dict[str, tuple[str, ...]]]:
    wall: dict[str, list[str]] = _data()["wall"]
    kinds = ("robot", "consent", "pay", "login")
    strong = {kind: _Inside(wall[f"{kind}_strong"]) for kind in kinds}
    weak = {kind: tuple(_fold(phrase) for phrase in wall[f"{kind}_weak"]) for kind in kinds}
    return strong, weak


def notices(text: str) -> tuple[set[str], dict[str, int]]:
    """Give the kinds of notice that a text surely shows, and how many weaker signs of each kind stand there.

    The kinds are "robot", "consent", "pay" and "login".
    """
    strong, weak = _notice_phrases()
    low = _fold(text)
    sure = {kind for kind, phrases in strong.items() if phrases.match(text, low)}
    return sure, {kind: sum([phrase in low for phrase in phrases]) for kind, phrases in weak.items()}


def is_notice(line: str) -> bool:
    """Whether a line is part of a notice that a page shows in place of its article."""
    if len(line) > _MAX_NOTICE:
        return False
    sure, signs = notices(line)
    return bool(sure) or any(count >= 2 for count in signs.values())


def splices(text: str) -> list[tuple[int, int]]:
    """Give the spans of a sentence that a site's script put into it (names of other stories, ending in MORE).

    The sentence stays verbatim; whoever looks for names in it may pass these spans over.
    """
    if " MORE" not in text:
        return []
    return [match.span(2) for match in _SPLICE.finditer(text)]
