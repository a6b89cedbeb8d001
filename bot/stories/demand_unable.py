"""Who cannot demand and who cannot be asked, whatever the words around them say.

"John Doe" is whom a suit wants to name; officers, judges and chambers of a parliament demand and are not
asked; a platform or a carrier without a name is asked and does not demand.
"""

from __future__ import annotations

import re

from bot.stories.demand_guesses import UMBRELLA, holds_office
from bot.stories.demand_roles import BESIDE, OF_THE_STATE, Frame
from bot.stories.marks import Slot

_UNKNOWN = re.compile(
    r"^(?:(?:John|Jane|Mr\.?|Ms\.?) )?(?:and (?:John|Jane) )?Does?(?: [\dIVX]+.*)?$", re.IGNORECASE
)
_BEFORE_A_COURT = re.compile(
    r"^(?:petitioner|respondent|plaintiff|defendant|appellant|appellee)s?$", re.IGNORECASE
)
_ONLY_DEMANDS = re.compile(
    r"\b(?:detectives?|agents?|officers?|investigators?|prosecutors?|deputies|troopers|inspectors|sleuths|"
    r"judges?|magistrates?|court|jury|lawmakers|law enforcement|feds|officials|governments?|regulators?|"
    r"sheriffs?)$",
    re.IGNORECASE,
)
_CHAMBERS = frozenset(
    ("House of Representatives", "Senate", "Congress", "House of Commons", "House of Lords")
)
_ONLY_ASKED = re.compile(
    r"\b(?:platforms?|providers?|carriers?|isps?|networks?|host|messengers?|registrars?|telecoms|telcos|"
    r"intermediaries|engines)$",
    re.IGNORECASE,
)


FOR_OFFICES = (*OF_THE_STATE, "administrative summons")
"""Instruments that nobody without an office has."""


def in_office(slot: Slot) -> bool:
    """Whether somebody acts in an office of the state."""
    return slot.official or holds_office(slot.name)


def unable(slot: Slot, role: str) -> bool:
    """Whether a party can never be "issuer" or "recipient" (favours between agencies aside)."""
    if _UNKNOWN.match(slot.name):
        return True
    if role == "issuer":
        return slot.generic and slot.kind == "company" and _ONLY_ASKED.search(slot.name) is not None
    if slot.name in _CHAMBERS or _BEFORE_A_COURT.match(slot.name) or slot.kind == "court":
        return True
    return (
        (slot.generic or UMBRELLA.search(slot.name) is not None)
        and slot.kind == "agency"
        and _ONLY_DEMANDS.search(slot.name) is not None
    )


def leave_out_the_unable(frames: list[Frame]) -> None:
    """Take back the votes for parties that cannot have the role; the unknown speaker is the target."""
    for frame in frames:
        for role, votes in (("issuer", frame.issuers), ("recipient", frame.recipients)):
            if role == "recipient" and frame.family == "favour":
                continue
            for name in [name for name in votes if unable(frame.slots[name], role)]:
                del votes[name]
                if _UNKNOWN.match(name):
                    frame.vote("target", [frame.slots[name]], BESIDE)
