"""Several demands of one kind, told apart: by nation, by instrument, one out of a campaign."""

from __future__ import annotations

import re

from bot.stories.demand_more import one_kind
from bot.stories.demand_roles import BESIDE, EXPLICIT, Frame
from bot.stories.demand_told import ENOUGH, Group, whole
from bot.stories.marks import PARTY, Marked
from bot.stories.model import Document

_SINGLED_OUT = re.compile(
    rf"(?<!\w)one (?:subpoena|summons|warrant|order|request|demand|letter|case)(?!\w)"
    rf"|(?<!\w)(?:the|that|this|its) (?:\w+ )?(?:subpoena|summons|warrant|order|demand|"
    rf"request) (?:for|over|about|on|against|targeting) (?:the )?{PARTY}"
)


_NATION = re.compile(
    r"\b(French|Swiss|German|British|UK|Spanish|Italian|Dutch|Belgian|Austrian|Polish|Hungarian|"
    r"Greek|Turkish|Russian|Ukrainian|Belarusian|Chinese|Japanese|Korean"
    r"|Indian|Pakistani|Thai|Vietnamese|Indonesian|Australian|Canadian|Mexican|Brazilian|"
    r"Egyptian|Saudi|Iranian|Israeli|Kenyan|Ugandan|Nigerian|Irish|Danish|Swedish|Norwegian|"
    r"Finnish|US|U\.S\.)\b"
)


def _nations(frame: Frame) -> frozenset[str]:
    found: set[str] = set()
    for name, weight in frame.issuers.items():
        if weight >= BESIDE:
            found.update(_NATION.findall(name))
    return frozenset(found)


def split_nations(group: Group) -> list[Group]:
    """Two countries that ask the same company make two demands ("French police", "Swiss authorities")."""
    weights: dict[str, float] = {}
    for frame in group.frames:
        for nation in _nations(frame):
            weights[nation] = weights.get(nation, 0.0) + frame.weight
    if group.sentences or len(weights) != 2 or min(weights.values()) < 0.8:
        return [group]
    minor = min(weights, key=lambda nation: weights[nation])
    theirs = [frame for frame in group.frames if _nations(frame) == {minor}]
    rest = [frame for frame in group.frames if frame not in theirs]
    if not theirs or not rest:
        return [group]
    taken = {frame.index for frame in rest if _nations(frame)}
    sentences = {frame.index for frame in theirs} | {frame.index + 1 for frame in theirs}
    return [Group(group.family, rest), Group(group.family, theirs, frozenset(sentences - taken))]


def single_out(group: Group, marked: list[Marked], document: Document) -> list[Group]:
    """In a campaign of many demands, one that the article singles out is a demand of its own."""
    if group.sentences or not any(
        frame.plural and frame.form == "noun" and frame.rank >= 5 for frame in group.frames
    ):
        return [group]
    for item in marked:
        if item.index < 1 or not _SINGLED_OUT.search(item.text):
            continue
        theirs = [frame for frame in group.frames if frame.index == item.index]
        rest = [frame for frame in group.frames if frame.index != item.index]
        if not rest or not any(frame.recipients or frame.targets for frame in theirs):
            continue
        sentences = {
            item.index,
            *(
                s.index
                for s in document.sentences
                if s.index == item.index + 1 and not _speaks(group, s.index)
            ),
        }
        single = Group(
            group.family,
            [*theirs, *(frame for frame in rest if frame.index in sentences)],
            frozenset(sentences),
        )
        main = Group(group.family, [frame for frame in rest if frame.index not in sentences])
        single.campaign = main
        if main.frames and main.weight >= ENOUGH:
            return [main, single]
    return [group]


_AGAIN = re.compile(
    r"(?<!\w)(?:returned|came back|went back|this time|instead|afterwards|in the end|a second time|"
    r"turned to)(?!\w)"
)


def split_instruments(group: Group, marked: list[Marked]) -> list[Group]:
    """Two exact instruments are two demands where each is told with parties of its own ("a letter of the
    army, then a warrant of the FBI"), or where the one follows on the other ("came back with a warrant").
    """
    if group.sentences or group.family != "data":
        return [group]
    told = [
        frame
        for frame in group.frames
        if frame.form == "noun"
        and frame.rank >= 6
        and frame.weight >= 1.0
        and not frame.plural
        and frame.named() >= BESIDE
    ]
    if not told:
        return [group]
    again = {item.index for item in marked if _AGAIN.search(item.text)}
    first = max(
        told, key=lambda frame: sum(f.weight for f in told if one_kind(f.instrument, frame.instrument))
    )
    main = [frame for frame in told if one_kind(frame.instrument, first.instrument)]
    parts = []
    gone: set[int] = set()
    for frame in told:
        if frame in main or frame.index in gone or frame.index in {each.index for each in main}:
            continue
        follows = frame.index in again or any(
            each.index in again and each.index > frame.index for each in main
        )
        if not (follows or _of_others(frame, main)):
            continue
        theirs = [each for each in group.frames if each.index == frame.index]
        gone.add(frame.index)
        free = not any(each.index == frame.index + 1 for each in group.frames)
        parts.append((theirs, frozenset((frame.index, frame.index + 1) if free else (frame.index,))))
    if not parts:
        return [group]
    rest = Group(group.family, [frame for frame in group.frames if frame.index not in gone])
    return [rest, *(Group(group.family, theirs, where, campaign=rest) for theirs, where in parts)]


