"""What happened to a story on its way to a server, as checks in their order; see `bot.intake.why`.

The texts are Markdown for Discord, safe, in the language that is spoken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.alerts.closed import remedy_for
from bot.alerts.foreign import feed_label, safe_text
from bot.alerts.routing import read_told
from bot.words import labelled, mark, retell, say, say_number
from db import feed_tables
from db.tables import DeliveryRow, FindingRow, RuleRow
from db.why import Known, Owed, OwnEntry, OwnFeed

MOST_FEEDS = 3

# What can be done about a clause that stopped a story, by the clause's name (`bot.alerts.routing`).
_REMEDIES = {
    "paused": mark("`/alerts resume` lets the rule go on."),
    "topics": mark("`/alerts edit` can add one of its topics to the rule."),
    "parties": mark("`/alerts edit` can add one of its parties to the rule."),
    "keywords": mark("`/alerts edit` can add a word to the rule, or take its keywords away."),
    "exclude": mark("`/alerts edit` can take the word off the rule's exclusions."),
    "statuses": mark("`/alerts edit` can add its status to the rule."),
    "countries": mark("`/alerts edit` can add one of its countries to the rule."),
    "languages": mark("`/alerts edit` can add its language to the rule."),
    "sources": mark("`/alerts edit` can add its source to the rule."),
    "exclude_sources": mark("`/alerts edit` can take its source off those that the rule leaves out."),
    "relevance": mark("`/alerts edit` can lower the relevance that the rule asks for."),
}
# Why an entry is history, as it was stored with it.
_HISTORY = {
    feed_tables.FIRST: mark(
        "It was already in the feed when that was first looked at: that is history, and nobody is "
        "alerted of it."
    ),
    feed_tables.REBUILT: mark(
        "The feed showed most of its entries anew at once, as one does that was rebuilt: nobody is alerted "
        "of those."
    ),
    feed_tables.OLDER: mark(
        "It came in behind all that the feed had shown, and is older: that is history, and nobody "
        "is alerted of it."
    ),
    feed_tables.REVISED: mark(
        "It came out before the feed was first looked at and has been revised since: that is "
        "history, and nobody is alerted of it."
    ),
    feed_tables.ISSUE: mark(
        "The feed shows other entries each time, and this one is not dated after those before: nobody is "
        "alerted of it."
    ),
    None: mark(  # it was stored before the reason was
        "It was already in the feed when that was first looked at for this server (or the feed "
        "was rebuilt, or it is older than what the feed had shown): that is history, and nobody "
        "is alerted of it."
    ),
}
# What a delivery is.
KINDS = {
    "card": mark("Post"),
    "update": mark("Update"),
    "report": mark("Further report in the case's thread"),
    "edit": mark("Edit of the case's card"),
    "digest": mark("Digest"),
    "review": mark("Question to moderators"),
    "decided": mark("Edit of the question to moderators"),
}
_ADDS = {
    "new": mark("It is the first report of its case here."),
    "update": mark("It changed where its case stands."),
    "source": mark("It is a further report of its case."),
}
_ON_CARD = mark(
    "It is a further report of its case: the case's card names it as a source, there is no new post."
)


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its outcome, what was found, what can be done, the sentences it rests on.

    `decides`: a stop that by itself kept the story from being posted.
    """

    outcome: Literal["passed", "stopped", "neutral"]
    text: str
    remedy: str = ""
    evidence: tuple[str, ...] = ()
    decides: bool = True

    @property
    def sign(self) -> str:
        """The outcome as a sign."""
        return {"passed": "✔", "stopped": "✘", "neutral": "–"}[self.outcome]


def checks_of(known: Known, now: datetime, troubles: Mapping[int, str], *, whole: bool) -> Iterator[Check]:
    """Give the checks in their order. Not `whole`: without what is told to moderators alone."""
    asked = any(line.stage == "rule" and read_told(line.reason) for line in known.lines)
    if whole:
        yield from _found(known, now, asked=asked)
    yield from _reading(known)
    yield from _article(known)
    yield from _case(known)
    if known.story is not None and known.story.relevant:
        if whole or asked:
            yield from _rules(known, troubles, asked=asked)
        yield from _deliveries(known, now)


