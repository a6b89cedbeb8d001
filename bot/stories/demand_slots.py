"""Parties that no list holds, found by the slot in which they stand: "a subpoena to Tangleweed".

The grammar of a demand says who is asked and who asks, whatever the name. A capitalised name in such a slot
is a party, there and wherever else the article writes it. So is a lone "X" where a party must stand.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache

from bot.stories.instruments import load_table
from bot.stories.model import Document, Mention
from bot.stories.names import words

MAX_SENTENCES = 60
"""Sentences in which slots are looked for: who a demand is about is told early."""

_STEMS = (
    "subpoena",
    "court",
    "summon",
    "warrant",
    "order",
    "letter",
    "request",
    "demand",
    "notice",
    "hand",
    "turn",
    "unmask",
    "identif",
    "compl",
    "refus",
    "quash",
    "asked",
    "told",
    "tell",
    "forced",
    "compel",
    "direct",
    "wants",
    "sued",
    "removed",
    "took down",
    "blocked",
    "bought",
    "paid",
    "pays",
    "contract",
    "subscri",
    "data from",
    "sold",
    "purchas",
    "applied",
    "filed",
    "petition",
)
_NAME = (
    r"(?P<name>X(?![\w.-])|[A-Z][\w&'’-]*[\w](?:\.(?:com|org|net|io|ru))?(?: (?:of |the |and |for |de )?"
    r"(?:[A-Z](?:[\w&-]|['’](?!s (?![A-Z])))+|\d{1,3}(?= [A-Z]))){0,4})"
)
_INSTRUMENT = (
    r"(?:subpoenas?|summons(?:es)?|warrants?|orders?|letters?|NSLs?|requests?|demands?|notices?|directives?)"
)
_MIDDLE = r"(?:(?:the|its|an?|both|that|then|also) )?(?:[a-z][\w-]* ){0,2}?"
_BEFORE = (
    rf"(?:[Ss]ubpoena(?:ed|s|ing)|summons(?:ed|ing)|{_INSTRUMENT}(?: (?:was |were |had been )?(?:served|"
    rf"sent|issued|"
    rf"addressed|directed|delivered))?(?: \w+)? "
    rf"(?:(?:(?:from|by|of) (?:the )?(?:[A-Z][\w.&-]* ){{1,4}})?(?:to|on|upon|against|at|for)|from|by|of)|"
    rf"(?:serv(?:ed|es|"
    rf"ing)|sent|sends|"
    rf"(?:order|direct|instruct|command|compell?|press|request|demand|notifi|ask|forc|requir|"
    rf"approach)(?:ed|es|s|ing)|"
    rf"told|tells|tell|wants|wanted|ask|made|makes|make|force|order|let|lets|allow(?:ed|s)?|permitted|"
    rf"gave|hit|slapped|fined|sued)(?: that| by)?|"
    rf"(?:sent|issued|served|addressed|delivered|(?:purchased|bought|obtained|collected|demanded|sought|"
    rf"get|data|records|"
    rf"information|logs|footage|files|names) ?(?:\w+ )?)"
    rf"(?:to|on|from)|(?:pays|paid|contracts? with|deals? with|subscriptions? to|data of|tool of|"
    rf"product of|request of|"
    rf"order of|demand of))"
)
_DOES = (
    r"(?:(?:has |have |had |is |are |was |were |also |then |later |never |not |did |does |would |will |"
    r"must ){0,3}"
    r"(?:received|refused?|complied|comply|challeng(?:ed|es|ing)|fight(?:s|ing)?|fought|moved to|handed|"
    r"hands|turned|"
    r"rejected|objected|appealed|ordered|served|subpoena(?:ed|s)|hand|turn|disclosed?|declined?|"
    r"resist(?:ed|s|ing)|"
    r"obeyed|gave|give|provided?|produced?|got|issued|obtained|sought|seeks|asked|asks|demand(?:ed|s)|"
    r"requested|filed|"
    r"sued|wants|told|tell|sent|passed|shared|shares|revealed|answered|fulfilled|surrendered|gives|"
    r"passes|let|"
    r"bowed|identify|removed|took down|blocked|withdrew|dropped|ignored|withheld|sells|sold|notified|"
    r"unlock|unlocked|gets|removes|obeys|complies|refuses|gone to|went to court|must|has to|need not|"
    r"applied|petitioned|moved for|sought|subscribed|deleted|supplied|asked for|gone after|went after|"
    r"goes after|turned to|leaned on))"
)
_PATTERNS = (
    (re.compile(rf"\b{_BEFORE} {_MIDDLE}{_NAME}(?![\w-])"), False),
    (
        re.compile(
            rf"(?:^|[,;:“\"—–] ?|\b(?:that|and|when|after|but|if|as|while|because) |[A-Z][a-z]+['’]s )"
            rf"{_NAME}(?:, [^.;]{{0,60}}?,|,)? {_DOES}\b"
        ),
        True,
    ),
    (re.compile(rf"(?:^|[ “\"]){_NAME}['’]s? (?:[\w-]+ ){{0,2}}{_INSTRUMENT}\b"), True),
    (
        re.compile(
            rf"\b(?:[Rr]egulator|[Ww]atchdog|[Hh]ost|[Pp]rovider|[Pp]ublisher|[Ee]xchange|[Mm]essenger|"
            rf"[Rr]egistrar|"
            rf"[Nn]ewspaper|[Oo]ffice|[Aa]gency|[Mm]inistry|[Aa]uthority|[Cc]ouncil|[Ss]ervice|"
            rf"[Ss]tartup|[Mm]arketplace|[Ss]tudio|[Bb]oard|[Ff]orum|[Cc]linic|[Ff]irm|[Cc]ompany|[Ww]eekly|"
            rf"[Dd]ealer|[Bb]roker|[Cc]arrier|[Oo]perator|[Rr]etailer|[Ll]andlord|[Dd]eveloper|[Ss]eller|"
            rf"(?:shop|bank|lender|insurer|laboratory|lab|hotel|casino|chain|magazine|charity|nonprofit|union|"
            rf"utility|airline|hospital|processor|vendor|maker)(?=,)|"
            rf"(?:company|"
            rf"firm|vendor|broker|app|tool|platform|group|"
            rf"maker) "
            rf"(?:called|named|known as)),? {_NAME}(?![\w-])"
        ),
        False,
    ),
)

_HAS_NOUN = re.compile(
    r"\b(?:regulator|watchdog|host|provider|publisher|exchange|messenger|registrar|newspaper|office|"
    r"agency|ministry|"
    r"authority|council|service|startup|marketplace|studio|board|forum|clinic|firm|company|vendor|"
    r"broker|app|tool|weekly|dealer|carrier|operator|retailer|landlord|developer|seller|"
    r"platform|group|maker) |\b(?:shop|bank|lender|insurer|laboratory|lab|hotel|casino|chain|magazine|"
    r"charity|nonprofit|union|utility|airline|hospital|processor|maker), "
)
_OFFICERS = re.compile(
    rf"(?:^|[ “\"(]){_NAME}['’]s? (?:(?:own|chief|general|managing|legal|co-|in-house|Swedish|German|"
    rf"French) ?)?"
    r"(?:founders?|co-founders?|CEO|chief executive|managing director|general manager|editors?|publisher|"
    r"terms of service|transparency report|help page|servers?|privacy policy|general counsel|legal (?:desk|"
    r"team|"
    r"department)|customers|subscribers)(?![\w-])"
)
"""Only a firm has these: "Copperline's founder"."""
_HAS_OFFICER = re.compile(
    r"['’]s? (?:[\w-]+ )?(?:founder|co-founder|director|ceo|chief|managing|general|editor|publisher|terms|"
    r"transp|"
    r"help|server|privacy|legal|customers|subscribers)"
)
_IN_A_PLACE = re.compile(
    rf"\b(?:firm|company|provider|host|service|startup|exchange|carrier|operator|shop|collective|clinic|"
    rf"hotel|"
    rf"newspaper|weekly|forum)s? (?:in|from|of|based in) (?:[A-Z][\w-]+ ?){{1,3}}, (?:called )?{_NAME}(?=,)"
)

OUTLET_WORDS = (
    "Record|Times|Post|Tribune|Herald|Gazette|Chronicle|Journal|Observer|Courier|Mercury|Bulletin|Argus|Echo|"
    "Ledger|Examiner|Advertiser|Reporter|Beacon|Standard|Star|Sun|Sentinel|Register|Review|Independent|Globe|"
    "Mail|News|Dispatch|Enquirer|Press"
)
"""The last words of newspapers' names, as alternatives of a pattern."""
_PAPER = re.compile(rf"\b(?P<name>(?:[A-Z][a-z]+ ){{1,3}}(?:{OUTLET_WORDS}))(?![\w-])(?! [A-Z])")
_PRESS = re.compile(
    r"\b(?:newspapers?|weekly|daily|reporters?|editors?|publisher|journalists?|blog|newsroom)\b"
)