def split_recipients(group: Group) -> list[Group]:
    """Orders that name other firms in other sentences are orders of their own: to remove content, or by an
    exact instrument for data.
    """
    if group.sentences or group.family not in ("content", "data"):
        return [group]
    parts: list[tuple[set[str], list[Frame]]] = []
    for frame in group.frames:
        firms = _firms([frame]) or _carriers(frame) or (_groups(frame) if group.family == "data" else set())
        if frame.weight < 0.5 or not firms or frame.form == "removal":
            continue
        if group.family == "data" and not _exact(frame):
            continue
        near = next((part for part in parts if part[0] & firms), None)
        if near is None:
            parts.append((firms, [frame]))
        else:
            near[0].update(firms)
            near[1].append(frame)
    parts.sort(key=lambda part: -sum(frame.weight for frame in part[1]))
    others = [part for part in parts[1:] if sum(frame.weight for frame in part[1]) >= 0.8]
    if not others:
        return [group]
    theirs = {frame.index for _, frames in others for frame in frames}
    if theirs & {frame.index for frame in parts[0][1]}:
        return [group]
    rest = Group(group.family, [frame for frame in group.frames if frame.index not in theirs])
    found = [rest]
    for _, frames in others:
        where = {frame.index for frame in frames}
        where |= {index + 1 for index in where if not any(f.index == index + 1 for f in group.frames)}
        found.append(Group(group.family, frames, frozenset(where), campaign=rest))
    return found


def _exact(frame: Frame) -> bool:
    return frame.form in ("noun", "verb") and frame.rank >= 5 and frame.weight >= 1.0 and frame.index >= 0


def split_buyers(group: Group) -> list[Group]:
    """Agencies that each buy for themselves, told whole in their own sentences, make demands of their own."""
    if group.sentences or group.family != "buy":
        return [group]
    parts: list[tuple[set[str], list[Frame]]] = []
    for frame in group.frames:
        buyers = {
            name
            for name, weight in frame.issuers.items()
            if weight >= BESIDE and not frame.slots[name].generic
        }
        near = next((part for part in parts if part[0] & buyers), None)
        if near is not None:
            near[0].update(buyers)
            near[1].append(frame)
        elif buyers and whole(frame):
            parts.append((buyers, [frame]))
    taken = {frame.index for _, frames in parts[:1] for frame in frames}
    others = [frames for _, frames in parts[1:] if not taken & {frame.index for frame in frames}]
    if not others:
        return [group]
    gone = {id(frame) for frames in others for frame in frames}
    rest = Group(group.family, [frame for frame in group.frames if id(frame) not in gone])
    return [
        rest,
        *(
            Group(group.family, frames, frozenset(f.index for f in frames), campaign=rest)
            for frames in others
        ),
    ]


def _of_others(frame: Frame, main: list[Frame]) -> bool:
    """Whether an instrument is told with parties that the main one's words do not name."""
    firms, asking = _firms([frame]), set(frame.issuers)
    theirs = {name for each in main for name in each.issuers}
    if firms and _firms(main) and not firms & _firms(main):
        return True
    return frame.rank >= 7 and whole(frame) and any(whole(each) for each in main) and not asking & theirs


def _firms(frames: list[Frame]) -> set[str]:
    return {
        name
        for frame in frames
        for name, weight in frame.recipients.items()
        if weight >= BESIDE and frame.slots[name].kind == "company" and not frame.slots[name].generic
    }


def _groups(frame: Frame) -> set[str]:
    """Hospitals, schools and clubs by name that grammar says are asked."""
    return {
        name
        for name, weight in frame.recipients.items()
        if weight >= EXPLICIT and frame.slots[name].kind == "organisation" and not frame.slots[name].generic
    }


_CARRIERS = re.compile(r"(?:providers|carriers|operators|isps|telecoms|telcos|app stores)$", re.IGNORECASE)


def _carriers(frame: Frame) -> set[str]:
    """Those who carry a service, as one: told to block it, they are asked something else than it is."""
    told = any(
        weight >= BESIDE and frame.slots[name].kind == "company" and _CARRIERS.search(name)
        for name, weight in frame.recipients.items()
    )
    return {"carriers"} if told else set()


def _speaks(group: Group, index: int) -> bool:
    """Whether a sentence speaks of the whole campaign."""
    return any(frame.index == index and frame.plural for frame in group.frames)
