"""Why a story was posted in a server, or was not: checks in the order of its way, with outcome and remedy.

Nothing is acted out again: what is told stands in the record (`db.findings`, written by whoever decided), in
the entries of the server's own feeds and in its deliveries. The texts are Markdown for Discord, safe, in the
language that is spoken; what the record says is told in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.alerts.foreign import host, safe_text
from bot.alerts.routing import read_told
from bot.feeds.identity import url_key
from bot.intake.why_checks import (
    MOST_FEEDS,
    Check,
    checks_of,
    delivery_stands,
    feed_stands,
    lines_of,
)
from bot.words import mark, retell, say
from db import why
from db.deliveries import GIVEN_UP
from db.engine import Database
from db.tables import FindingRow
from db.why import Known, OwnFeed, Ref, Titled

_LINK = re.compile(r"https?://[^\s<>]{3,2000}")
_MESSAGE = re.compile(
    r"https?://(?:\w+\.)?discord(?:app)?\.com/channels/\d{1,20}/\d{1,20}/(?P<message>\d{1,18}|[1-8]\d{18})(?!\d)"
)
_NUMBER = re.compile(r"(?P<entry>entry\s+)?#?(?P<number>\d{1,18})", re.IGNORECASE)

_POSTS = ("card", "update", "report", "digest")

# The answer in a line where moderators look at stories first, or a digest left one out, by what was recorded
# last.
_DECIDED = {
    "review": mark("It is still to be decided on here: {why}"),
    "rejected": mark("It was not posted here: {why}"),
    "merged": mark("It was not posted on its own here: {why}"),
    "dropped": mark("It was not posted here: {why}"),
    "left out": mark("It was not posted here: {why}"),
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer: what it is about, the answer in one line, and the checks in their order."""

    title: str
    url: str
    headline: str
    checks: tuple[Check, ...]
    ref: Ref | None = None


# ------------------------------------------------------------------------ asking


def message_in(typed: str) -> int | None:
    """Give the number of the message on Discord whose link was typed, None where it is none."""
    found = _MESSAGE.search(typed)
    return int(found["message"]) if found else None


async def find(database: Database, guild_id: int, typed: str) -> Ref | None:
    """Find what a moderator means by an article's link, a number or a title."""
    typed = typed.strip()
    async with database.read() as session:
        if link := _LINK.search(typed):
            key = url_key(link[0])
            return await why.find_link(session, guild_id, key) if key is not None else None
        if number := _NUMBER.fullmatch(typed):
            found = why.find_entry if number["entry"] else why.find_story
            return await found(session, guild_id, int(number["number"]))
        return await why.find_title(session, guild_id, typed)


async def suggestions(database: Database, guild_id: int, typed: str) -> list[Titled]:
    """Give what completes as one types: the newest entries of the server's feeds."""
    async with database.read() as session:
        return await why.newest(session, guild_id, typed)


def named(ref: Ref) -> str:
    """Give the number by which something is asked for again."""
    return f"#{ref.story_id}" if ref.story_id is not None else f"entry #{ref.entry_id}"


async def explain(
    database: Database,
    guild_id: int,
    ref: Ref,
    *,
    now: datetime,
    troubles: Mapping[int, str] | None = None,
    delivery_id: int | None = None,
) -> Explanation:
    """Explain what became of a story in a server.

    `troubles` names what the bot lacks at this moment in channels of rules; with `delivery_id` only that
    delivery is told, and the rule by which it was made.
    """
    async with database.read() as session:
        known = await why.get_known(session, guild_id, ref)
    if delivery_id is not None:
        known = _only(known, delivery_id)
    checks = tuple(checks_of(known, now, troubles or {}, whole=delivery_id is None))
    first = known.entries[0].entry if known.entries else None
    title = (first.title if first else "") or (known.story.title if known.story else "")
    url = (first.url if first else "") or (known.story.url if known.story else "")
    return Explanation(title, url, _headline(known, checks, now), checks, ref)