_AGENCY = re.compile(
    r"\b(?:Police|Ministry|Commission|Commissioner|Department|Agency|Bureau|Office|Authority|Directorate|"
    r"Sheriff|"
    r"Prosecutor|Treasury|Pentagon|Kremlin|Parliament|Mayor|Guard|Command|Army|Attorney|Inspectorate|"
    r"Council|Committee|Regulator|Board|Service)\b"
)
_NO_PARTY = re.compile(
    r"\b(?:Act|Acts|Amendment|Section|Article|Code|Constitution|Bill|Law|Court|Courts|Judge|Justice|"
    r"Magistrate|Circuit|"
    r"Street|County|Rule|Directive|Regulation|Pegasus|Internet|Web|Title|Chapter|Day|War|Party|Islands?)\b"
    r"|^[A-Z]{1,2}-\d"  # a class of visa
)


_CONTRACTED = re.compile(r"['’](?:ve|re|ll|d|m|t)$")


@cache
def _never() -> frozenset[str]:
    """Words, lower-case, that are no party's name on their own: days, places, pronouns, common openings."""
    generic = load_table("generic_parties.toml")
    slots = load_table("demand_slots.toml")
    words = {*generic["before"], *(noun for nouns in generic["nouns"].values() for noun in nouns)}
    words.update(*slots["never"].values())
    for country in generic["countries"]["names"]:
        words.update(country.split())
    return frozenset(words)


