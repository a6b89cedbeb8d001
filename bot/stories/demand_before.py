"""What came before an order: who ordered in the end had asked first, by word alone."""

from __future__ import annotations

import re

from bot.stories.demand_roles import BESIDE, Frame
from bot.stories.demand_told import ENOUGH, Group
from bot.stories.marks import Marked

_ASKED = r"(?:ask(?:ed|s)?|request(?:ed|s)?|demand(?:ed|s)?|want(?:ed|s)?|wrote|written|sought|turned to)"
_TIME = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|"
    r"(?:jan|feb|aug|sept|oct|nov|dec)\.|\d{4}|spring|summer|autumn|fall|winter|"
    r"(?:\w+ )?(?:weeks?|months?|days?|years?))"
)
_BY_WORD = (
    r"(?:initially|politely|nicely|kindly|informally|twice|(?:two|three|four|several) times|repeatedly)"
)
_FIRST = re.compile(
    rf"(?<!\w)(?:first|at first|originally|earlier|previously|before that|already|{_BY_WORD}),? "
    rf"(?:\w+ ){{0,2}}?{_ASKED}(?!\w)"
    rf"|(?<!\w){_ASKED}(?!\w)[^;]{{0,60}}?(?<!\w)(?:first|before|"
    rf"without an? (?:warrant|subpoena|order|court order)|{_BY_WORD})(?!\w)"
    rf"|(?<!\w)had (?:\w+ )?{_ASKED}(?!\w)[^;]{{0,60}}?(?<!\w)(?:in|last|the previous|the) {_TIME}(?!\w)"
    rf"|(?<!\w)(?:(?:last|the previous|the same|in) {_TIME}|{_TIME} (?:before|earlier)),? [^;,]{{0,30}}? "
    rf"had (?:\w+ )?{_ASKED}(?!\w)"
)


def asked_first(frames: list[Frame], marked: list[Marked]) -> tuple[list[Frame], list[Frame]]:
    """Take out what tells that the same was asked for by word alone, before it was ordered."""
    if not any(_is_order(frame) for frame in frames):
        return frames, []
    asking = {frame.index for frame in frames if frame.asking and frame.form == "verb" and frame.index > 0}
    asking -= {frame.index for frame in frames if _is_order(frame) and not frame.asking}
    texts = {item.index: item.text for item in marked if item.index in asking}
    first = {index for index in asking if _FIRST.search(texts[index])}
    return [f for f in frames if f.index not in first], [f for f in frames if f.index in first]


def as_requests(first: list[Frame], groups: list[Group]) -> list[Group]:
    """ "It had asked Google twice": a request beside the order that followed on it, with its parties."""
    main = next((group for group in groups if group.family in ("data", "content")), None)
    if main is None or not first or not any(_is_order(frame) for frame in main.frames):
        return []
    first[0].weight = max(first[0].weight, ENOUGH)
    where = {frame.index + step for frame in first for step in (0, 1)} - {f.index for f in main.frames}
    where |= {frame.index for frame in first}
    return [Group(first[0].family, first, frozenset(where), campaign=main, asked_first=True)]


def _is_order(frame: Frame) -> bool:
    return (
        frame.form in ("noun", "verb")
        and frame.rank >= 4
        and not frame.asking
        and frame.weight >= 0.5
        and frame.instrument != "informal request"
        and frame.named() >= BESIDE
    )
