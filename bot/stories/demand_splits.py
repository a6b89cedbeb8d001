"""Several demands of one kind, told apart: by nation, by instrument, one out of a campaign."""

from __future__ import annotations

import re

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


_THING = r"(?:subpoenas?|summons(?:es)?|warrants?|orders?|demands?|requests?|letters?|notices?)"
_ALSO = re.compile(
    rf"(?<!\w)(?:such an?|an? similar|similar|another|an? second|an? third|an? separate) (?:[\w-]+ "
    rf"){{0,2}}{_THING}(?!\w)"
    rf"|{_THING}(?!\w)[^;.]{{0,40}}? (?:too|as well)(?!\w)"
    rf"|(?<!\w)(?:too|also),?(?: had| has| have)? (?:received|got|been served|was served|"
    rf"were served)[^;.]{{0,30}} {_THING}"
)


_LIKE_IT = re.compile(
    rf"(?<!\w)(?:similar|another|second|separate) (?:[\w-]+ ){{0,2}}{_THING} (?:from|by|of)(?!\w)"
)


def second_demands(frames: list[Frame], marked: list[Marked]) -> tuple[list[Frame], list[Frame]]:
    """Take out the frames that tell of one more demand like the main one: "Microsoft got such a one too"."""
    also = {item.index for item in marked if item.index > 0 and _ALSO.search(item.text)}
    texts = {item.index: item.text for item in marked}
    second: list[Frame] = []
    for frame in frames:
        if frame.index not in also or frame.form != "noun" or frame.plural:
            continue
        rest = [other for other in frames if other.index not in also]
        for role in ("issuers", "recipients"):
            ours = {n for n, w in getattr(frame, role).items() if w >= BESIDE and not frame.slots[n].generic}
            theirs = {name for other in rest for name in getattr(other, role)}
            told_like_it = bool(theirs) or (role == "issuers" and _LIKE_IT.search(texts[frame.index]))
            if (
                ours
                and told_like_it
                and not ours & theirs
                and not any(s.index == frame.index for s in second)
            ):
                second.append(frame)
                break
    taken = {frame.index for frame in second}
    return [frame for frame in frames if frame.index not in taken], second


_OF_ITS_OWN = re.compile(
    rf"(?P<who>{PARTY})(?:, [^,;]{{0,60}},|,)? (?:then |later |soon |also )?(?:followed|joined|came|"
    rf"answered|did the same)"
    rf"[^;.]{{0,30}}(?<!\w)(?:one|another|a \w+|{_THING}) of (?:his|her|its|their) own(?!\w)"
)


def followers(groups: list[Group], marked: list[Marked]) -> list[Group]:
    """ "Missouri's attorney general followed with one of his own": the main demand, made by somebody else."""
    found: list[Group] = []
    if not groups or groups[0].family != "data":
        return found
    for item in marked:
        match = _OF_ITS_OWN.search(item.text)
        if match is None:
            continue
        who = [s for s in item.names(match.group("who")) if s.kind in ("agency", "company") or s.official]
        if who:
            frame = Frame(item.index, "informal request", "data", 2, "noun", match.start(), weight=ENOUGH)
            frame.vote("issuer", who, EXPLICIT)
            found.append(theirs(frame, groups))
    return found


def theirs(frame: Frame, groups: list[Group]) -> Group:
    """One more demand like the main one; what it leaves open, the main one tells."""
    main = max(groups, key=lambda group: group.weight)
    frame.weight = max(frame.weight, ENOUGH)
    return Group(main.family, [frame], frozenset({frame.index}), campaign=main)


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
        told, key=lambda frame: sum(f.weight for f in told if _one_kind(f.instrument, frame.instrument))
    )
    main = [frame for frame in told if _one_kind(frame.instrument, first.instrument)]
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


