"""Which frames speak of the same demand, and which events belong to it.

An article is about one demand unless it says otherwise: data and content are two demands; what it tells of
another case is another matter; in a campaign of many demands one that is singled out stands for itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bot.stories.demand_roles import BESIDE, EXPLICIT, Frame
from bot.stories.marks import PARTY, Marked
from bot.stories.model import Document
from bot.stories.status import StatusEvent

ENOUGH = 1.0
"""Weight of the frames of a demand, together, from which it is reported."""

_OTHER = re.compile(
    r"\b(?:separately|in a separate|in another|another (?:case|matter|request|fight)|"
    r"(?:a )?similar (?:case|issue|dispute|fight|battle|request|order|demand)"
    r"|isn['’]t the first time|is not the first time|not the first|in an earlier|in earlier|"
    r"years earlier|in a previous|previous case|unlike|elsewhere|by contrast|at the same time)\b",
    re.IGNORECASE,
)
_SINGLED_OUT = re.compile(
    rf"(?<!\w)one (?:subpoena|summons|warrant|order|request|demand|letter|case)(?!\w)"
    rf"|(?<!\w)(?:the|that|this|its) (?:\w+ )?(?:subpoena|summons|warrant|order|demand|"
    rf"request) (?:for|over|about|on|against|targeting) (?:the )?{PARTY}"
)


@dataclass(slots=True)
class Group:
    """Frames that speak of one demand. `sentences` are those it may take its status from; empty: all that
    are left, but for `foreign` ones, which tell of other matters. `campaign` is the demand that this
    one was singled out of: what it leaves open, that one tells.
    """

    family: str
    frames: list[Frame] = field(default_factory=list)
    sentences: frozenset[int] = frozenset()
    foreign: frozenset[int] = frozenset()
    campaign: Group | None = None

    @property
    def weight(self) -> float:
        """How surely the demand is one."""
        return sum(frame.weight for frame in self.frames)

    @property
    def default_status(self) -> str:
        """The status where no event tells one: what was taken, bought or granted was given."""
        if self.family in ("buy", "favour"):
            return "complied"
        forms = {frame.form for frame in self.frames if frame.weight >= 0.6}
        return "complied" if forms and forms <= {"taking", "giving"} else "issued"


def group_frames(frames: list[Frame], marked: list[Marked], document: Document) -> list[Group]:
    """Put frames together, drop what is too weak to be reported, the main demand first."""
    elsewhere = _other_matters(document)
    _link_removals(frames, marked)
    frames, second = _second_demands(frames, marked)
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
        if key[0] == "main" and _reported(group, marked) and not _in_passing(group, document)
    ]
    if not groups:  # an article that opens with its other matter
        groups = [group for group in named.values() if _reported(group, marked)]
    else:
        for key, group in named.items():
            if key[0] == "other" and _stands_alone(group, groups):
                group.sentences = elsewhere
                groups.append(group)
    if not groups:
        groups = _loose(named, marked)
    groups = [part for group in groups for part in _split_nations(group)]
    groups = [part for group in groups for part in _single_out(group, marked, document)]
    groups = [part for group in groups for part in _split_instruments(group)]
    groups.extend(_theirs(frame, groups) for frame in second if groups)
    groups = _merge_favours(groups)
    if any(group.family == "buy" for group in groups):  # what was bought was also given: one act
        groups = [
            group
            for group in groups
            if group.family != "data"
            or any(f.form not in ("giving", "taking", "seeking") and f.rank >= 5 for f in group.frames)
        ]
    groups = [group for group in groups if group.family != "gag" or len(groups) == 1 or _plain(group)]
    for group in groups:
        if group.family == "gag":
            group.campaign = next((each for each in groups if each.family == "data"), None)
    for group in groups:
        if not group.sentences:
            group.foreign = elsewhere
    groups.sort(key=lambda group: (bool(group.sentences), -group.weight))
    return groups


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


def _assign_open(named: dict[tuple[str, str], Group], matter: str) -> None:
    """Give words that fit any demand ("the order", "requests") to the weightiest demand there is."""
    loose = named.pop((matter, "any"), None)
    if loose is None:
        return
    groups = [group for key, group in named.items() if key[0] == matter and key[1] in ("data", "content")]
    gag = named.get((matter, "gag"))
    if not groups and gag is not None and gag.weight >= 1.5:
        groups = [gag]
    if groups:
        max(groups, key=lambda group: group.weight).frames.extend(loose.frames)
    else:
        loose.family = "data"
        named[(matter, "data")] = loose


def _reported(group: Group, marked: list[Marked]) -> bool:
    """Whether a group is a demand: weighty enough, with a name, and with at least two of its parties."""
    frames = group.frames
    if _headline(group, marked):
        return True
    if group.weight < (ENOUGH if not any(_whole(frame) for frame in frames) else 0.8):
        return False
    slots = [slot for frame in frames for slot in frame.slots.values()]
    issuer = _most(frames, "issuers")
    recipient = _most(frames, "recipients")
    if all(slot.generic for slot in slots) and not _told_first(frames):
        first = group.family == "buy" and min(frame.index for frame in frames) < 1
        return first and any(
            s.kind == "company" and not s.generic for m in marked[:5] for s in m.slots.values()
        )
    asked = [frame.slots[name] for frame in frames for name in frame.recipients]
    named = any(
        not frame.slots[name].generic and weight >= BESIDE
        for frame in frames
        for name, weight in frame.issuers.items()
    )
    named = named or all(slot.generic for slot in slots)
    firms = any(slot.kind in ("company", "organisation") and (named or not slot.generic) for slot in asked)
    target = any(frame.targets for frame in frames)
    if group.family in ("favour", "buy"):
        return issuer >= BESIDE
    if group.family == "content":
        if max(frame.weight for frame in frames) < 0.7:
            return False  # what a platform removes of its own accord
        orders = any(frame.rank >= 8 for frame in frames)
        return (issuer >= BESIDE and (firms or orders)) or (
            firms
            and group.weight >= 1.2
            and any(
                (
                    frame.form == "noun"
                    and frame.rank >= 5
                    and max(frame.recipients.values(), default=0.0) >= BESIDE
                )
                or (frame.form == "verb" and frame.index < 0)
                for frame in frames
            )
        )
    exact = any(frame.rank >= 5 and frame.form in ("noun", "verb") for frame in frames)
    if (
        group.family == "data"
        and not exact
        and not firms
        and not any(frame.form == "taking" and target for frame in frames)
    ):
        return False  # people and agencies ask each other for all sorts of things
    sure = (issuer >= BESIDE) + (recipient >= BESIDE and (firms or exact)) + target
    lead = any(
        frame.index < 2 and frame.rank >= 9 and frame.form == "noun" and _named_issuer(frame)
        for frame in frames
    )
    return sure >= 2 or (firms and group.weight >= 1.3) or (lead and group.weight >= 1.5)


_LONG = 14
"""Sentences from which an article is long: what it tells late and lightly is told in passing."""


def _in_passing(group: Group, document: Document) -> bool:
    """Whether a demand is only touched upon, or is a warrant on a person that politics quarrels over."""
    told = [frame.index for frame in group.frames if frame.weight >= 0.5]
    first = min(told, default=0)
    if len(document.sentences) >= _LONG and first > 7 and group.weight < 3.0:
        return True
    if group.family == "content":
        return len(document.sentences) >= _LONG and not any(
            (frame.weight >= 1.0 and (frame.form != "removal" or _whole(frame)))
            for frame in group.frames
            if frame.index < 8
        )
    firms = any(
        frame.slots[name].kind in ("company", "organisation") and weight >= BESIDE
        for frame in group.frames
        for name, weight in frame.recipients.items()
    )
    return group.family == "data" and not firms and first > 1 and len(document.sentences) >= 8


def _whole(frame: Frame) -> bool:
    """Whether one sentence tells who asks and who is asked, one of them by name."""
    sides = (frame.issuers, frame.recipients)
    return all(max(side.values(), default=0.0) >= BESIDE for side in sides) and any(
        not frame.slots[name].generic for side in sides for name in side
    )


_EARLY = 7
"""Sentences in which an article says what it is about."""


def _loose(named: dict[tuple[str, str], Group], marked: list[Marked]) -> list[Group]:
    """The demand of an article that names its instrument early, but its parties in other sentences."""
    early = [item for item in marked if item.index < _EARLY]
    slots = [slot for item in early for slot in item.slots.values() if not slot.generic]
    firm = any(slot.kind == "company" for slot in slots)
    lead = any(s.kind == "company" and not s.generic for m in marked[:2] for s in m.slots.values())
    asking = any(slot.kind in ("agency", "court") or slot.official for slot in slots)
    found = []
    for (matter, family), group in named.items():
        exact = [
            frame
            for frame in group.frames
            if frame.index < _EARLY
            and frame.form in ("noun", "verb", "removal")
            and frame.rank >= 5
            and frame.weight >= 0.5
        ]
        if matter != "main" or family not in ("data", "gag", "content") or not exact:
            continue
        votes = {name for frame in exact for name in (*frame.issuers, *frame.recipients)}
        sure = max(frame.rank for frame in exact) >= (7 if lead else 8) or (
            sum(frame.weight for frame in exact) >= 1.5 and bool(votes)
        )
        if sure and (asking or votes) and (firm or max(frame.rank for frame in exact) >= 9):
            found.append(group)
    return found


def _told_first(frames: list[Frame]) -> bool:
    """Whether the first sentences tell in full who ordered whom, though neither has a name."""
    return any(
        frame.index < 2
        and frame.form == "verb"
        and frame.weight >= 1.2
        and max(frame.issuers.values(), default=0.0) >= EXPLICIT
        and max(frame.recipients.values(), default=0.0) >= BESIDE
        for frame in frames
    )


def _named_issuer(frame: Frame) -> bool:
    return any(weight >= BESIDE and not frame.slots[name].generic for name, weight in frame.issuers.items())


def _headline(group: Group, marked: list[Marked]) -> bool:
    """Whether the title names a company, the article an agency, and sentences an exact instrument."""
    title = marked[0].slots.values()
    firm = any(slot.kind == "company" and not slot.generic for slot in title)
    if (
        not firm
        or sum(frame.weight for frame in group.frames if frame.rank >= 5 and frame.form == "noun") < 0.8
    ):
        return False
    return any(slot.kind in ("agency", "court") for item in marked[:6] for slot in item.slots.values())


def _most(frames: list[Frame], role: str) -> float:
    return max((weight for frame in frames for weight in getattr(frame, role).values()), default=0.0)


def _plain(group: Group) -> bool:
    return any(
        max(frame.issuers.values(), default=0.0) >= BESIDE and frame.weight >= 1.0 for frame in group.frames
    )


def _stands_alone(group: Group, groups: list[Group]) -> bool:
    """Whether what is told of another matter is a demand of its own, fully told."""
    return (
        group.weight >= 1.2
        and any(frame.named() >= BESIDE for frame in group.frames)
        and any(frame.issuers or frame.recipients for frame in group.frames)
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


def _split_nations(group: Group) -> list[Group]:
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


def _single_out(group: Group, marked: list[Marked], document: Document) -> list[Group]:
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


def _second_demands(frames: list[Frame], marked: list[Marked]) -> tuple[list[Frame], list[Frame]]:
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


def _theirs(frame: Frame, groups: list[Group]) -> Group:
    """One more demand like the main one; what it leaves open, the main one tells."""
    main = max(groups, key=lambda group: group.weight)
    frame.weight = max(frame.weight, ENOUGH)
    return Group(main.family, [frame], frozenset({frame.index}), campaign=main)


def _split_instruments(group: Group) -> list[Group]:
    """Two exact instruments, each told whole with an issuer of its own, are two demands: a letter of the
    army, then a warrant of the FBI.
    """
    if group.sentences or group.family != "data":
        return [group]
    whole: dict[str, list[Frame]] = {}
    for frame in group.frames:
        if (
            frame.form == "noun"
            and frame.rank >= 7
            and frame.weight >= 1.0
            and not frame.plural
            and _whole(frame)
        ):
            whole.setdefault(frame.instrument, []).append(frame)
    if len(whole) != 2:
        return [group]
    (_, first), (_, second) = sorted(whole.items(), key=lambda item: -len(item[1]))
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
