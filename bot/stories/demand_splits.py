"""Several demands of one kind, told apart: by nation, by instrument, one out of a campaign."""

from __future__ import annotations

import re

from bot.stories.demand_roles import BESIDE, Frame
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


_THING = r"(?:subpoenas?|summons(?:es)?|warrants?|orders?|demands?|requests?|letters?|notices?)"
_ALSO = re.compile(
    rf"(?<!\w)(?:such an?|an? similar|similar|another|an? second|an? third|an? separate) (?:[\w-]+ "
    rf"){{0,2}}{_THING}(?!\w)"
    rf"|{_THING}(?!\w)[^;.]{{0,40}}? (?:too|as well)(?!\w)"
)


def second_demands(frames: list[Frame], marked: list[Marked]) -> tuple[list[Frame], list[Frame]]:
    """Take out the frames that tell of one more demand like the main one: "Microsoft got such a one too"."""
    also = {item.index for item in marked if item.index > 0 and _ALSO.search(item.text)}
    second: list[Frame] = []
    for frame in frames:
        if frame.index not in also or frame.form != "noun" or frame.plural:
            continue
        rest = [other for other in frames if other.index not in also]
        for role in ("issuers", "recipients"):
            ours = {n for n, w in getattr(frame, role).items() if w >= BESIDE and not frame.slots[n].generic}
            theirs = {name for other in rest for name in getattr(other, role)}
            if ours and theirs and not ours & theirs and not any(s.index == frame.index for s in second):
                second.append(frame)
                break
    taken = {frame.index for frame in second}
    return [frame for frame in frames if frame.index not in taken], second


def theirs(frame: Frame, groups: list[Group]) -> Group:
    """One more demand like the main one; what it leaves open, the main one tells."""
    main = max(groups, key=lambda group: group.weight)
    frame.weight = max(frame.weight, ENOUGH)
    return Group(main.family, [frame], frozenset({frame.index}), campaign=main)


def split_instruments(group: Group) -> list[Group]:
    """Two exact instruments, each told whole with an issuer of its own, are two demands: a letter of the
    army, then a warrant of the FBI.
    """
    if group.sentences or group.family != "data":
        return [group]
    told: dict[str, list[Frame]] = {}
    for frame in group.frames:
        if (
            frame.form == "noun"
            and frame.rank >= 7
            and frame.weight >= 1.0
            and not frame.plural
            and whole(frame)
        ):
            told.setdefault(frame.instrument, []).append(frame)
    if len(told) != 2:
        return [group]
    (_, first), (_, second) = sorted(told.items(), key=lambda item: -len(item[1]))
    if {n for f in first for n in f.issuers} & {n for f in second for n in f.issuers}:
        return [group]
    indices = {frame.index for frame in second}
    if indices & {frame.index for frame in first}:
        return [group]
    theirs = [frame for frame in group.frames if frame.index in indices]
    rest = [
        frame
        for frame in group.frames
        if frame.index not in indices and frame.instrument != second[0].instrument
    ]
    last = max(indices)
    following = last + 1 if not any(frame.index == last + 1 for frame in rest) else last
    return [Group(group.family, rest), Group(group.family, theirs, frozenset(indices | {following}))]


def _speaks(group: Group, index: int) -> bool:
    """Whether a sentence speaks of the whole campaign."""
    return any(frame.index == index and frame.plural for frame in group.frames)
