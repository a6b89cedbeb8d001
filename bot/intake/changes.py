"""A change as `/audit` and the log channel tell it: who made it, and what was before and is now.

Texts are Markdown for Discord, safe, in the language that is spoken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.alerts.foreign import safe_text
from bot.words import labelled, mark, retell, say
from db.tables import AuditRow

_CHANGE = 380  # characters of a change's facts: a page of them has room in a message
_LONGEST_VALUE, _SHORT_VALUE = 200, 60  # characters of a value in them


def told(row: AuditRow) -> str:
    """Tell a change in a line or two."""
    who = f"<@{row.user_id}>" if row.user_id is not None else say("somebody who was forgotten")
    number = row.after.get("id", row.before.get("id"))
    lines = [
        labelled(f"<t:{int(row.at.timestamp())}:f> {who}", f"**{say(row.action)}**")
        + (f" #{number}" if number else "")
    ]
    if facts := _differences(row.before, row.after, _LONGEST_VALUE):
        shown = " · ".join(facts)
        if len(shown) > _CHANGE:  # so that a page has room for all its changes
            shorter = _differences(row.before, row.after, _SHORT_VALUE)
            while len(shown := " · ".join([*shorter, "…"])) > _CHANGE:
                shorter.pop()
        lines.append(f"-# {shown}")
    return "\n".join(lines)


# What is called otherwise than it is stored, or elsewhere.
_LABELS = {
    "channel_id": mark("channel"),
    "exclude": mark("not with"),
    "exclude_sources": mark("not from"),
    "min_relevance": mark("relevance"),
    "ping_role": mark("mentions"),
    "ping_when": mark("mentions only at"),
    "urgent": mark("in quiet hours"),
    "review_channel": mark("review"),
    "review_hours": mark("hours for a review"),
    "review_then": mark("what nobody decides on"),
    "feed": mark("feed"),
    "feeds": mark("feeds"),
    "name": mark("name"),
    "timezone": mark("Time zone"),
    "language": mark("Language"),
    "quiet_hours": mark("Quiet hours"),
    "log_channel": mark("Log channel"),
    "moderator_role": mark("Moderator role"),
    "delivery": mark("delivery"),
    "error": mark("error"),
    "story": mark("story"),
    "case": mark("case"),
    "other case": mark("other case"),
    "title": mark("title"),
    "status": mark("status"),
    "source": mark("source"),
    "rules": mark("rules"),
    "summary": mark("summary"),
}
_USUAL = {"when": "now", "style": "full", "thread": "off"}
# Whose values are of closed lists.
_CLOSED = ("topics", "statuses", "status", "ping_when", "urgent", "when", "style", "thread", "review_then")
_ENDS = (mark("drop"), mark("post"))  # of `review_then`
_OF_REVIEWS = ("review_hours", "review_then")


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], longest: int) -> list[str]:
    """Tell what changed, field by field: what was and what is; of what came or went only what is unusual."""
    fields = {**before, **after}
    facts: list[str] = []
    for name in fields:
        if name == "id" or (
            name in _OF_REVIEWS and "review_channel" in fields and not fields["review_channel"]
        ):
            continue
        was, now = (_value(name, of.get(name), longest) for of in (before, after))
        label = safe_text(say(_LABELS.get(name, name.replace("_", " "))), 40)
        if name not in before or name not in after or was == now:
            told = "" if fields[name] == _USUAL.get(name) else now or was
        else:
            told = f"{was or '–'} → {now or '–'}"
        if told:
            facts.append(labelled(label, told))
    return facts


def _value(name: str, value: Any, longest: int) -> str:
    """Show a stored value: channels and roles as such, lists by commas, "" for nothing."""
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, int) and name.endswith(("channel_id", "channel")):
        return f"<#{value}>"
    if isinstance(value, int) and name.endswith("role"):
        return f"<@&{value}>"
    if name == "error":
        return safe_text(retell(str(value)), longest)
    known = name in _CLOSED  # of a closed list, which is told in the reader's language everywhere
    said = [
        say(str(each)) if known else str(each) for each in (value if isinstance(value, list) else [value])
    ]
    return safe_text(", ".join(said), longest)