@cache
def _endings() -> frozenset[str]:
    return frozenset(word for words in load_table("demand_slots.toml")["never"].values() for word in words)


@cache
def _places() -> frozenset[str]:
    found: set[str] = set()

    def walk(value: object) -> None:
        if isinstance(value, str):
            found.add(value.lower())
        elif isinstance(value, list):
            for each in value:
                walk(each)
        elif isinstance(value, dict):
            for key, each in value.items():
                found.add(str(key).lower())
                walk(each)

    walk(load_table("places.toml"))
    return frozenset(found)


def slot_mentions(document: Document, mentions: tuple[Mention, ...]) -> list[Mention]:
    """Find the names of parties that `mentions` lack and the grammar of a demand asks for.

    Gives a mention (`by` is "slot") for every place where such a name is written.
    """
    taken: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for mention in mentions:
        taken[mention.sentence].append((mention.start, mention.end))
    texts = [(-1, document.title), *((s.index, s.text) for s in document.sentences[:MAX_SENTENCES])]
    persons = {part for m in mentions if m.kind == "person" for part in m.name.split()}
    whole = " ".join(text for _, text in texts[1:])
    found: dict[str, str] = {}
    apposed = (_PATTERNS[-1], (_IN_A_PLACE, False))
    officers = ((_OFFICERS, True),)
    for index, text in texts:
        text = text[:1_200]
        lowered = text.lower()
        told = any(stem in lowered for stem in _STEMS)
        if index < 0 and _headline_case(text):
            continue
        patterns: tuple[tuple[re.Pattern[str], bool], ...] = _PATTERNS if told else ()
        if _HAS_NOUN.search(lowered):
            patterns += apposed[told:]
        if _HAS_OFFICER.search(lowered):
            patterns += officers
        for pattern, opens in patterns:
            for match in pattern.finditer(text):
                start, stop = match.span("name")
                if any(begin < stop and start < end for begin, end in taken[index]):
                    continue
                name = _clean(match.group("name"), whole, first=start == 0 and opens)
                if name and name not in persons and (index >= 0 or name == "X" or name in whole):
                    found.setdefault(name, _kind(name, text[: match.start("name")]))
    if _PRESS.search(whole):  # an outlet that no list holds
        for index, text in texts:
            for match in _PAPER.finditer(text[:1_200]) if index >= 0 or not _headline_case(text) else ():
                start, stop = match.span("name")
                if not any(begin < stop and start < end for begin, end in taken[index]):
                    name = re.sub(r"^(?:The|A|An|In|On|At) ", "", match.group("name"))
                    found.setdefault(name, "company")
    if any(mention.surface == "X" and mention.name == "Twitter" for mention in mentions) or (
        _LONE_X.search(f"{texts[0][1]} {whole}") and _NETWORK.search(whole)
    ):
        found.setdefault("X", "company")
    mentions_found = [
        m for name, kind in found.items() for m in _places_of(name, _in_full(name, whole), kind, texts, taken)
    ]
    return [*mentions_found, *_attorneys_in(texts, taken), *_countries_in(texts, taken)]