def _found(known: Known, now: datetime, *, asked: bool) -> Iterator[Check]:
    """The feeds that brought it, when, and whether it was news there."""
    if not known.entries:
        if known.brought and known.story is not None:
            told = say("A feed that is watched here brought it {when}.", when=_time(known.story.first_seen))
            yield Check("passed", told)
        else:
            told = say("The feed that brought it is not watched here any more.")
            yield Check("neutral", told, say("`/feeds add` adds it again."))
    for one in known.entries[:MOST_FEEDS]:
        yield from feed_stands(one.feed, now, alone=False)
        dated = one.entry.published
        told = say("It was found in {feed} {when}.", feed=_name(one.feed), when=_time(one.entry.first_seen))
        if dated is not None:
            told += " " + say("The feed dates it {when}.", when=_time(dated))
        yield Check("passed", told)
    for one in known.entries[1:MOST_FEEDS]:
        told = say(
            "{feed} brought the same address as {other}: it is one story, told once.",
            feed=_name(one.feed),
            other=_name(known.entries[0].feed),
        )
        yield Check("neutral", told)
    yield from _not_asked(known, asked=asked)


def _not_asked(known: Known, *, asked: bool) -> Iterator[Check]:
    """Why no rule was asked."""
    bad: Literal["stopped", "neutral"] = "neutral" if asked else "stopped"
    if known.entries and all(_is_history(one) for one in known.entries):
        remedy = say("It can be looked up with `/latest` and `/search`.")
        yield Check(bad, _history(known.entries[0]), remedy, decides=not asked)
    if any(lines_of(known, "rule", outcome="feed paused")):
        told = say("The feed was paused here when it came.")
        remedy = say("`/feeds resume` lets its stories come again; those of the pause are not posted later.")
        yield Check(bad, told, remedy, decides=not asked)
    if any(lines_of(known, "rule", outcome="away")):
        told = say("Quash was not in this server when it came.")
        yield Check(bad, told, say("It can be looked up with `/latest` and `/search`."), decides=not asked)


def _history(one: OwnEntry) -> str:
    """Say why nobody is alerted of an entry that is history."""
    if one.entry.first_seen < one.feed.since:
        return say(
            "The feed showed it before this server used it: that is history, and nobody is alerted of it."
        )
    return say(_HISTORY.get(one.entry.history, _HISTORY[None]))


def _is_history(one: OwnEntry) -> bool:
    return not one.entry.alert or one.entry.first_seen < one.feed.since


def feed_stands(one: OwnFeed, now: datetime, *, alone: bool) -> Iterator[Check]:
    """How a feed stands at present. `alone`: it brought nothing, so that this may be why."""
    feed = one.feed
    looked = say("last look {when}", when=_time(feed.last_looked_at)) if feed.last_looked_at else ""
    watched = say("{feed} is watched here", feed=_name(one)) + (f" ({looked})." if looked else ".")
    bad: Literal["stopped", "neutral"] = "stopped" if alone else "neutral"
    if one.paused:
        told = say("{feed} is paused here at present.", feed=_name(one))
        yield Check(bad, told, say("`/feeds resume` lets its stories come again."))
    elif feed.state != "active":
        told = say("{feed} is not looked at any more: {state}.", feed=_name(one), state=say(feed.state))
        yield Check(bad, told, say("If it has a successor, add that with `/feeds add`."))
    elif feed.failing_since is not None:
        told = say(
            "{feed} has not been readable since {when}: {why}",
            feed=_name(one),
            when=_time(feed.failing_since),
            why=safe_text(retell(feed.failure or ""), 300),
        )
        yield Check(bad, told, say("`/feeds check` looks again now; the address may have changed."))
    else:
        yield Check("passed", watched)


