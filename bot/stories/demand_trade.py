"""Data that agencies get without an order: bought from a firm, or looked up by another agency as a favour."""

from __future__ import annotations

import re

from bot.stories.demand_roles import EXPLICIT, LIST, Frame
from bot.stories.demand_rules import holds, is_fact, rules
from bot.stories.marks import COMPANY, DATA, Marked

_GOODS = re.compile(
    rf"(?:{DATA}|(?<!\w)(?:access|feeds?|netflow|posts|movements|monitor(?:s|ed|ing)?|track(?:s|ed|ing)?|"
    rf"watch(?:es|ed|ing)?|broker|"
    r"licen[cs]es?|subscriptions?|follow(?:s|ed|ing)?|alerts|firehose|surveill\w+|itineraries|look-?ups|"
    r"social media|whereabouts|places where)(?!\w))"
)


_GIVEN = re.compile(
    r"(?<!\w)(?:provid|suppl|acquir|licens|contract)\w*(?!\w)(?!.*(?<!\w)(?:sell|sold|buy|bought|"
    r"purchas|paid|pay)\w*)"
)
_MONEY = re.compile(
    r"[$€£]|(?<!\w)(?:million|paid|pays?|paying|bought|buy\w*|purchas\w+|sell\w*|sold|sale|subscri\w+|"
    r"licen[sc]e\w*|"
    r"brokers?|customers?|contracts? (?:with|for|worth|to)|deal)(?!\w)"
)
_BUYERS = re.compile(
    r"^(?:(?:local|state|federal|county|city|us|u\.s\.) )?(?:sheriffs?|deputies|detectives|prosecutors|"
    r"authorities|officers|agents|police(?: departments?)?|law enforcement|"
    r"government|military|army|"
    r"(?:federal|intelligence|spy|border|tax) agenc(?:y|ies)|immigration agents|border agents)$",
    re.IGNORECASE,
)
_BUYING = (
    "bought",
    "buy",
    "purchas",
    "paid",
    "pay",
    "acquir",
    "licens",
    "contract",
    "subscri",
    "procur",
    "spen",
    "deal",
)
_SELLING = ("sell", "sold", "resold", "market", "peddl", "licensed", "suppl", "provid")
_PRODUCT_OF = re.compile(
    rf"{COMPANY},? (?:which is )?(?:an? |the )?(?:[\w-]+ )?(?:product|tool|service|app|software|"
    rf"program|system) "
    rf"(?:of|by|from|made by|sold by|built by)(?: the| a)? (?:[\w-]+ ){{0,3}}?(?P<maker>{LIST})"
)
_NOT_DATA_BOUGHT = re.compile(
    r"(?<!\w)(?:fine|fines|settle\w*|penalty|damages|ransom|shares|stake|startup|start-up|company)(?!\w)"
)


def bought(marked: Marked) -> list[Frame]:
    """Data that an agency buys from a firm, or a firm sells to an agency; the seller may stand elsewhere."""
    text = marked.text
    frames = []
    if holds(text, _BUYING):
        for match in rules().buying.finditer(text):
            frames.append(_trade(marked, match, match.group("who"), match.group("from")))
        plain = ("bought", "buy", "purchas", "spent", "paid", "pays", "subscription")
        for match in rules().bought_plain.finditer(text) if holds(text, plain) else ():
            frames.append(_trade(marked, match, match.group("who"), ""))
        for match in (
            rules().paying.finditer(text) if holds(text, ("pa", "cost", "contract", "bought")) else ()
        ):
            seller = match.group("from") or match.group("maker")
            frames.append(_trade(marked, match, match.group("who"), seller))
        for match in rules().contract.finditer(text):
            frames.append(_trade(marked, match, match.group("who"), match.group("from")))
        for match in rules().spent.finditer(text) if holds(text, ("spen", "paid", "pays")) else ():
            frames.append(_trade(marked, match, match.group("who"), match.group("from")))
    if holds(text, _SELLING):
        for match in rules().selling.finditer(text):
            if match.group("who") or match.group("verb").startswith(("sell", "sold", "resell", "resold")):
                frames.append(_trade(marked, match, match.group("to"), match.group("who") or ""))
        for match in rules().sold_to.finditer(text):
            frames.append(_trade(marked, match, match.group("to"), match.group("who")))
    return [frame for frame in frames if frame is not None]


def _trade(marked: Marked, match: re.Match[str], buyer: str, seller: str) -> Frame | None:
    text = marked.text
    buyers = [
        slot
        for slot in marked.names(buyer)
        if slot.kind == "agency" and (not slot.generic or _BUYERS.match(slot.name))
    ]
    sellers = [
        slot
        for slot in marked.names(seller)
        if slot.kind == "company" and (not slot.generic or slot.name.lower().endswith("brokers"))
    ]
    makers = _PRODUCT_OF.search(text, match.start())
    if makers and sellers:  # a product is sold by its maker
        sellers = [s for s in marked.names(makers.group("maker")) if s.kind == "company"] or sellers
    near = text[match.start() : match.end() + 60]
    if "paid for" in match.group() and len(match.group("mid")) > 25:
        return None  # "information paid for by somebody else"
    if _GIVEN.search(match.group()) and not _MONEY.search(text):
        return None  # what is provided or acquired need not have been bought
    if match.re is rules().contract:
        near = text
    if not buyers or not _GOODS.search(near) or _NOT_DATA_BOUGHT.search(near):
        return None
    before = text[: max(match.end("mid"), match.start())][-60:]
    if "?" in text or not is_fact(before, noun=match.re is rules().contract):
        return None
    frame = Frame(marked.index, "purchase", "buy", 8, "buying", match.start(), weight=1.5 if sellers else 1.0)
    frame.vote("issuer", buyers, EXPLICIT)
    frame.vote("recipient", sellers, EXPLICIT)
    return frame


_FAVOUR = re.compile(
    rf"(?:(?P<who>{LIST})[^;]{{0,110}}?)?(?<!\w)(?:searches|search|look-?ups|queries|searched|"
    rf"queried|look-?up)(?!\w)[^;]{{0,80}}?"
    rf" (?:for|on behalf of|at the request of|at request of|requests? of|to help|"
    rf"to assist)(?: [\w-]+){{0,3}}? (?P<for>{LIST})"
)


def favours(marked: Marked) -> list[Frame]:
    """Searches that one agency runs for another: an informal request that was granted."""
    frames = []
    if not holds(marked.text, ("search", "look", "quer")):
        return []
    for match in _FAVOUR.finditer(marked.text):
        asking = [
            slot for slot in marked.names(match.group("for")) if slot.kind == "agency" and not slot.generic
        ]
        doing = [
            slot
            for slot in marked.names(match.group("who") or "")
            if slot.kind == "agency" and asking and slot.name != asking[0].name
        ]
        if not asking:
            continue
        frame = Frame(
            marked.index,
            "informal request",
            "favour",
            2,
            "favour",
            match.start(),
            weight=1.1 if doing else 0.6,
        )
        frame.vote("issuer", asking, EXPLICIT)
        frame.vote("recipient", doing, EXPLICIT)
        frames.append(frame)
    return frames
