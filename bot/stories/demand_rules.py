"""The rules that the reading of one sentence rests on: the verbs compiled, fact told from possibility.

What may happen, what a bill would allow, what the law says in general, is no demand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from bot.stories.demand_roles import LIST, LISTS, demanding, fill, verbs
from bot.stories.marks import COURT, DATA, DEVICE, MARKS, PARTY, Marked, Slot

THINGS = f"[{DATA}{DEVICE}]"


@dataclass(frozen=True, slots=True)
class Rules:
    """The compiled verbs of `data/demand_verbs.toml`."""

    instrument_verb: re.Pattern[str]
    instrument_verbs: tuple[str, ...]
    demanding: re.Pattern[str]
    active: re.Pattern[str]
    passive: re.Pattern[str]
    hypothetical: re.Pattern[str]
    attempt: re.Pattern[str]
    taking: re.Pattern[str]
    giving: re.Pattern[str]
    gave: re.Pattern[str]
    refusing: re.Pattern[str]
    deed: re.Pattern[str]
    buying: re.Pattern[str]
    bought_plain: re.Pattern[str]
    contract: re.Pattern[str]
    sold_to: re.Pattern[str]
    selling: re.Pattern[str]
    paying: re.Pattern[str]
    spent: re.Pattern[str]


@cache
def rules() -> Rules:
    """Compile the verbs, once a process."""
    table = verbs()
    ask, deeds = table["demanding"], table["deeds"]
    deed = (
        rf"(?<!\w)(?:(?P<silence>{fill(deeds['silence'])})|(?P<plain>{fill(deeds['plain'])})|"
        rf"(?P<content>{fill(deeds['content'])})|(?P<deed>{fill(deeds['data'])}))(?!\w)"
    )
    instrument_verbs = table["instrument_verbs"]
    gave = fill(table["giving"]["gave"])
    return Rules(
        instrument_verb=re.compile(
            r"(?<![\w-])(?:"
            + "|".join(f"({fill(words)})" for words in instrument_verbs.values())
            + r")(?!\w)"
        ),
        instrument_verbs=tuple(instrument_verbs),
        demanding=re.compile(
            rf"(?<![\w-])(?:(?P<order>{fill(ask['order'])})|(?P<force>{fill(ask['force'])})|"
            rf"(?P<ask>{fill(ask['ask'])}))(?!\w)"
        ),
        # "ordered Twitter to hand over", "demanded that Google name", "ordered Lee's provider to turn over"
        active=re.compile(
            rf"(?: (?:that|for|of|on|upon|both|from|against))?(?: (?:the|its|a|an|reporter|journalist|lawyer|"
            rf"attorney|editor|activist|traveller|traveler|passenger|student|professor|internet|web|"
            rf"tech|all|both|two|three|four|five|six|seven|eight|nine|ten|\d+|dozens of|hundreds of|"
            rf"main|several|big|biggest|largest|major|eleven|twelve|portals|editors of|hosts|access|local|"
            rf"telecommunications and|phone and|mobile and|other|same|"
            rf"[a-z]+'s))* (?:(?P<who>{LIST})|it|them|you|"
            rf"him|us)(?!\w)"
            rf"(?P<own>'s? (?:[\w-]+ ){{0,3}}?(?P<owned>{LIST}))?(?P<between>[^;{MARKS}]{{0,60}}?){deed}"
        ),
        # "was ordered by a judge to hand over", "was asked for the data"
        passive=re.compile(
            rf"(?: [\w,-]+){{0,4}}?(?: by (?:the |a |"
            rf"an )?(?:[\w-]+ ){{0,2}}?(?P<by>{LIST}))?[^;]{{0,60}}? (?:to|for|that it|that they)"
            rf" (?:[\w,-]+ ){{0,3}}?(?:{deed}|(?P<thing>[^;]{{0,40}}? {THINGS}))"
        ),
        hypothetical=re.compile(
            rf"(?<![\w'])(?:{fill(table['hypothetical']['before'])})(?!\w)(?: [\w'{MARKS}-]+){{0,4}} $"
        ),
        attempt=re.compile(
            rf"(?:(?P<who>{LIST})(?P<gap>'s?(?: [\w-]+){{0,3}}|"
            rf" [^;,]{{0,40}}?))? (?:(?:{fill(table['attempts']['words'])}) (?:to|of|that)|"
            rf"(?:(?:gone|went|goes) to (?:an? |the )?(?:[\w-]+ )?(?:court|{COURT})|fails?|failed|"
            rf"tries|tried|"
            rf"wants?|wanted|seeks?|sought|hopes|hoped|"
            rf"aims) to) (?P<rest>[^;]{{0,60}}?){deed}(?P<after>[^;]{{0,70}})"
        ),
        taking=re.compile(
            rf"(?<![\w-])(?:(?P<seek>{fill(table['taking']['seek'])})|"
            rf"(?P<obtain>{fill(table['taking']['obtain'])}))(?P<gap> [^;]{{0,70}}?)(?P<thing>[\w"
            rf"-]+) {THINGS}(?: (?P<more>[\w-]+) {THINGS})?"
        ),
        giving=re.compile(
            rf"(?<![\w-]){gave}(?!\w)(?P<gap>[^;]{{0,100}}?) (?:to|with) (?:the |a |"
            rf"an )?(?:[\w-]+ ){{0,2}}?(?P<to>{LIST})"
        ),
        gave=re.compile(
            rf"(?<![\w-]){gave} (?:the |a )?(?:[\w-]+ ){{0,2}}?(?P<to>{LIST})(?P<gap>[^;]{{0,60}}?) {THINGS}"
        ),
        refusing=re.compile(
            rf"(?:refus(?:ed|es|ing|al|e)|declin(?:ed|es|ing)|would not|will not|won't|did not|"
            rf"didn't|does not|doesn't|has not|have not|failed|fails|failing|not|never|"
            rf"nothing to)"
            rf"(?: (?:(?:in|on|for|since) [\w,]+|twice|again|so far|yet|repeatedly|last \w+|this \w+))?"
            rf" (?:to |want to |wish to |agree to |\w+ly )*{deed}(?P<gap>[^;]{{0,110}})"
        ),
        deed=re.compile(deed),
        buying=re.compile(
            rf"(?P<who>{LIST})(?P<mid>[^;]{{0,60}}?)(?<![\w-]){fill(table['buying']['buy'])}(?!\w"
            rf")(?P<gap>[^;]{{0,120}}?)(?:'s | (?:from|with|to|for|by) )(?:the |a |"
            rf"an )?(?:[\w-]+ ){{0,4}}?(?P<from>{LIST})"
        ),
        # "ICE bought access to a database": who sold it is told elsewhere
        bought_plain=re.compile(
            rf"(?P<who>{LIST})(?P<mid>[^;]{{0,40}}?)(?<![\w-])(?:bought|buy(?:s|ing)?|paid for|pays for|"
            rf"(?:spent|paid) [$€£][\d,.]+(?: \w+)?[^;]{{0,40}}? (?:on|for)|took out a subscription|"
            rf"(?<!into )(?<!of )(?<!about )(?<!the )(?<!their )(?<!his )(?<!her )purchas(?:e|es|ed|ing))"
            rf" [^;]{{0,50}}?(?:{DATA}|(?<!\w)(?:access|feeds?|products?|tools?|"
            rf"software|subscriptions?|licen[cs]es?)(?!\w))"
        ),
        # "the sheriff's contract with Fog"
        contract=re.compile(
            rf"(?P<who>{LIST})'s?(?P<mid> (?:[\w$,.-]+ ){{0,3}}?)(?:contract|deal|subscription|licen[cs]e|"
            rf"agreement) "
            rf"(?:with|to|from|for) (?:the )?(?:[\w-]+ ){{0,4}}?(?P<from>{LIST})"
        ),
        # "Fog sells police departments access to location data"
        sold_to=re.compile(
            rf"(?P<who>{LIST})(?P<mid>[^;]{{0,40}}?)(?<![\w-]){fill(table['buying']['sell'])} "
            rf"(?:the )?(?P<to>{LIST}) "
        ),
        # "ICE pays Babel Street for access", "tracked phones with a tool of Fog, for which it paid"
        paying=re.compile(
            rf"(?P<who>{LIST})(?P<mid>[^;]{{0,40}}?)(?<![\w-])(?:(?:pays?|paid|paying)(?: (?:the |"
            rf"an? )?[\w$,.-]+)"
            rf"{{0,3}}? (?:to )?(?:the )?(?:[\w-]+ ){{0,2}}?(?P<from>{LIST})[^;]{{0,20}} for|"
            rf"[^;]{{0,60}}?(?:tools?|"
            rf"software|products?|services?|"
            rf"app|programs?|subscriptions?|platform|licen[cs]es?) (?:of|from|by|made by|sold by|"
            rf"built by) (?:the )?"
            rf"(?:[\w-]+ ){{0,3}}?(?P<maker>{LIST})[^;]{{0,80}}?(?:paid|cost|\$|contract|bought|million|"
            rf"a year))"
        ),
        spent=re.compile(
            rf"(?P<who>{LIST})(?P<mid>[^;]{{0,30}}?)(?<![\w-])(?:spent|spends|spending|paid|"
            rf"pays) [^;]{{0,30}}?(?:on|for) "
            rf"[^;]{{0,40}}?(?:tools?|software|products?|services?|app|programs?|subscriptions?|platform|"
            rf"licen[cs]es?|access) "
            rf"(?:of|from|by|made by|sold by|built by|to)(?: the| a)? (?:[\w-]+ ){{0,3}}?(?P<from>{LIST})"
        ),
        selling=re.compile(
            rf"(?:(?P<who>{LIST})(?P<mid>[^;{MARKS}]{{0,60}}?))?(?<![\w-])(?P<verb>{fill(table['buying']['sell'])})(?!"
            rf"\w)(?P<gap>[^;]{{0,120}}?) to (?:the |a |an )?(?:(?!for |"
            rf"that )[\w.-]+ ){{0,3}}?(?P<to>{LIST})"
        ),
    )


_DEFINITE = re.compile(
    r"(?:(?<!\w)(?:the|its|their|his|her|this|that|these|those|both|hundreds of|dozens of|"
    r"thousands of|several|one|first|second)|'s|s')(?: [\w-]+){0,3} $"
)
_DENIED = re.compile(
    r"(?<!\w)(?:isn't|is not|is no|was no|wasn't|no|without|lack(?:ing|ed|s)|any|(?:any|no|without|"
    r"needs?) such an?|need|"
    r"(?:avoid|circumvent|sidestep|bypass|evad|skirt|dodg)(?:e?s|ing|p?ed)?|(?:get|got|getting|ways?) around|"
    r"needs|whether an?|if an?) (?:a |an |the )?(?:[\w-]+ )?$"
)
_ABOUT_TO = re.compile(
    r"(?<!\w)(?:threaten(?:s|ed|ing)?|vow(?:s|ed|ing)?|plan(?:s|ned|ning)?|"
    r"(?:is|are|was|were) (?:ready|prepared)) to $"
)
"""Before "subpoena", a verb there: what somebody threatens."""
_TO_GET = re.compile(
    r"(?<!\w)(?:to|must|should|would|could|first|generally|and) (?:\w+ )?(?:get|obtain|seek|"
    r"have|secure|issue|use|require|apply for)(?: (?:a|an|any|individual|court|"
    r"search))*(?: [\w-]+){0,2} $"
)
GENERAL = re.compile(
    r"(?<!\w)(?:in each case|in every case|always|each time|whenever|routinely|"
    r"under the (?:bill|proposal|law|rules)|in general|generally|if enacted|typically|"
    r"for example, (?:if|when)|every time)(?!\w)"
)


_STILL_FACT = re.compile(
    r"(?<!\w)(?:will|would|to|won't|may|can|could|not) (?:\w+ ){0,2}?(?:oppose|fight|challenge|"
    r"appeal|contest|resist|comply with|go along with|give in to|defy|obey|ignore|quash|block|honou?r|"
    r"answer|reconsider|"
    r"enforce|withdraw|drop)(?: \S+){0,4} $"
    r"|(?<!\w)used? (?:[\w-]+ ){0,4}to $"
    r"|(?<!\w)(?:orders?|rulings?|subpoenas?|warrants?|injunction|decision) (?:that|which) (?:would|"
    r"could) (?:have )?(?:\w+ )?$"
    rf"|(?<!\w)(?:ask(?:s|ed|ing)|petition\w*|appl(?:ied|ies|ying|ication)|urg(?:es|ed|ing)|mov(?:ed|es)|"
    rf"want(?:s|ed))"
    rf"(?!\w)[^;,]{{0,40}}?(?:court|judge|{COURT})[^;,]{{0,30}}? to (?:let |allow |permit |"
    rf"authori[sz]e )?(?:it |them |him |"
    rf"her |the \S+ )?(?:to )?$"
    rf"|{COURT}[^;,]{{0,40}}? (?:allow(?:ed|s)|lets?|permit(?:ted|s)|cleared) [^;,]{{0,40}}?(?: to)? $"
)
"""What is done about a demand may be to come, the demand is there; powers that were used were used."""


def is_fact(left: str, *, noun: bool) -> bool:
    """Whether what stands before a word lets it be a fact."""
    if _STILL_FACT.search(left):
        return True
    if noun:
        if _ABOUT_TO.search(left):
            return False
        if _DENIED.search(left) or _TO_GET.search(left):
            return False
        if _DEFINITE.search(left):
            return True
    return rules().hypothetical.search(left) is None


PRONOUN_SUBJECT = re.compile(
    r"(?:^|[ ,\"(])(?:it|they|he|she|we)(?: (?:had|has|have|also|then|now|first|later))? $"
)


_SAID_IT = re.compile(
    rf"(?P<who>{LIST})(?:,? (?:has|had|have|also|later|now|then|since))* (?:said|says|confirm(?:ed|s)|"
    rf"admit(?:ted|s)|"
    rf"acknowledg(?:ed|es)|announc(?:ed|es)|insist(?:ed|s)|stat(?:ed|es)|wrote|writes|explain(?:ed|s)|"
    rf"told (?:[\w'{MARKS}-]+ ){{0,3}}?)(?:on \w+ )?(?: ?that)? (?:it|they|he|she)"
    rf"(?: (?:had|has|have|also|then|now|first|later|would|will|did|does))? $"
)


_WHO_THEN = re.compile(r",? (?:which|who|that)(?: (?:had|has|have|also|later|then|first|\w+ly))* $")


_GOVERNED = re.compile(
    r"(?<!\w)(?:of|for|against|with|in|at|to|over|behind|about|on|under|asked|wanted|told|from)"
    r"(?: the| a| an)?(?: \w+)? $"
)
_WHEN = re.compile(
    r"(?<!\w)(?:in|on|at|of|by|for|to) (?:january|february|march|april|may|june|july|august|"
    r"september|october|november|"
    r"december|monday|tuesday|wednesday|thursday|friday|saturday|sunday|\d{4}|response|court|"
    r"return|addition|turn|"
    r"fact|total|first|last|once|date|secret|papers|instance|example) $"
)


_ASKED_A_COURT = re.compile(
    rf"(?P<who>{LIST})(?:,? [^;.,]{{0,30}},?)? (?:ask(?:ed|s|ing)|petition(?:ed|s|ing)|appl(?:ied|ies) to|"
    rf"turn(?:ed|s) to|went to|gone to|goes to|mov(?:ed|es)|urg(?:ed|es)|persuad(?:ed|es)|"
    rf"convinc(?:ed|es)|wants?|wanted|got|had)(?: to)? (?:the |an? )?(?:[\w-]+ ){{0,3}}?{COURT}"
    rf"[^;]{{0,60}}? (?:to|for an order (?:to|that would))(?: \w+)? $"
)
"""Before what a court shall do: whoever asked it is the one that demands."""
_ASIDE = re.compile(rf"(?P<who>{LIST}), (?:who|which|whose) [^,;]{{0,80}}{PARTY}[^,;]{{0,30}}, (?:\w+ )?$")
"""A clause about the one that acts: "Olsen, who chairs the Linn County Democrats, subpoenaed"."""
_THROUGH = re.compile(
    r"'s (?:[\w-]+ )?(?:campaign|office|administration|government|lawyers?|attorneys?|legal team|"
    r"counsel)(?!\w)"
)
"""By whom somebody acts: "Biden's campaign wrote to Facebook"."""
_COURT_SIGN = re.compile(COURT)
_APART = re.compile(rf"^{PARTY}, (?P<last>{PARTY})$")


def subject_of(left: str, marked: Marked, *, courts: bool) -> list[Slot]:
    """The party that acts: the nearest before the verb that no preposition holds; none behind a pronoun."""
    if PRONOUN_SUBJECT.search(left):
        said = _SAID_IT.search(left)  # "Proton confirmed that it"
        return demanding(marked.names(said.group("who"))) if said else []
    if _COURT_SIGN.search(left) and (asker := _ASKED_A_COURT.search(left)):
        return demanding(marked.names(asker.group("who")))
    if left.endswith((", ", "ly ", "so ")) and (aside := _ASIDE.search(left)):
        return demanding(marked.names(aside.group("who")), courts=courts)
    for match in reversed(list(LISTS.finditer(left))[-3:]):
        before = left[: match.start()]
        if _WHO_THEN.match(left, match.end()):  # "the challenge to the ministry, which ordered"
            relative = demanding(marked.names(match.group()), courts=courts)
            if relative:
                return relative
        if _GOVERNED.search(before) and not _WHEN.search(before):
            state = before.endswith((" of ", " of the ")) and any(
                slot.kind == "agency" for slot in marked.names(match.group())
            )
            last = _APART.search(match.group())
            apart = demanding(marked.names(last.group("last")), courts=courts) if last else []
            if apart:  # "at the gate of Downing Street, detectives got"
                return apart
            if not state:  # "officers of the FBI" act for the FBI
                continue
        if left[match.end() : match.end() + 2] == "'s" and not _THROUGH.match(left, match.end()):
            owner = re.match(r"'s (?:[\w-]+ ){0,3}[\w-]+(?:, [^,;]{0,40},)? $", left[match.end() :])
            if not owner:
                continue
        kept = demanding(marked.names(match.group()), courts=courts)
        if kept:
            return kept
    return []


def holds(text: str, letters: tuple[str, ...]) -> bool:
    """Whether some of the letters stand in a text."""
    for some in letters:  # noqa: SIM110 - asked of every sentence for every kind of rule: half the time of any()
        if some in text:
            return True
    return False
