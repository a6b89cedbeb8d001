"""Which part each party plays: from the demands, from who does what to whom, and from their trade.

The demands come first: they were read with care by their own stage. What they leave open is decided by
frames (a verb of the kinds in `party_roles.toml`, with the party before it and the party after it), and
what those leave open by what a party is: an advocacy group that speaks is a critic, a spyware maker a vendor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.stories.model import Demand
from bot.stories.standing import Standing

STATE = frozenset(("intelligence", "law enforcement", "department", "regulator", "police"))
NAMED_ONLY = ("other", "named only")
SPEAKERS = frozenset(("advocacy", "research", "law firm", "press"))
MAKERS = frozenset(("spyware", "surveillance", "broker"))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the roles of all parties hang on: the demands' own words, and who else is in the story."""

    given: dict[str, str]  # roles by name, from the demands
    parents: frozenset[str]  # parents of agencies that demand
    people: frozenset[str]  # names of people, lower case without blanks
    makers: bool  # makers or sellers of the means of surveillance are named
    regulators: bool
    states: bool  # agencies with powers of their own are named, not only a government
    most: int  # mentions of the agency with powers of its own that is named most
    attacked: bool  # an official in the title acts against platforms, rather than they against somebody
    sued: bool  # a person goes to court


def facts_of(story: dict[str, Standing], demands: tuple[Demand, ...]) -> Facts:
    """Gather what `decide` needs to know of the whole story."""
    given = _from_demands(demands, story)
    issuers = [story[name].entry for name, role in given.items() if role == "issuer" and name in story]
    everybody = story.values()
    people = [standing for standing in everybody if standing.kind == "person"]
    return Facts(
        given=given,
        parents=frozenset(entry.parent for entry in issuers if entry is not None and entry.parent),
        people=frozenset(person.name.lower().replace(" ", "") for person in people),
        makers=any(s.sort in MAKERS for s in everybody if s.kind == "company"),
        regulators=any(s.sort == "regulator" for s in everybody),
        states=any(s.kind == "agency" and (s.sort in STATE or s.entry is None) for s in everybody),
        most=max((s.count for s in everybody if s.kind == "agency" and s.sort in STATE), default=0),
        attacked=any(p.sort == "official" and p.in_title and p.frames["sanction:agent"] for p in people),
        sued=any(p.frames["sue:agent"] for p in people),
    )


def _from_demands(demands: tuple[Demand, ...], story: dict[str, Standing]) -> dict[str, str]:
    """The roles that the demands give, by name; the first demand's word stands.

    A target in other words ("Doe's account") is the person or the account of the story that it names.
    """
    given: dict[str, str] = {}
    for demand in demands:
        bought = demand.instrument == "purchase"
        for names, role in (
            (demand.issuer, "buyer" if bought else "issuer"),
            (demand.recipient, "vendor" if bought else "recipient"),
            (demand.target, "target"),
        ):
            for name in names:
                given.setdefault(name, role)
                if role == "target" and name not in story:
                    for party in _named_in(name, story):
                        given.setdefault(party, role)
    return given


def _named_in(words: str, story: dict[str, Standing]) -> list[str]:
    """The people and accounts whose (last) name stands in `words`."""
    there = frozenset(re.findall(r"@?[\w-]+", words.lower()))
    return [
        standing.name
        for standing in story.values()
        if standing.kind in ("person", "account") and standing.name.lower().rsplit(" ", 1)[-1] in there
    ]


def decide(standing: Standing, facts: Facts) -> tuple[str, str]:
    """The role of one party, and the reason in words."""
    role = facts.given.get(standing.name)
    if role is not None:
        parent = standing.entry.parent if standing.entry is not None else ""
        if parent and facts.given.get(parent) == role and standing.kind == "company":
            return "other", "a service of a company that is named itself"
        return role, "named so in a demand"
    match standing.kind:
        case "agency":
            return _agency_beside_demand(standing, facts) if facts.given else _agency(standing, facts)
        case "company":
            return _company(standing, facts)
        case "organisation":
            return _organisation(standing)
        case "person":
            return _person(standing, facts)
        case "account" if _is_acted_upon(standing, facts):
            return "target", "an account that is acted upon"
    return NAMED_ONLY


def _is_acted_upon(account: Standing, facts: Facts) -> bool:
    """Whether an account is what the story is about, and not just where a person of it was quoted from."""
    handle = account.name.lower().strip("@_").removeprefix("real").removeprefix("the")
    if handle in facts.people:
        return False
    if facts.given:
        return not any(name.startswith("@") for name in facts.given)
    return bool(account.weight("moderate:patient", "sue:patient") or account.singled_out)


def _agency(standing: Standing, facts: Facts) -> tuple[str, str]:
    acts = _state_acts(standing)
    if standing.weight("buy:agent", "sell:patient") > acts and facts.makers:
        return "buyer", "buys from a firm of the trade"
    if standing.sort == "intelligence" and standing.count >= facts.most:
        return "issuer", "an intelligence service in a story about power over data"
    prominent = standing.in_title or standing.count >= 3 or standing.first <= 1
    leading = standing.in_title or standing.first <= 1
    if standing.sort in STATE and (leading or (prominent and acts) or acts >= 2):
        return "issuer", "the power that the story is about"
    alone = standing.sort == "executive" and standing.name != "White House" and not facts.states
    if alone and (acts or standing.in_title or standing.count >= 2):
        return "issuer", "the government that acts"
    if standing.entry is None and acts and prominent:
        return "issuer", "acts on somebody's data or speech"
    return NAMED_ONLY


