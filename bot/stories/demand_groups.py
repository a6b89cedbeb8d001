"""Which frames speak of the same demand, and which events belong to it.

An article is about one demand unless it says otherwise: data and content are two demands; what it tells of
another case is another matter; in a campaign of many demands one that is singled out stands for itself.
"""

from __future__ import annotations

import re

from bot.stories.demand_before import as_requests, asked_first
from bot.stories.demand_more import followers, ones_more, second_demands, split_followers, theirs
from bot.stories.demand_reported import in_passing, is_plain, loosely_told, reported, stands_alone
from bot.stories.demand_roles import BESIDE, Frame
from bot.stories.demand_splits import (
    single_out,
    split_buyers,
    split_instruments,
    split_nations,
    split_recipients,
)
from bot.stories.demand_told import Group
from bot.stories.marks import Marked
from bot.stories.model import Document
from bot.stories.status import StatusEvent

_OTHER = re.compile(
    r"\b(?:separately|in a separate|in another|another (?:case|matter|request|fight)|"
    r"(?:a )?similar (?:case|issue|dispute|fight|battle|request|order|demand)"
    r"|isn['’]t the first time|is not the first time|not the first|in an earlier|in earlier|"
    r"years earlier|in a previous|previous case|unlike|elsewhere|by contrast|at the same time)\b",
    re.IGNORECASE,
)


def group_frames(
    frames: list[Frame], marked: list[Marked], document: Document
) -> tuple[list[Group], list[Group]]:
    """Put frames together: the demands that the rules hold reported, the main one first, and what is left."""
    elsewhere = _other_matters(document)
    _link_removals(frames, marked)
    _link_plurals(frames, marked)
    frames, first = asked_first(frames, marked)
    frames, second = second_demands(frames, marked)
    if any("executive order" in item.text for item in marked):  # then "the order" is that
        frames = [
            frame for frame in frames if not (frame.form == "noun" and frame.instrument == "court order")
        ]
    named: dict[tuple[str, str], Group] = {}
    for frame in frames:
        matter = "other" if frame.index in elsewhere else "main"
        named.setdefault((matter, frame.family), Group(frame.family)).frames.append(frame)
    for matter in ("main", "other"):
        _assign_open(named, matter)
    groups = [
        group
        for key, group in named.items()
        if key[0] == "main" and reported(group, marked) and not in_passing(group, marked, document)
    ]
    if not groups:  # an article that opens with its other matter
        groups = [g for g in named.values() if reported(g, marked) and not in_passing(g, marked, document)]
    else:
        for key, group in named.items():
            if key[0] == "other" and stands_alone(group, groups):
                group.sentences = elsewhere
                groups.append(group)
    if not groups:
        groups = [g for g in loosely_told(named, marked) if not in_passing(g, marked, document)]
    groups = [part for group in groups for part in split_nations(group)]
    groups = [part for group in groups for part in single_out(group, marked, document)]
    groups = [part for group in groups for part in split_instruments(group, marked)]
    groups = [part for group in groups for part in split_followers(group, marked)]
    groups = [part for group in groups for part in split_recipients(group)]
    groups = [part for group in groups for part in split_buyers(group)]
    groups.extend(theirs(frame, groups, marked) for frame in second if groups)
    groups.extend(as_requests(first, groups))
    groups.extend(followers(groups, marked))
    groups.extend(ones_more(groups, marked))
    groups = _merge_favours(groups)
    if any(group.family == "buy" for group in groups):  # what was bought was also given: one act
        groups = [
            group
            for group in groups
            if group.family != "data"
            or any(f.form not in ("giving", "taking", "seeking") and f.rank >= 5 for f in group.frames)
        ]
    groups = _with_gag(named, groups)
    for group in groups:
        if not group.sentences:
            group.foreign = elsewhere
    groups.sort(key=lambda group: (bool(group.sentences), -group.weight))
    return groups, _rest(named, groups, elsewhere)


def _with_gag(named: dict[tuple[str, str], Group], groups: list[Group]) -> list[Group]:
    """A gag stands with the demand for data that it silences; alone it must be told plainly."""
    silenced = next((group for group in groups if group.family == "data"), None)
    kept = [group for group in groups if group.family != "gag" or len(groups) == 1 or is_plain(group)]
    if silenced and not any(group.family == "gag" for group in kept):
        gags = [group for (_, family), group in named.items() if family == "gag"]
        kept.extend([group for group in gags if max(frame.weight for frame in group.frames) >= 0.3][:1])
    for group in kept:
        if group.family == "gag":
            group.campaign = silenced
    return kept


def _rest(named: dict[tuple[str, str], Group], groups: list[Group], elsewhere: frozenset[int]) -> list[Group]:
    """What the rules do not hold reported, weightiest first."""
    taken = {id(frame) for group in groups for frame in group.frames}
    main = next((group for group in groups if group.family == "data"), None)
    rest = []
    for (matter, _), group in named.items():
        if group.weight < 0.3 or any(id(frame) in taken for frame in group.frames):
            continue
        if matter == "other":
            group.sentences = elsewhere
        elif group.family == "gag":
            group.campaign = main
        group.foreign = elsewhere if matter == "main" else frozenset()
        rest.append(group)
    return sorted(rest, key=lambda group: -group.weight)


