"""Who is named in an article, and who takes part in what it tells.

`find_mentions` finds every place where a party is named: by the gazetteer, by the form of the name, or by
a word that stands for a party named before. `cast` picks from them those that take part, with their roles.
"""

from __future__ import annotations

import calendar
from dataclasses import replace

from bot.record import Notes
from bot.stories import author, coreference, names, organisations, people, roles
from bot.stories.demand_slots import slot_mentions
from bot.stories.gazetteer import Alias, Entry, Tokens, load, tokenise
from bot.stories.known_names import Scan
from bot.stories.model import Demand, Document, Mention, Party
from bot.stories.standing import standings

MONTHS = frozenset(month for month in calendar.month_name if month)
MOST = 20  # parties given for one story


def find_mentions(document: Document) -> tuple[Mention, ...]:
    """Every mention of a party in the title (sentence -1) and the sentences, in order, none overlapping.

    Costs one pass over the words and a second one over what is left; no input makes it more than linear.
    """
    scans = [_scan(-1, document.title)]
    scans.extend(_scan(s.index, s.text) for s in document.sentences)
    mentions = _chapters_with_their_parent(coreference.resolve(scans))
    spoken = author.speaking(document, mentions)
    return tuple(sorted((*mentions, *spoken), key=lambda m: (m.sentence, m.start))) if spoken else mentions


def _chapters_with_their_parent(mentions: tuple[Mention, ...]) -> tuple[Mention, ...]:
    """Give an organisation and its chapter ("the ACLU", "the ACLU of Ohio") one name: that named first."""
    entries = load().entries
    first = dict.fromkeys(mention.name for mention in mentions if mention.kind == "organisation")
    order = list(first)
    kept: dict[str, str] = {}
    for name in order:
        entry = entries.get(name)
        parent = entries.get(entry.parent) if entry is not None and entry.parent in first else None
        if entry and parent and parent.sort == entry.sort and parent.name not in kept:
            keep, other = sorted((name, parent.name), key=order.index)
            kept[other] = keep
    if not kept:
        return mentions
    return tuple(replace(m, name=kept[m.name]) if m.name in kept else m for m in mentions)


def _scan(sentence: int, text: str) -> Scan:
    """Find the names in one sentence, from left to right, the longest first."""
    gazetteer = load()
    tokens = tokenise(text)
    scan = Scan(sentence, text, tokens, names.is_title_case(tokens))
    small_starts = gazetteer.small_starts
    lows, given = tokens.lows, names.words().given
    upto = 0  # where the last name found ends
    for at, (word, low) in enumerate(zip(tokens.words, tokens.lows, strict=True)):
        if word == low and low not in small_starts and word[0] != "@":
            continue  # most words: small letters, figures, marks
        first = word[0]
        if at < upto or not (first.isupper() or first == "@" or low in small_starts):
            continue
        if first == "@":
            if len(word) > 2 and not _signs_a_post(tokens, at):
                scan.spans.append(names.Found(at, at + 1, word.replace("\\", ""), "account"))
            continue
        if at > 1 and lows[at - 1] in _BEFORE_PLACE and first.isupper():
            placed = organisations.find_placed(tokens, at, scan.spans[-1].end if scan.spans else 0)
            if placed is not None:
                scan.spans.append(placed)
                upto = placed.end
                continue
        known = gazetteer.match(tokens, at)
        if known is not None and low == "the" and _is_only_a_start(tokens, at, known[0]):
            continue
        found = None
        if first.isupper():
            sure_end = known[0] if known and not (known[1].weak and low in given) else at  # "Vine", not "Tim"
            found = _find_unlisted(tokens, at, sure_end, headline=scan.headline)
        if known is not None and (found is None or known[0] >= found.end):
            upto = _take_known(scan, at, known)
        elif found is not None:
            scan.spans.append(found)
            upto = found.end
        elif first.isupper():
            scan.loose.append(at)
            place = gazetteer.places.trie.longest(tokens.lows, at)
            upto = place[0] if place is not None else at + 1
    return scan