def _reading(known: Known) -> Iterator[Check]:
    """Whether the article was read."""
    story = known.story
    if story is not None and story.forgotten_at is not None:
        told = say(
            "Its text and the record of what was decided were deleted for their age {when}.",
            when=_time(story.forgotten_at),
        )
        remedy = say("Title, summary, case and demands are kept; `/search` finds them.")
        yield Check("stopped", told, remedy)
    if story is not None or not known.entries:
        return
    entry = known.entries[0].entry
    why_not = safe_text(retell(known.unread[-1].reason), 400) if known.unread else ""
    if entry.state == "read":
        told = say("It was read, and what was made of it has been deleted since for its age.")
        yield Check("stopped", told, say("`/analyse` reads the page anew."))
    elif entry.state == "failed":
        told = say("It could not be read: {why}", why=why_not or "?")
        remedy = say("It was tried {number} times; `/analyse` tries it anew.", number=entry.attempts)
        yield Check("stopped", told, remedy)
    elif known.unread:
        told = say("It could not be read yet: {why}", why=why_not)
        later = say("It is tried again {when}.", when=_time(entry.try_after)) if entry.try_after else ""
        yield Check("stopped", told, later)
    else:
        yield Check("stopped", say("It waits to be read."), say("That takes a minute at most, as a rule."))


def _article(known: Known) -> Iterator[Check]:
    """What was made of the article: its page, its language, whether it is relevant, its topics."""
    short = False
    for line in lines_of(known, "article"):
        good = line.outcome in ("own text", "fetched")
        short = not good
        remedy = ""
        if line.outcome == "wall":
            remedy = say("So only the short text of the feed could be judged; another report may say more.")
        yield Check(
            "passed" if good else "neutral",
            say("Article: {what}", what=_said(line)),
            remedy,
        )
    for line in lines_of(known, "language"):
        good = line.outcome not in ("unsupported", "unknown")
        yield Check("passed" if good else "neutral", say("Language: {what}", what=_said(line)))
    story = known.story
    if story is None:
        return
    judged = lines_of(known, "relevance")
    evidence = next((tuple(line.evidence[:2]) for line in judged if line.evidence), ())
    if story.relevant:
        yield Check("passed", say("It is relevant ({score}).", score=f"{story.relevance:.2f}"), "", evidence)
    else:
        told = say("It is not relevant ({score}).", score=f"{story.relevance:.2f}")
        against = [line for line in judged if line.outcome == "against"]
        told += "".join(f" {_said(line)}" for line in judged if line.outcome == "not relevant")
        if short:
            told += " " + say("Only the feed's short text could be judged.")
        remedy = "; ".join(_said(line).rstrip(".") for line in against[:2])
        remedy = say("What speaks against it: {what}.", what=remedy) if remedy else ""
        yield Check("stopped", told, remedy, evidence)
    topics = [safe_text(line.outcome, 40) for line in lines_of(known, "topic")]
    if story.relevant and topics:
        named_topics = ", ".join(say(topic) for topic in topics)
        yield Check("passed", say("Topics: {topics}.", topics=named_topics))


def _case(known: Known) -> Iterator[Check]:
    story = known.story
    if story is None or known.case is None:
        return
    said = [_said(line) for line in lines_of(known, "case")] or [f"“{safe_text(known.case.title, 120)}”"]
    told = say("Case #{number}: {what}.", number=known.case.id, what=said[-1].rstrip("."))
    on_card = bool(lines_of(known, "delivery", outcome="source"))  # else it may be the first one here
    # Here it may be, though another server's feed told it first.
    is_update = any(one.row.kind == "update" for one in known.deliveries)
    adds = _ADDS["update"] if is_update else _ADDS.get(story.adds, _ADDS["new"])
    told += " " + say(_ON_CARD if on_card and not is_update else adds)
    yield Check("neutral" if on_card and not is_update else "passed", told)


def _rules(known: Known, troubles: Mapping[int, str], *, asked: bool) -> Iterator[Check]:
    """What each rule decided, those that wanted it first."""
    decided: dict[int, tuple[FindingRow, str]] = {}
    for line in lines_of(known, "rule"):
        if told := read_told(line.reason):
            decided[told[0]] = (line, told[1])  # the last time counts
    wanted = any(line.outcome == "passed" for line, _ in decided.values())
    there = {rule.id: rule for rule in known.rules}
    for rule_id, (line, reason) in sorted(decided.items(), key=lambda i: (i[1][0].outcome != "passed", i[0])):
        yield _rule(rule_id, there.get(rule_id), line, reason, troubles, decides=not wanted)
    if not known.rules and not decided:
        yield Check(
            "stopped",
            say("This server has no rule that says where stories go."),
            say("`/alerts add` makes one."),
        )
    later = [rule for rule in known.rules if rule.id not in decided and _is_later(rule, known)]
    for rule in later:
        since = say("Rule #{number} was made later, {when}.", number=rule.id, when=_time(rule.created_at))
        yield Check(
            "neutral" if asked else "stopped",
            since,
            say("Rules are for what comes after them; `/alerts preview` shows what they would have brought."),
            decides=not asked,
        )