def _agency_beside_demand(standing: Standing, facts: Facts) -> tuple[str, str]:
    """An agency in a story whose demands name others: their parent, or one that acts along with them."""
    if standing.name in facts.parents and standing.count > 1:
        return "issuer", "the parent of an agency that demands"
    own_power = standing.sort in STATE or standing.entry is None
    if own_power and _state_acts(standing) and not standing.criticised:
        return "issuer", "acts along with those that demand"
    return NAMED_ONLY


def _state_acts(standing: Standing) -> int:
    return standing.weight("watch:agent", "sanction:agent", "demand:agent", "moderate:agent")


def _company(standing: Standing, facts: Facts) -> tuple[str, str]:
    prominent = standing.in_title or standing.count >= 3
    if standing.sort in MAKERS:
        if facts.given or not facts.regulators:
            central = standing.sort == "spyware" or prominent or standing.count > 1 or standing.first <= 3
            return ("vendor", "makes or sells the means") if central else NAMED_ONLY
        if prominent or standing.first <= 1:
            return "target", "a regulator acts against it"
        return NAMED_ONLY
    if facts.given:
        return NAMED_ONLY
    if facts.sued and standing.frames["sue:patient"]:
        return "recipient", "sued by somebody over what it carries"
    sanctioned = standing.weight("sanction:patient", "violate:agent")
    moderates = standing.frames["moderate:agent"]
    if moderates and moderates >= sanctioned and prominent and not facts.attacked:
        return "issuer", "decides what stands on its platform"
    attacked = sanctioned or (facts.attacked and standing.sort == "platform")
    if attacked and (prominent or standing.first <= 3):
        return "target", "somebody acts against it"
    if standing.frames["sell:agent"] >= 2 and standing.entry is None:
        return "vendor", "sells it"
    return NAMED_ONLY


def _organisation(standing: Standing) -> tuple[str, str]:
    if standing.sort == "law firm":
        return "counsel", "a law firm"
    if standing.sort in ("advocacy", "research"):
        if standing.counsels and standing.sort == "advocacy":
            return "counsel", "acts for somebody"
        if standing.sort == "research":
            return "critic", "a group that found it out"
        if standing.complains or standing.speaks or standing.count > 1 or standing.frames["criticise:agent"]:
            return "critic", "a group that objects"
        return NAMED_ONLY
    if standing.sort in ("movement", "media") and standing.weight("moderate:patient", "watch:patient"):
        return "target", "acted upon"
    return NAMED_ONLY


def _person(standing: Standing, facts: Facts) -> tuple[str, str]:
    if standing.counsels and standing.sort in ("", "advocate") and standing.count <= 4:
        return "counsel", "a lawyer for somebody"
    if standing.sort == "regulator" and (facts.given or facts.regulators):
        return "issuer", "heads a regulator that acts"
    if standing.sort in ("advocate", "researcher", "regulator"):
        return "critic", "an advocate who speaks"
    prominent = standing.in_title or standing.count >= 3
    watched = standing.weight("watch:patient", "moderate:patient")
    acts = standing.weight("watch:agent", "moderate:agent", "sanction:agent", "sue:agent")
    if standing.sort == "target" and (standing.singled_out or not facts.given):
        return "target", "acted upon"
    if not standing.sort and standing.singled_out and not standing.speaks and not standing.allies & SPEAKERS:
        return "target", "suspected, arrested, or watched"
    if facts.given and standing.sort == "official" and standing.speaks and standing.allies & STATE:
        return "issuer", "speaks for the agencies that demand"
    if not facts.given:
        if standing.frames["sue:agent"] and prominent:
            return "issuer", "goes to court"
        if standing.sort == "official" and acts and standing.in_title:
            return "issuer", "acts by the power of office"
        if watched >= (3 if standing.sort == "politician" else 2) and prominent and watched > acts:
            return "target", "acted upon"
    if facts.given and standing.sort in ("", "official") and standing.in_office and not standing.speaks_for:
        return "issuer", "holds the office that demands"
    if facts.given and standing.whose_data and not standing.in_office and not standing.counsels:
        return "target", "whose data it is about"
    objects = standing.complains or standing.frames["criticise:agent"]
    if standing.sort == "politician" and objects:
        return "critic", "a lawmaker who objects"
    if standing.sort == "executive" and objects:
        return "critic", "a head of a firm who objects"
    if not standing.sort and ("advocacy" in standing.allies or (objects and "research" in standing.allies)):
        return "critic", "speaks for a group that objects"
    if not standing.sort and standing.objects and not standing.in_office and not standing.speaks_for:
        return "critic", "objects in words of their own"
    return NAMED_ONLY