_COMPELS = re.compile(
    r"(?<!\w)(?:orders?|ordered|requests?|requested|demand\w*|notices?|directions?|directives?|compelled|"
    r"forced|"
    r"threat\w+|pressure\w*|told|instructed|injunction|insisted|legal (?:action|obligation)|asked|asks|"
    r"slow(?:s|ed)|throttl\w+|fine[sd]?|penali[sz]ed)(?!\w)"
)
_OWN_RULES = re.compile(
    r"(?<!\w)(?:its|their|company|platform|community|own) (?:\w+ )?(?:rules|policy|policies|standards|"
    r"guidelines|terms)(?!\w)"
)


def _link_removals(frames: list[Frame], marked: list[Marked]) -> None:
    """Let a removal rest on the authority that the same or a neighbouring sentence says compelled it."""
    sentences = {item.index: item for item in marked}
    for frame in frames:
        if frame.form == "removal" and not frame.recipients:  # "lifted the block": of what, the title tells
            services = [
                slot
                for index in (-1, 0, 1)
                if index in sentences
                for slot in sentences[index].slots.values()
                if slot.kind in ("company", "organisation") and not slot.generic
            ]
            frame.vote("recipient", services[:1], BESIDE)
        if frame.form not in ("removal", "refusing") or frame.family != "content" or frame.issuers:
            continue
        if frame.index in sentences and _OWN_RULES.search(sentences[frame.index].text):
            continue
        for index in (frame.index, frame.index + 1, frame.index - 1):
            item = sentences.get(index)
            if item is None or index < 0:
                continue
            own = sentences.get(frame.index)
            if not _COMPELS.search(item.text) and not (own and _COMPELS.search(own.text)):
                continue
            if any(other.family == "content" and other.issuers for other in frames if other.index == index):
                continue  # that sentence says itself who ordered it
            states = [
                slot
                for slot in item.slots.values()
                if (slot.kind == "agency" or slot.official) and slot.name not in frame.recipients
            ]
            named = [slot for slot in states if not slot.generic] or states
            if named:
                frame.vote("issuer", named[:1], BESIDE)
                frame.weight = max(frame.weight, 1.0)
                break


_BOTH = re.compile(
    r"(?<!\w)(?:both|the (?:two|three|four|five)|the) (?:\w+ )?(?:sites|companies|firms|platforms|"
    r"services|boards|"
    r"providers|networks|carriers|operators|apps)(?!\w)"
)


def _link_plurals(frames: list[Frame], marked: list[Marked]) -> None:
    """ "The regulator has sent both sites demands": which they are, the sentence before tells."""
    sentences = {item.index: item for item in marked}
    for frame in frames:
        item = sentences.get(frame.index)
        before = sentences.get(frame.index - 1)
        if item is None or before is None or not frame.issuers or frame.form not in ("noun", "verb"):
            continue
        if any(not frame.slots[name].generic for name in frame.recipients) or not _BOTH.search(item.text):
            continue
        firms = [slot for slot in before.slots.values() if slot.kind == "company" and not slot.generic]
        if len({slot.name for slot in firms}) > 1:
            frame.vote("recipient", firms, BESIDE)
            frame.weight = max(frame.weight, 0.9)


def _assign_open(named: dict[tuple[str, str], Group], matter: str) -> None:
    """Give words that fit any demand ("the order", "requests") to the weightiest demand there is."""
    loose = named.pop((matter, "any"), None)
    if loose is None:
        return
    groups = [group for key, group in named.items() if key[0] == matter and key[1] in ("data", "content")]
    gag = named.get((matter, "gag"))
    if (
        gag is not None
        and gag.weight >= 1.5
        and gag.weight > 2 * max((g.weight for g in groups), default=0.0)
    ):
        groups = [gag]
    if groups:
        max(groups, key=lambda group: group.weight).frames.extend(loose.frames)
    else:
        loose.family = "data"
        named[(matter, "data")] = loose


def _merge_favours(groups: list[Group]) -> list[Group]:
    """Searches for another agency are the demand where no other demand for data is told."""
    favours = [group for group in groups if group.family == "favour"]
    if favours and any(group.family == "data" and group.weight >= favours[0].weight + 1 for group in groups):
        return [group for group in groups if group.family != "favour"]
    return [group for group in groups if group.family != "data"] if favours else groups


def _other_matters(document: Document) -> frozenset[int]:
    """Sentences that tell of another matter: from the one that says so to the end of its paragraph."""
    found: set[int] = set()
    paragraph = -1
    for sentence in document.sentences:
        if sentence.paragraph == paragraph:
            found.add(sentence.index)
        elif sentence.index > 1 and _OTHER.search(sentence.text[:1_200]):
            found.add(sentence.index)
            paragraph = sentence.paragraph
    return frozenset(found)


def matters(event: StatusEvent, group: Group, groups: list[Group]) -> bool:
    """Whether an event is one of this demand."""
    if group.sentences:
        return event.index in group.sentences
    if event.index in group.foreign or any(event.index in other.sentences for other in groups):
        return False
    if event.family:
        return group.family == event.family
    return True