def _rule(
    rule_id: int,
    rule: RuleRow | None,
    line: FindingRow,
    reason: str,
    troubles: Mapping[int, str],
    *,
    decides: bool,
) -> Check:
    place = f" (<#{rule.channel_id}>)" if rule else f" ({say('removed since')})"
    name = say("Rule #{number}", number=rule_id) + place
    told = labelled(name, safe_text(retell(reason), 400))
    if line.outcome == "passed":
        trouble = troubles.get(rule.channel_id, "") if rule else ""
        return Check("passed", told, trouble)
    remedy = _REMEDIES.get(line.outcome.removeprefix("stopped by "), "")
    return Check("stopped", told, say(remedy) if remedy else "", decides=decides)


def _is_later(rule: RuleRow, known: Known) -> bool:
    came = known.entries[-1].entry.first_seen if known.entries else None
    if came is None and known.story is not None:
        came = known.story.first_seen
    return came is not None and rule.created_at > came


def _deliveries(known: Known, now: datetime) -> Iterator[Check]:
    for line in lines_of(known, "delivery"):
        if decided := read_told(line.reason):
            why = f"{safe_text(retell(decided[1]), 300)}."
            text = labelled(say("Rule #{number}", number=decided[0]), why)
            yield Check("neutral", text, decides=False)
    for one in known.deliveries:
        yield delivery_stands(one, now)


def delivery_stands(one: Owed, now: datetime) -> Check:
    """How a delivery stands, and what can be done."""
    row = one.row
    what = f"{say(KINDS.get(row.kind, row.kind))} → <#{row.target_id}>"
    error = safe_text(retell(row.error or ""), 400)
    if row.state == "sent":
        return Check("passed", labelled(what, _sent(row)))
    if row.state == "dead":
        told = say("given up: {why}", why=error)
        return Check("stopped", labelled(what, told), say("`/deliveries` can send it again, or drop it."))
    if row.state == "skipped":
        return Check("stopped", labelled(what, say("not sent: {why}", why=error)))
    if one.broken is not None:
        told = say("it waits, as the channel takes nothing: {why}", why=safe_text(retell(one.broken), 300))
        return Check("stopped", labelled(what, told), remedy_for(one.broken))
    if row.state == "failed":
        tries = say_number("{number} try", "{number} tries", row.attempts)
        told = say("it failed and is tried again ({tries}): {why}", tries=tries, why=error)
        return Check("stopped", labelled(what, told), say("Nothing needs to be done."))
    if row.due_at > now:
        return Check("neutral", labelled(what, say("it waits until {when}", when=_time(row.due_at))))
    return Check("neutral", labelled(what, say("it is about to be sent")))


def _sent(row: DeliveryRow) -> str:
    when = _time(row.sent_at) if row.sent_at else ""
    if row.message_id is None or row.channel_id is None:
        return say("done {when}", when=when)
    address = f"https://discord.com/channels/{row.guild_id}/{row.channel_id}/{row.message_id}"
    return say("posted {when}: {link}", when=when, link=address)


# ------------------------------------------------------------------------ words


def lines_of(known: Known, stage: str, *, outcome: str | None = None) -> list[FindingRow]:
    """Give the lines of the record of a stage, the oldest first; only those of an outcome."""
    return [one for one in known.lines if one.stage == stage and outcome in (None, one.outcome)]


def _said(line: FindingRow) -> str:
    return safe_text(retell(line.reason), 400)


def _name(one: OwnFeed) -> str:
    return feed_label(one.feed.id, one.feed.title, one.feed.url)


def _time(at: datetime | None) -> str:
    return f"<t:{int(at.timestamp())}:f>" if at else ""