_BEFORE_PLACE = frozenset(("in", "of"))


def _is_only_a_start(tokens: Tokens, at: int, end: int) -> bool:
    """Whether a longer name begins after the "the" of a known one.

    "The House" Judiciary Committee, "The Information" Commissioner's Office.
    """
    if end >= len(tokens.words) or not names.is_capital(tokens.words[end]):
        return False
    longer = load().match(tokens, at + 1)
    if longer is not None and longer[0] > end:
        return True
    found = organisations.find_organisation(tokens, at + 1, at + 1, headline=False)
    return found is not None and found.end > end


_BEFORE_MORE = frozenset((".", "'", "’", "-", ",", "(", "of", "for", "on", "&", "and"))


_PAPERS = frozenset(("newspaper", "weekly", "daily", "magazine", "paper"))
"""What is named after one of them is no person, whatever it looks like ("the weekly Larkton Mercury")."""


def _find_unlisted(tokens: Tokens, start: int, known_end: int, *, headline: bool) -> names.Found | None:
    """The longest name at the capitalised token `start` that its form betrays, or None.

    `known_end` is where a party of the gazetteer ends that starts here too (`start` when none does): a
    pattern must go beyond it without a break.
    """
    lists = names.words()
    low = tokens.lows[start]
    ahead = tokens.words[start + 1] if start + 1 < len(tokens.words) else ""
    capital_ahead = bool(ahead) and ahead[0].isupper()
    before = tokens.lows[start - 1] if start else ""
    is_place = low in load().places.trie.root
    if low in lists.fronts.root and (fronted := organisations.find_fronted(tokens, start)) is not None:
        return fronted
    if known_end == start and (force := organisations.find_force(tokens, start)) is not None:
        local = organisations.find_local(tokens, start) if is_place else None
        return force if local is None else local
    if not (capital_ahead or is_place) and (
        low in lists.never
        or (ahead not in _BEFORE_MORE and before not in lists.trade and ahead not in lists.particles)
    ):
        return None
    best = organisations.find_local(tokens, start) if is_place or capital_ahead else None
    if capital_ahead or ahead in _BEFORE_MORE or ahead in lists.particles:
        for found in (
            organisations.find_organisation(tokens, start, known_end, headline=headline),
            people.find_person(tokens, start, headline=headline)
            if known_end == start and before not in _PAPERS
            else None,
        ):
            if found is not None and (best is None or found.end > best.end):
                best = found
    trade_near = capital_ahead or ahead == "," or before in lists.trade
    if best is None and known_end == start and trade_near and not headline:
        return organisations.find_by_trade(tokens, start)
    return best


def _signs_a_post(tokens: Tokens, at: int) -> bool:
    """Whether a handle only signs an embedded post: "... - Jane Doe (@janedoe) May 23, 2018"."""
    if not 0 < at < len(tokens.words) - 1 or tokens.words[at - 1] != "(" or tokens.words[at + 1] != ")":
        return False
    return at + 2 >= len(tokens.words) or tokens.words[at + 2] in MONTHS


def _take_known(scan: Scan, at: int, known: tuple[int, Alias]) -> int:
    end, alias = known
    entry = alias.entry
    if alias.weak and not _is_supported(scan, at, end, entry):
        place = load().places.trie.longest(scan.tokens.lows, at)
        if place is not None and place[0] > end:  # "United States"
            scan.loose.append(at)
            return place[0]
        scan.weak.append((at, end, entry))
        return end
    start = at
    if entry.country == "United States" and at > 0:
        if scan.tokens.words[at - 1] in ("US", "U.S."):
            start = at - 1
        elif at > 1 and scan.tokens.words[at - 2 : at] == ["United", "States"]:
            start = at - 2
        if scan.spans and scan.spans[-1].end > start:
            start = at
    while scan.loose and scan.loose[-1] >= start:  # "U.S." belongs to it now
        scan.loose.pop()
    scan.spans.append(names.Found(start, end, entry.name, entry.kind, by="gazetteer"))
    return end


