"""Splits a paragraph into sentences, each verbatim as it stands.

Rules, not a model: a mark that may end a sentence is looked at with the word before it and the word
behind it. What counts as an abbreviation stands in `data/abbreviations.toml`. One pass, linear in the
length of the text, whatever the text is.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

_CLOSING = "\"'”’»)\\]›」』"
_OPENING = "\"'“‘„«([‹¿¡「『"

# A mark that may end a sentence, with what closes behind it and the blank that follows, if one does.
_MARK = re.compile(rf"[.!?…。！？।॥؟]+[{_CLOSING}]*(?:\[\d{{1,3}}\])*(\s*)")
_UNSPACED = frozenset("。！？।॥؟")
_LOST_BLANK = re.compile(
    r"(?:The|In|On|It|He|She|But|This|They|We|A|An|According)\s"
)  # "the order.The company"
_WORD_BEFORE = re.compile(r"[^\s(\[\"“‘„«/—–'’-]+$")
_DOTTED = re.compile(r"^(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}$")  # U.S, a.m, z.B
_WORD_AFTER = re.compile(r"[\w'’]+")
_ATTRIBUTION = re.compile(
    r"(?:[\w.’'-]+ ){1,4}?(?:said|says|asked|asks|wrote|writes|added|tweeted|told|argued|replied|wondered"
    r"|shouted|cried|exclaimed|explained|continued|concluded|insisted|warned|demanded|noted|recalled|joked|responded"
    r"|declared|testified|quipped|reads?)\b"
)
_LOOK_BACK = 40  # characters: longer than any abbreviation
_LOOK_AHEAD = 80


@dataclass(frozen=True, slots=True)
class _Rules:
    """What one language says about stops."""

    never: frozenset[str]
    maybe: frozenset[str]
    numbers: frozenset[str]
    starters: frozenset[str]
    exclaiming: frozenset[str]
    ordinals: bool


@cache
def _data() -> dict[str, dict[str, list[str]]]:
    source = resources.files("bot.stories.data").joinpath("abbreviations.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))


@cache
def _rules(language: str) -> _Rules:
    data = _data()
    common = data["common"]
    own = data.get(language, data["en"])
    return _Rules(
        never=frozenset(common["never"]) | frozenset(own["never"]),
        maybe=frozenset(common["maybe"]) | frozenset(own["maybe"]),
        numbers=frozenset(common["numbers"]) | frozenset(own["numbers"]),
        starters=frozenset(own["starters"]),
        exclaiming=frozenset(data["exclaiming"]),
        ordinals=language == "de",  # "am 15. September", "der 2. Senat"
    )


def split(paragraph: str, language: str = "en") -> list[str]:
    """Split a paragraph, whose white space is folded, into its sentences.

    Joined with blanks (or, where the paragraph has none, with nothing) they give the paragraph back.
    """
    rules = _rules(language)
    found: list[str] = []
    start = 0
    for match in _MARK.finditer(paragraph):
        end = match.end()
        if end >= len(paragraph):
            break
        if (
            not match.group(1)
            and paragraph[match.start()] not in _UNSPACED
            and not _lost_blank(paragraph, match)
        ):
            continue
        if _ends_sentence(paragraph, start, match.start(), match.group(), end, rules):
            found.append(paragraph[start:end].strip())
            start = end
    rest = paragraph[start:].strip()
    if rest:
        found.append(rest)
    return found


def _lost_blank(text: str, match: re.Match[str]) -> bool:
    return text[match.start() - 3 : match.start()].islower() and bool(_LOST_BLANK.match(text, match.end()))


def _ends_sentence(text: str, start: int, at: int, mark: str, end: int, rules: _Rules) -> bool:
    """Whether the mark at `at` ends the sentence that began at `start`; `end` is where the next begins."""
    before = text[max(start, at - _LOOK_BACK) : at]
    after = text[end : end + _LOOK_AHEAD]
    first = after.lstrip(_OPENING)[:1]
    if not before.strip(_OPENING + " -•*") or not first:
        return False
    if first.islower() and not after.lstrip(_OPENING)[1:2].isupper():  # but "iPhone", "eBay"
        return False
    if first in ",;:)—–-":
        return False
    if mark[0] in "!?":
        return _strong_mark_ends(before + mark[0], mark, after, rules)
    if mark[:2] in ("..", "…") or mark[0] != ".":
        return True
    return _stop_ends(before, mark.strip(), after, first, rules, at_start=at - start <= _LOOK_BACK)


def _strong_mark_ends(word: str, mark: str, after: str, rules: _Rules) -> bool:
    """`!` and `?` end a sentence, save in names (Yahoo!) and quotations that go on ("Why?" Yen asked)."""
    name = word.rsplit(None, 1)[-1].lower()
    if name in rules.exclaiming:
        return _starts(after, rules)
    quoted = len(mark.strip()) > 1 and mark.strip()[-1] in '"”’»'
    return not (quoted and not _starts(after, rules) and _ATTRIBUTION.match(after))


def _stop_ends(before: str, mark: str, after: str, first: str, rules: _Rules, *, at_start: bool) -> bool:
    match = _WORD_BEFORE.search(before)
    word = match.group().lower() if match else ""
    if len(mark) > 1 and mark[1] in '"”»':  # a stop inside quotation marks is no abbreviation's
        return True
    if word in rules.never:
        return False
    if word in rules.numbers and first.isdigit():
        return False
    if word.isdigit() and len(word) <= 2:
        if at_start and before.strip(_OPENING + " -•*") == word:
            return False  # "1. No order can ..."
        if rules.ordinals:
            return _starts(after, rules)
    if word in rules.maybe or _DOTTED.match(word) or (len(word) == 1 and word.isalpha()):
        return _starts(after, rules)
    return True


def _starts(after: str, rules: _Rules) -> bool:
    match = _WORD_AFTER.search(after)
    if match is None:
        return True
    word = match.group().lower().replace("’", "'")
    return word in rules.starters or after[:1] in "“„«‘"