_ASKS = (
    r"(?:has |had |also |then |now |first )?(?:order(?:ed|s)|told|tells|ask(?:ed|s)|demand(?:ed|s)|"
    r"forc(?:ed|es)|block(?:ed|s)|"
    r"bann?(?:ed|s)|threaten(?:ed|s)|request(?:ed|s)|direct(?:ed|s)|made|makes|wants|wanted|fined|fines|"
    r"cut off|slowed|"
    r"sought|seeks|press(?:ed|es)|compell?(?:ed|s)|instruct(?:ed|s)|requires|required|summoned|sent|"
    r"served|issued|slows|slowed|throttl(?:ed|es)|cuts|lift(?:ed|s)|unblock(?:ed|s)|drop(?:ped|s)|"
    r"withdr(?:ew|aws)|"
    r"rescind(?:ed|s)|back(?:ed|s) down|agreed|tries to|tried to|pushed|pushes|insist(?:ed|s)|"
    r"restrict(?:ed|s)|"
    r"clos(?:ed|es) off|shut(?:s)? (?:off|down)|suspend(?:ed|s))"
)
_DEMANDS = (
    r"(?:requests?|demands?|orders?|behest|command|pressure|insistence|directives?|notices?|bans?|block|"
    r"blockade|censors)"
)
_ACTING = {
    "London": "UK government",
    "UK": "UK government",
    "Moscow": "Russian government",
    "Beijing": "Chinese government",
    "Ankara": "Turkish government",
    "Delhi": "Indian government",
    "New Delhi": "Indian government",
    "Canberra": "Australian government",
}
"""Names that stand for a government only where they act."""


_CAPITAL = re.compile(r"[A-Z]\w+")


@cache
def _countries() -> frozenset[str]:
    """The first words of countries' names."""
    names = load_table("generic_parties.toml")["countries"]["names"]
    return frozenset(
        ("UK", "Canberra", *(name.removeprefix("the ").title().partition(" ")[0] for name in names))
    )


@cache
def _country() -> re.Pattern[str]:
    names = "|".join(
        re.escape(name.removeprefix("the ").title())
        for name in sorted(load_table("generic_parties.toml")["countries"]["names"], key=len, reverse=True)
        if name not in ("the us", "the uk", "washington", "brussels", "berlin", "paris", "rome", "madrid")
    )
    names += "|UK|Canberra"
    return re.compile(
        rf"(?<![\w-])(?:(?P<subject>{names})(?= {_ASKS}\b)|"
        rf"(?P<owner>{names})(?=['’]s? (?:[a-z-]+ ){{0,2}}{_DEMANDS}\b)|"
        rf"\b{_DEMANDS} (?:of|from|by) (?P<after>{names})(?![\w'’-]))"
    )


_ATTORNEY = re.compile(
    r"(?:U\.S\.|US|United States) [Aa]ttorney(?:['’]s? [Oo]ffice)?(?!s? [Gg]eneral)(?![\w])"
)


_CITY = re.compile(
    r"(?:^|[.,;:] |\b(?:by|from|when|after|that|and|"
    r"said) )(?:[Tt]he )?(?P<city>[Cc]ity of (?P<of>[A-Z][a-z]+(?: [A-Z][a-z]+)?))(?![\w-])"
)


def _attorneys_in(texts: list[tuple[int, str]], taken: dict[int, list[tuple[int, int]]]) -> list[Mention]:
    """The office that issues most grand jury subpoenas, and cities, where no list names them."""
    found = []
    for index, text in texts:
        for match in _CITY.finditer(text[:1_200]) if "ity of " in text else ():
            start, stop = match.span("city")
            if not any(begin < stop and start < end for begin, end in taken[index]):
                name = f"City of {match.group('of')}"
                found.append(Mention(name, "agency", index, start, stop, match.group("city"), "slot"))
        for match in _ATTORNEY.finditer(text[:1_200]) if "ttorney" in text else ():
            if not any(begin < match.end() and match.start() < end for begin, end in taken[index]):
                found.append(
                    Mention(
                        "U.S. Attorney", "agency", index, match.start(), match.end(), match.group(), "slot"
                    )
                )
    return found


_PLACED = re.compile(r"\b(?:in|from|of|across|throughout|within|outside|inside|near|to|for) (?:the )?$")


def _countries_in(texts: list[tuple[int, str]], taken: dict[int, list[tuple[int, int]]]) -> list[Mention]:
    """Countries that act as their governments: "Turkey ordered", "at Russia's request"."""
    found = []
    pattern = _country()
    for index, text in texts:
        if _countries().isdisjoint(_CAPITAL.findall(text)):
            continue
        for match in pattern.finditer(text[:1_200]):
            group = match.lastgroup or "subject"
            start, stop = match.span(group)
            if any(begin < stop and start < end for begin, end in taken[index]):
                continue
            if group == "subject" and _PLACED.search(text[max(0, start - 12) : start]):
                continue
            name = match.group(group)
            found.append(Mention(_ACTING.get(name, name), "agency", index, start, stop, name, "country"))
    return found