_ONE_MORE = re.compile(
    rf"(?<!\w)(?:an?|the|two|its|his|her|their|'s) (?:\w+ )?(?:earlier|previous|prior|first|second|"
    rf"third|follow-up|"
    rf"later|fresh|older|separate|similar|identical|narrower|new) (?:[\w-]+ ){{0,3}}?(?P<one>{_THING})(?!\w)"
    rf"|(?<!\w)another (?:[\w-]+ ){{0,3}}?(?P<another>{_THING})(?!\w)"
    rf"|(?<!\w)(?:follow-up|older case|earlier case|second (?:case|time|paper)|this time)[^;]{{0,60}}?"
    rf"(?P<told>{_THING})(?!\w)"
)
_THEN = re.compile(
    r"(?<!\w)(?:then|afterwards|later|next|subsequently|after that|meanwhile|in addition|besides|as "
    r"well|replaces?|"
    r"replaced|followed|instead)(?!\w)"
)


def split_followers(group: Group, marked: list[Marked]) -> list[Group]:
    """One more of the same kind, told by its own word ("an earlier warrant", "then got a search warrant")."""
    if group.sentences or group.family != "data" or len(group.frames) < 2:
        return [group]
    texts = {item.index: item.text for item in marked}
    more: dict[int, Frame] = {}
    for frame in group.frames:
        if frame.form != "noun" or frame.plural or frame.index < 0:
            continue
        rest = [each for each in group.frames if each.index != frame.index and each.weight >= 0.5]
        if rest and (_is_one_more(frame, texts[frame.index]) or _comes_then(frame, rest, texts[frame.index])):
            more.setdefault(frame.index, frame)
    while more:
        rest = [frame for frame in group.frames if frame.index not in more]
        main = Group(group.family, rest)
        if main.weight >= _MAIN and any(frame.weight >= 0.5 for frame in rest):
            break
        del more[min(more)]  # that is the demand that the article opens with
    else:
        return [group]
    first = min(more)
    theirs = [frame for frame in group.frames if frame.index in more]
    where = {index + step for index in more for step in (0, 1)} - {frame.index for frame in rest}
    theirs[0].weight = max(theirs[0].weight, ENOUGH)
    return [main, Group(group.family, theirs, frozenset({first, *where}), campaign=main)]


_MAIN = 0.8
"""Weight that the first demand must keep where one more is told."""


def _is_one_more(frame: Frame, text: str) -> bool:
    """Whether the words before an instrument count it as one more."""
    for match in _ONE_MORE.finditer(text):
        for name in ("one", "another", "told"):
            if match.group(name) and match.start() <= frame.position < match.end():
                return True
    return False


def _comes_then(frame: Frame, rest: list[Frame], text: str) -> bool:
    """Whether an exact instrument follows in time on another exact one of an earlier sentence."""
    before = [
        e for e in rest if e.form == "noun" and e.rank >= 5 and e.weight >= 0.5 and e.index < frame.index
    ]
    return (
        frame.rank >= 7
        and frame.weight >= 0.9
        and bool(before)
        and not any(_one_kind(each.instrument, frame.instrument) for each in rest if each.rank >= 5)
        and _THEN.search(text) is not None
    )


def split_recipients(group: Group) -> list[Group]:
    """Orders to remove content that name other firms in other sentences are orders of their own."""
    if group.sentences or group.family != "content":
        return [group]
    parts: list[tuple[set[str], list[Frame]]] = []
    for frame in group.frames:
        firms = _firms([frame]) or _carriers(frame)
        if frame.weight < 0.5 or not firms or frame.form == "removal":
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


_CARRIERS = re.compile(r"(?:providers|carriers|operators|isps|telecoms|telcos|app stores)$", re.IGNORECASE)


def _carriers(frame: Frame) -> set[str]:
    """Those who carry a service: told to block it, they are asked something else than the service is."""
    return {
        name
        for name, weight in frame.recipients.items()
        if weight >= BESIDE and frame.slots[name].kind == "company" and _CARRIERS.search(name)
    }


def _speaks(group: Group, index: int) -> bool:
    """Whether a sentence speaks of the whole campaign."""
    return any(frame.index == index and frame.plural for frame in group.frames)


_KINDS = ("subpoena", "warrant", "summons")


def _one_kind(one: str, other: str) -> bool:
    """Whether two instruments may be one, named once exactly and once not."""
    return one == other or any(kind in one and kind in other for kind in _KINDS)