async def explain_nothing(database: Database, guild_id: int, typed: str, now: datetime) -> Explanation:
    """Explain why nothing is known: which of the server's feeds might have brought it, and how they stand."""
    async with database.read() as session:
        feeds = await why.get_own_feeds(session, guild_id)
    link = _LINK.search(typed)
    site = host(link[0]) if link else ""
    near = [one for one in feeds if site and _is_of(one, site)]
    checks: list[Check] = []
    if not feeds:
        checks.append(Check("stopped", say("This server watches no feed."), say("`/feeds add` adds one.")))
    elif link and not near:
        told = say("No feed that this server watches is from {site}.", site=site)
        checks.append(Check("stopped", told, say("`/feeds add` finds the feeds of a site by its address.")))
    elif not link:
        told = say("No story from this server's feeds has that title or number.")
        remedy = say("Type other words of its title, or ask with the article's link.")
        remedy += " " + say("What was not relevant is deleted after some months.")
        return Explanation("", "", told, (Check("neutral", remedy),))
    else:
        for one in near[:MOST_FEEDS]:
            checks += feed_stands(one, now, alone=True)
        told = say("None of this server's feeds has shown it.")
        remedy = say(
            "Feeds often show a site's newest articles only, or leave some out; `/feeds check` looks now."
        )
        remedy += " " + say("What was not relevant is deleted after some months.")
        checks.append(Check("stopped", told, remedy))
    return Explanation("", "", _first_stop(checks), tuple(checks))


def _is_of(one: OwnFeed, site: str) -> bool:
    """Tell whether a feed is of a site, or of a part of it (feeds.example.org of example.org)."""
    hosts = {host(one.feed.url), host(one.feed.site)} - {""}
    return any(f".{a}".endswith(f".{b}") for a, b in [(h, site) for h in hosts] + [(site, h) for h in hosts])


def _only(known: Known, delivery_id: int) -> Known:
    """Leave out what is not of one delivery: other channels' messages, and other rules."""
    owed = tuple(one for one in known.deliveries if one.row.id == delivery_id)
    rule_ids = {one.row.rule_id for one in owed}
    lines = tuple(
        line
        for line in known.lines
        if line.guild_id is None or (told := read_told(line.reason)) is None or told[0] in rule_ids
    )
    rules = tuple(rule for rule in known.rules if rule.id in rule_ids)
    return replace(known, lines=lines, rules=rules, deliveries=owed)


# ------------------------------------------------------------------------ the answer in a line


def _headline(known: Known, checks: Sequence[Check], now: datetime) -> str:
    posts = [one for one in known.deliveries if one.row.kind in _POSTS]
    if any(one.row.state == "sent" for one in posts):
        return say("It was posted here.")
    waiting = [one for one in posts if one.row.state in ("due", "sending", "failed")]
    if waiting:
        return say("It is still to be posted here. {why}", why=delivery_stands(waiting[0], now).text)
    of_it = [line for line in known.lines if line.stage == "delivery" and line.outcome in _DECIDED]
    if of_it and (decided := read_told(of_it[-1].reason)):
        if of_it[-1].outcome == "review" and not _is_asked_for(known, of_it):
            return say("It was not posted here: the rule for which moderators were asked was removed.")
        line = say(_DECIDED[of_it[-1].outcome], why=safe_text(retell(decided[1]), 300))
        return f"{line}."
    edits = [one.row for one in known.deliveries if one.row.kind == "edit"]
    given_up = bool(edits) and all(row.state in GIVEN_UP for row in edits)
    if any(lines_of(known, "delivery", outcome="source")) and not given_up:
        return say("It has no post of its own here: the card of its case names it as a further source.")
    return _first_stop(checks)


def _is_asked_for(known: Known, lines: Iterable[FindingRow]) -> bool:
    """Tell whether a rule is there still for which moderators were asked, which may have been several."""
    asked = {told[0] for line in lines if line.outcome == "review" and (told := read_told(line.reason))}
    return not asked.isdisjoint(rule.id for rule in known.rules)


def _first_stop(checks: Iterable[Check]) -> str:
    for check in checks:
        if check.outcome == "stopped" and check.decides:
            return say("It was not posted here. {why}", why=check.text)
    return say("It was not posted here, and the record does not say why.")
