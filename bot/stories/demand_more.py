"""One more demand of the same kind: "another subpoena", "Microsoft got one too", "then came a warrant"."""

from __future__ import annotations

import re

from bot.stories.demand_roles import BESIDE, EXPLICIT, Frame, demanding
from bot.stories.demand_told import ENOUGH, Group, whole
from bot.stories.marks import COMPANY, PARTY, Marked

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
            found.append(theirs(frame, groups, marked))
    return found


_HAD = (
    r"(?:received|got|gets|was sent|were sent|was served(?: with)?|fulfilled|answered|had|is to answer|"
    r"complied with|obeyed|was handed|has(?: received| got)?|was hit with)"
)
_ONE = (
    rf"(?:(?:one|another|a (?:second|third|narrower|new(?:,? (?:and )?narrower)?)(?: one)?|one like it|"
    rf"its own|one of its own)"
    rf"(?= too| as well|,| in \d| for | from |[.]| on | the | after | last | this | when | earlier| out )"
    rf"|(?:a similar|a separate|the same|an identical|such an?) (?:[\w-]+ )?{_THING}(?!\w))"
)
_GOT_ONE = re.compile(
    rf"(?P<who>{COMPANY})(?:, [^,;]{{0,50}},)?(?:,? (?:which|it|too|also|has|had|itself|that|"
    rf"(?:admit|confirm)\w*(?: to {PARTY})?|(?:said|says|told {PARTY})(?: that)? it))*,? {_HAD} {_ONE}"
)
_SENT_ONE = re.compile(
    rf"(?:(?P<by>{PARTY})|(?<!\w)(?:he|she|it|they))(?: then| later| soon| has| had)* (?:sent|issued|served|"
    rf"obtained|got|filed)(?: (?P<who>{COMPANY}))? {_ONE}"
)


def ones_more(groups: list[Group], marked: list[Marked]) -> list[Group]:
    """ "Microsoft got one too", "it then sent another": the main demand once more, by its number alone."""
    if not groups or groups[0].family not in ("data", "content") or groups[0].sentences:
        return []
    family = groups[0].family
    told = {frame.index for group in groups for frame in group.frames if frame.weight >= 0.5}
    known = {
        name for group in groups for frame in group.frames if frame.weight >= 0.5 for name in frame.recipients
    }
    for item in marked:
        got = _GOT_ONE.search(item.text)
        match = got or (_SENT_ONE.search(item.text) if family == "data" else None)
        if match is None or item.index < 1 or item.index in told:
            continue
        frame = Frame(item.index, "informal request", family, 2, "noun", match.start(), weight=ENOUGH)
        who = [slot for slot in item.names(match.group("who") or "") if not slot.generic]
        if got and (not who or who[0].name in known):
            continue
        frame.vote("recipient", who, EXPLICIT)
        if not got and match.group("by"):
            frame.vote("issuer", demanding(item.names(match.group("by"))), EXPLICIT)
        return [theirs(frame, groups, marked)]
    return []


def theirs(frame: Frame, groups: list[Group], marked: list[Marked]) -> Group:
    """One more demand like the main one; what it leaves open, the main one tells."""
    main = max(groups, key=lambda group: group.weight)
    frame.weight = max(frame.weight, ENOUGH)
    own = {each.index for each in main.frames}
    asked = frame.recipients or {name for each in main.frames for name in each.recipients}
    goes_on = {
        item.index
        for item in marked
        if item.index == frame.index + 1
        and item.index not in own
        and any(slot.name in asked for slot in item.slots.values())
    }
    return Group(main.family, [frame], frozenset({frame.index, *goes_on}), campaign=main)


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
    r"replaced|followed|instead|already|earlier|previously|before that)(?!\w)"
    r"|^(?:(?:on|in|by) )?(?:the )?(?:\d{1,2} )?(?:january|february|march|april|may|june|july|august|"
    r"september|"
    r"october|november|december|jan\.|feb\.|aug\.|sept\.|oct\.|nov\.|dec\.)(?!\w)"
)


def split_followers(group: Group, marked: list[Marked]) -> list[Group]:
    """One more of the same kind, told by its own word ("an earlier warrant", "then got a search warrant")."""
    if group.sentences or group.family != "data" or len(group.frames) < 2:
        return [group]
    texts = {item.index: item.text for item in marked}
    more: dict[int, Frame] = {}
    for frame in group.frames:
        rest = [each for each in group.frames if each.index != frame.index and each.weight >= 0.5]
        if frame.form == "taking" and _searched_too(frame, rest):
            more.setdefault(frame.index, frame)
        if frame.form != "noun" or frame.plural or frame.index < 0:
            continue
        if rest and (_is_one_more(frame, texts[frame.index]) or _comes_then(frame, rest, texts[frame.index])):
            more.setdefault(frame.index, frame)
    while more:
        rest = [frame for frame in group.frames if frame.index not in more]
        main = Group(group.family, rest)
        told = main.weight >= _MAIN or any(whole(frame) for frame in rest)
        first_named = len(more) == 1 or any(frame.rank >= 4 for frame in rest)
        if told and first_named and any(frame.weight >= 0.5 for frame in rest):
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


def _searched_too(frame: Frame, rest: list[Frame]) -> bool:
    """Whether somebody else than in earlier sentences is searched, told whole both times."""
    before = [
        each
        for each in rest
        if each.index < frame.index
        and each.index >= 0
        and each.instrument == "search warrant"
        and whole(each)
    ]
    searched = {name for each in before for name in each.recipients}
    return (
        frame.instrument == "search warrant"
        and whole(frame)
        and bool(before)
        and not searched & set(frame.recipients)
    )


def _is_one_more(frame: Frame, text: str) -> bool:
    """Whether the words before an instrument count it as one more."""
    for match in _ONE_MORE.finditer(text):
        for name in ("one", "another", "told"):
            if match.group(name) and match.start() <= frame.position < match.end():
                return True
    return False


_ANY_ORDER = ("court order", "takedown order", "informal request")
"""What an exact instrument is called as well: "the order" is the warrant that was told before."""


def _comes_then(frame: Frame, rest: list[Frame], text: str) -> bool:
    """Whether an exact instrument stands beside one of another kind, told whole or set apart in time."""
    exact = [
        each
        for each in rest
        if each.form == "noun" and each.rank >= 5 and each.weight >= 0.5 and each.instrument not in _ANY_ORDER
    ]
    if frame.rank < 7 or frame.weight < 0.3 or not exact:
        return False
    if any(one_kind(each.instrument, frame.instrument) for each in rest if each.rank >= 5):
        return False
    return (frame.weight >= 1.0 and frame.named() >= BESIDE) or _THEN.search(text) is not None


_KINDS = ("subpoena", "warrant", "summons")


def one_kind(one: str, other: str) -> bool:
    """Whether two instruments may be one, named once exactly and once not."""
    return one == other or any(kind in one and kind in other for kind in _KINDS)
