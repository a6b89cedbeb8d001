"""Demands in German, French, Spanish, Portuguese, Italian and Dutch.

Fewer words and a plainer reading than for English: a sentence with a word of demanding and one for data (or a
word of blocking), in an article that names an agency or a court and a company; a party's kind is its role.
Data: `data/demand_languages.toml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from bot.stories.instruments import load_table
from bot.stories.model import Demand, Document, Mention

_MAX_LENGTH = 1_200
_LEAD = 4  # sentences in which a single word of demanding is enough beside a word for who demands
_STANDING = {
    "withdrawn": 6.0,
    "quashed": 6.0,
    "upheld": 6.0,
    "complied": 4.6,
    "challenged": 4.0,
    "refused": 4.2,
}


@dataclass(frozen=True, slots=True)
class _Words:
    demand: re.Pattern[str]
    block: re.Pattern[str]
    data: re.Pattern[str]
    state: re.Pattern[str]
    judge: re.Pattern[str]
    warrant: re.Pattern[str]
    carriers: re.Pattern[str]
    statuses: tuple[tuple[str, re.Pattern[str]], ...]


@cache
def _languages() -> dict[str, _Words]:
    found = {}
    for language, table in load_table("demand_languages.toml").items():
        compiled = {
            key: re.compile(r"(?<!\w)(?:" + "|".join(words) + r")(?!\w)") for key, words in table.items()
        }
        found[language] = _Words(
            compiled["demand"],
            compiled["block"],
            compiled["data"],
            compiled["state"],
            compiled["judge"],
            compiled["warrant"],
            compiled["carriers"],
            tuple((status, compiled[status]) for status in _STANDING),
        )
    return found


def supported() -> frozenset[str]:
    """The languages besides English (ISO 639-1) in which demands are read."""
    return frozenset(_languages())


def demands_in(document: Document, mentions: tuple[Mention, ...], *, most: int) -> tuple[Demand, ...]:
    """Find the demands that an article in another language reports in its first `most` sentences.

    They are two at most: one for data and one for content, where each has sentences of its own (a messenger
    that would not give data, and the carriers that shall block it for that).
    """
    words = _languages().get(document.language)
    if words is None:
        return ()
    texts = {-1: document.title, **{s.index: s.text for s in document.sentences[:most]}}
    lowered = {index: text[:_MAX_LENGTH].lower() for index, text in texts.items()}
    data = [i for i, text in lowered.items() if words.demand.search(text) and words.data.search(text)]
    block = [i for i, text in lowered.items() if words.block.search(text)]
    companies = _count(mentions, ("company",), dict.fromkeys(texts, 1.0))
    early = bool(data) and (
        data[0] < 2 or (data[0] < _LEAD and words.state.search(lowered[data[0]]) is not None)
    )
    if not companies or (len(data) + len(block) < 2 and not early):
        return ()
    report = _Report(words, mentions, texts, lowered, companies, _events(words, lowered))
    if len(block) > len(data):
        main = report.demand(block, data, content=True)
        rest = [index for index in data if index not in block]
    else:
        main = report.demand(data, block, content=False)
        told = (words.demand, words.state, words.carriers)  # a block that somebody asks for
        rest = [i for i in block if i not in data and any(word.search(lowered[i]) for word in told)]
    if main is None:
        return ()
    content = main.instrument != "takedown order"
    more = report.demand(rest, None, content=content) if rest else None
    return (main,) if more is None else (main, more)


@dataclass(frozen=True, slots=True)
class _Report:
    """An article in another language, as its demands are read from it."""

    words: _Words
    mentions: tuple[Mention, ...]
    texts: dict[int, str]
    lowered: dict[int, str]
    companies: dict[str, tuple[float, int]]
    events: list[tuple[int, str, float]]

    def demand(self, own: list[int], others: list[int] | None, *, content: bool) -> Demand | None:
        """Read one demand. `own`: its sentences; `others`: what else may speak of it.

        Without `others` it is a second demand, whose firm its own sentences name.
        """
        words, texts, lowered = self.words, self.texts, self.lowered
        speaking = [*own, *(others or ())]
        about = dict.fromkeys(texts, 1.0) | dict.fromkeys(speaking, 3.0)
        for index, status, _ in self.events:
            if status in (
                "upheld",
                "quashed",
            ):  # the court that is named there ruled on the demand of another
                about[index] = 0.2
        judges = _judges(words, self.mentions, texts, lowered)
        issuers = (
            judges or _count(self.mentions, ("agency",), about) or _count(self.mentions, ("court",), about)
        )
        issuer, where = _best(issuers) if issuers else _common_noun(words.state, texts, lowered, speaking)
        if issuer is None:
            return None
        named = _count(self.mentions, ("company",), dict.fromkeys(own, 1.0)) if others is None else {}
        recipient, there = _best(named or self.companies)
        if content:
            carriers, told = _common_noun(words.carriers, texts, lowered, own[:3])
            if carriers:
                recipient, there = carriers, told
        first = next((index for index in own if index >= 0), own[0])
        best = max(self.events, key=lambda event: event[2], default=None)
        fields = [("issuer", texts[where]), ("recipient", texts[there]), ("instrument", texts[first])]
        evidence = dict.fromkeys([texts[first]])
        if best:
            fields.append(("status", texts[best[0]]))
            if best[0] >= 0:
                evidence.setdefault(texts[best[0]])
        return Demand(
            issuer=(issuer,),
            instrument="takedown order" if content else self._instrument(issuer, court=issuer in judges),
            recipient=(recipient or "",),
            target=(),
            sought=(),
            status=best[1] if best else "issued",
            evidence=tuple(evidence),
            field_evidence=tuple(fields),
        )

    def _instrument(self, issuer: str, *, court: bool) -> str:
        """The instrument of a demand for data. `court`: its issuer is known to judge."""
        if any("technical capability notice" in text for text in self.lowered.values()):
            return "technical capability notice"
        if any(self.words.warrant.search(text) for index, text in self.lowered.items() if index < _LEAD):
            return "search warrant"
        court = court or any(mention.kind == "court" for mention in self.mentions)
        return "court order" if court or _COURT.search(issuer.lower()) else "informal request"


def _count(
    mentions: tuple[Mention, ...], kinds: tuple[str, ...], weights: dict[int, float]
) -> dict[str, tuple[float, int]]:
    """Weigh the parties of some kinds by where they are named; each with the first sentence that names it."""
    found: dict[str, tuple[float, int]] = {}
    for mention in mentions:
        if mention.kind in kinds and mention.sentence in weights:
            weight, first = found.get(mention.name, (0.0, mention.sentence))
            found[mention.name] = (
                weight + weights[mention.sentence] * (2.0 if mention.sentence < 1 else 1.0),
                first,
            )
    return found


_BEFORE_NAME = 70
"""Characters before a name in which its office stands ("el juez de la Audiencia Nacional Pedraz")."""


def _judges(
    words: _Words, mentions: tuple[Mention, ...], texts: dict[int, str], lowered: dict[int, str]
) -> dict[str, tuple[float, int]]:
    """The persons before whose name stands that they judge or prosecute, weighed as by `_count`."""
    found: dict[str, tuple[float, int]] = {}
    for mention in mentions:
        text = lowered.get(mention.sentence)
        if text is None or mention.kind not in ("person", "court"):
            continue
        before = text[max(0, mention.start - _BEFORE_NAME) : mention.start]
        offices = list(words.judge.finditer(before))
        if not offices or _ELSEWHERE.search(before, offices[-1].end()):
            continue
        name: str | None = mention.name
        if mention.kind == "court":  # "el juez de la Audiencia Nacional" and then the name
            after = _NAME.match(texts[mention.sentence], mention.end)
            name = after.group("name") if after else None
        _add(found, name, mention.sentence)
    for index, text in lowered.items():
        for office in words.judge.finditer(text) if len(text) == len(texts[index][:_MAX_LENGTH]) else ():
            after = _NAME.match(texts[index], office.end())
            _add(found, after.group("name") if after else None, index)
    return found


def _add(found: dict[str, tuple[float, int]], name: str | None, index: int) -> None:
    if name is None or any(name != other and name in other for other in found):
        return
    weight, first = found.get(name, (0.0, index))
    found[name] = (weight + 1.0, first)


_NAME = re.compile(r" (?P<name>[A-ZÀ-Ý][\w-]+(?: (?:d[aeo]s? )?[A-ZÀ-Ý][\w-]+){1,3})")
_COURT = re.compile(r"(?<!\w)(?:tribunal|gericht|richter|juge|juez|jueza|juiz|giudice|rechter)")
_ELSEWHERE = re.compile(r"[,;:.(]| (?:y|e|et|und|que|en|ed) ")


def _best(counted: dict[str, tuple[float, int]]) -> tuple[str | None, int]:
    name = max(counted, key=lambda each: counted[each][0])
    return name, counted[name][1]


def _common_noun(
    nouns: re.Pattern[str], texts: dict[int, str], lowered: dict[int, str], places: list[int]
) -> tuple[str | None, int]:
    """The common noun for a party in the sentences that demand, as it stands there."""
    for index in places:
        match = nouns.search(lowered[index])
        if match and len(lowered[index]) <= len(texts[index]):
            return texts[index][match.start() : match.end()], index
    return None, -1


_NOT = re.compile(r"(?<!\w)(?:nicht|kein\w*|ne|n.|pas|no|não|non|niet|geen)(?: \w+)?\s$")


def _events(words: _Words, lowered: dict[int, str]) -> list[tuple[int, str, float]]:
    """The statuses that sentences report: sentence, status, weight."""
    events = []
    for index, text in lowered.items():
        for status, pattern in words.statuses:
            match = pattern.search(text)
            if match and not (status == "complied" and _NOT.search(text[: match.start()][-20:])):
                events.append(
                    (index, status, _STANDING[status] + (2.0 if index < 0 else 1.0 if index < 2 else 0.0))
                )
    return events