def _is_supported(scan: Scan, at: int, end: int, entry: Entry) -> bool:
    """Whether the words beside a weak alias say that it names a party.

    Its trade stands before it ("the messenger Wire"), or firms are counted up ("Apple, Rumble and Meta").
    """
    if entry.kind not in ("company", "organisation") or scan.headline:
        return False
    tokens = scan.tokens
    there, lows, count = tokens.words, tokens.lows, len(tokens.words)
    if end < count and (names.is_capital(there[end]) or there[end] in ("-", "of", "&")):
        return False
    before = lows[at - 1] if at else ""
    if names.words().trade.get(before) and before != "app" and there[at - 1] == before:
        return True
    gazetteer = load()
    if before in (",", "and", "or") and scan.spans:
        last = scan.spans[-1]
        gap = lows[last.end : at]
        if last.kind == "company" and last.by == "gazetteer" and " ".join(gap) in _IN_A_LIST:
            return True
    if end + 1 < count and lows[end] == "," and (before in (",", ":") or before in _BEFORE_A_LIST):
        ahead = gazetteer.match(tokens, end + 1) if names.is_capital(there[end + 1]) else None
        return ahead is not None and ahead[1].entry.kind == "company" and not ahead[1].weak
    return False


_IN_A_LIST = frozenset((",", "and", "or", ", and", ", or"))
_BEFORE_A_LIST = frozenset(
    ("to", "from", "on", "at", "against", "by", "with", "as", "like", "including", "also", "and")
)


def _only_in_demands(
    document: Document, mentions: tuple[Mention, ...], demands: tuple[Demand, ...]
) -> list[Mention]:
    """The places of parties that no list holds, and that only the grammar of a demand betrays.

    A country beside a common noun ("governments, Russia among them") is an example and no party.
    """
    known = {mention.name for mention in mentions}
    lacking: set[str] = set()
    alone: set[str] = set()
    for demand in demands:
        for role in (demand.issuer, demand.recipient, demand.target):
            lacking.update(role)
            if all(name[0].isupper() for name in role):
                alone.update(role)
    lacking = {name for name in lacking - known if name[0].isupper()}
    if not lacking:
        return []
    return [
        mention
        for mention in slot_mentions(document, mentions)
        if mention.name in (alone & lacking if mention.by == "country" else lacking)
    ]


def cast(
    document: Document, mentions: tuple[Mention, ...], demands: tuple[Demand, ...], notes: Notes
) -> tuple[Party, ...]:
    """Choose the parties that take part in the story and say in which role.

    Those who demand, answer, watch, sell or object come first, then the others by how often they are
    named. Media are parties only where something is done to them or asked of them: what they report is
    the story itself.
    """
    story = standings(document, (*mentions, *_only_in_demands(document, mentions, demands)))
    texts = {sentence.index: sentence.text for sentence in document.sentences}
    facts = roles.facts_of(story, demands)
    chosen: list[tuple[Party, str]] = []
    for standing in story.values():
        role, reason = roles.decide(standing, facts)
        if role == "other" and (standing.sort == "press" or standing.named == 0):
            continue
        shown = [texts[index] for index in standing.sentences if index in texts][:2]
        chosen.append((Party(standing.name, standing.kind, role, standing.count, tuple(shown)), reason))
    chosen.sort(key=lambda item: (item[0].role == "other", -item[0].mentions))
    for party, reason in chosen[:MOST]:
        notes.note(
            "party", party.role, f"{party.name} ({party.kind}): {reason}.", evidence=party.evidence[:1]
        )
    return tuple(party for party, _ in chosen[:MOST])