def _headline_case(title: str) -> bool:
    """Whether nearly every word of a headline has a capital, so that capitals tell nothing."""
    words = re.findall(r"[A-Za-z]{4,}", title)
    return len(words) > 3 and sum(word[0].isupper() for word in words) > 0.7 * len(words)


_WITH_MORE = frozenset(
    (
        "app",
        "home",
        "foreign",
        "internal",
        "state",
        "house",
        "justice",
        "interior",
        "white",
        "security",
        "new",
    )
)
"""Words that, capitalised, belong to the word behind them, which is no name without them."""


def _clean(name: str, whole: str, *, first: bool) -> str | None:
    """The name without words that are none; None where nothing is left. `first`: it opens a sentence."""
    name = re.sub(r"['’]s?$", "", name)
    if name == "X":
        return name
    owner = re.match(r"([A-Z]\w+)['’]s ", name)
    if owner and owner.group(1).lower() in _places():  # "Japan's Shueisha"
        name, first = name[owner.end() :], False
    parts = name.split()
    never = _never()
    if not first and parts and parts[0] == "New" and " ".join(parts[:2]).lower() in _places():
        return None
    cut = ""
    while parts and parts[0].lower() in never:
        cut = parts.pop(0)
        first = False
    if len(parts) == 1 and cut[:1].isupper() and cut.lower() in _WITH_MORE:
        return None  # "Affairs" of "Home Affairs", "Store" of "App Store"
    while parts and (parts[-1].islower() or parts[-1].lower() in _endings()):
        parts.pop()
    kept = " ".join(parts)
    if len(parts) == 1 and (parts[0].lower() in words().given or _CONTRACTED.search(parts[0])):
        return None
    if len(kept) < 3 or _NO_PARTY.search(kept) or kept.lower() in _places():
        return None
    if first and len(parts) == 1:  # any word may open a sentence
        if kept.lower() in whole or (
            kept.endswith("s") and not re.search(rf"[a-z,] {re.escape(kept)}\b", whole)
        ):
            return None
        if kept.endswith(("ly", "ing")):
            return None
    return kept


_LONE_X = re.compile(
    r"(?<![\w.-])(?<!Malcolm )(?<!Generation )X (?:may|has|had|is|was|said|says|did|does|would|will|must|"
    r"could|can|gives?|"
    r"gave|loses?|lost|wins?|won|sues?|sued|blocks?|blocked|complie[ds]|refuse[ds])(?!\w)"
)
_NETWORK = re.compile(r"(?<!\w)(?:Musk|Twitter|social (?:media|network)|platform|tweets?)(?!\w)")


def _in_full(name: str, whole: str) -> str:
    """The name as the article writes it at length: "Meridian" is "Meridian Signals"."""
    if " " in name or name == "X":
        return name
    longer = re.search(
        rf"[a-z,] {re.escape(name)} (?P<more>[A-Z][a-z]+(?: (?:Inc|LLC|Ltd|Corp)\b)?)(?!['’\w])", whole
    )
    if (
        longer
        and longer.group("more").lower() not in _never()
        and longer.group("more").lower() not in _places()
    ):
        return f"{name} {longer.group('more')}"
    return name


def _kind(name: str, before: str) -> str:
    if _AGENCY.search(name) or re.search(
        r"\b(?:[Rr]egulator|[Ww]atchdog|[Mm]inistry|[Aa]gency|[Oo]ffice|[Aa]uthority|[Cc]ouncil|"
        r"(?:security|secret|intelligence) service),? $|\b(?:requests?|orders?|demands?) of [A-Z]\w+['’]s $",
        before,
    ):
        return "agency"
    return "company"


def _places_of(
    name: str, full: str, kind: str, texts: list[tuple[int, str]], taken: dict[int, list[tuple[int, int]]]
) -> list[Mention]:
    pattern = re.compile(
        rf"(?<![\w.-])(?:{re.escape(full)}|{re.escape(name)})(?![\w-])"
        if name != "X"
        else r"(?<![\w.-])(?<!Malcolm )(?<!Generation )X(?![\w.-])(?!\))"
    )
    canonical = "Twitter" if name == "X" else full
    mentions = []
    for index, text in texts:
        if name not in text:
            continue
        for match in pattern.finditer(text[:1_200]):
            start, stop = match.span()
            if not any(begin < stop and start < end for begin, end in taken[index]):
                taken[index].append((start, stop))
                mentions.append(Mention(canonical, kind, index, start, stop, match.group(), "slot"))
    return mentions
