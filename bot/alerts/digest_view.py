"""A digest as Discord shows it: one message with what weighs most, and a button that shows all of it."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import ui

from bot.alerts import ids
from bot.alerts.cards import NO_STATUS, Card, CardSource
from bot.alerts.digests import Digest, Matter, matters
from bot.alerts.foreign import host, link, safe_text, safe_url, width
from bot.alerts.render import card_view, moderators_words, status_words
from bot.words import labelled, say, say_number, speaking

_ROOM = 3900  # of the 4,000 characters that all texts of a message may have together
_MATTERS = 25  # of its 40 components; the container, the head, the rest and the button take some
_TITLE = 200
_SENTENCE = 240
_WORDS = 400  # of a summary that moderators wrote


def message_view(message: Card | Digest) -> ui.LayoutView:
    """Give the message for a card or a digest, in its language."""
    with speaking(message.language):
        return digest_view(message) if isinstance(message, Digest) else card_view(message)


def pinged(message: Card | Digest) -> tuple[int, ...]:
    """Give the roles that a message mentions."""
    if isinstance(message, Digest):
        return message.ping_roles
    return () if message.ping_role is None else (message.ping_role,)


def digest_view(digest: Digest) -> ui.LayoutView:
    """Give the message for a digest; what does not fit is counted, and the button shows it.

    The view is finished from the start, as a card's is: see `bot.alerts.render.card_view`.
    """
    view = ui.LayoutView(timeout=None)
    if digest.ping_roles:
        view.add_item(ui.TextDisplay(" ".join(f"<@&{role}>" for role in digest.ping_roles)))
    container: ui.Container[ui.LayoutView] = ui.Container(accent_colour=NO_STATUS.colour)
    for text in digest_texts(digest):
        container.add_item(ui.TextDisplay(text))
    if digest.delivery_id is not None:
        row: ui.ActionRow[ui.LayoutView] = ui.ActionRow()
        row.add_item(
            ui.Button(
                label=say("Show all"),
                custom_id=ids.digest_id(digest.delivery_id, digest.mark),
                style=discord.ButtonStyle.secondary,
            )
        )
        container.add_item(row)
    view.add_item(container)
    view.stop()
    return view


def digest_texts(digest: Digest) -> list[str]:
    """Give a digest's blocks of text, as Discord's Markdown; together at most 3,900 units."""
    told = matters(digest)
    texts = [_head(digest, told)]
    room = _ROOM - width(texts[0]) - 60 - 24 * len(digest.ping_roles)  # for "and so many more", the mentions
    for matter in told[:_MATTERS]:
        block = matter_text(matter)
        if width(block) > room:
            block = matter_text(matter, short=True)
        if width(block) > room:
            break
        texts.append(block)
        room -= width(block)
    left = len(told) - (len(texts) - 1)
    if left:
        more = say_number("and {number} more", "and {number} more", left)
        hint = say("press Show all, or ask `/latest`")
        texts.append(f"-# {more}: {hint}")
    return texts


def _head(digest: Digest, told: Sequence[Matter]) -> str:
    since, until = (f"<t:{int(at.timestamp())}:f>" for at in (digest.since, digest.until))
    counts = digest_counts(digest, told)
    return f"### {labelled(say('Digest'), counts)}\n-# {say('{since} to {until}', since=since, until=until)}"


def digest_counts(digest: Digest, told: Sequence[Matter]) -> str:
    """Tell how much there is: "12 stories, 5 matters, 2 changed"."""
    changed = sum(matter.changed for matter in told)
    stories = len(digest.stories)
    counts = [
        say("at least {number} stories", number=stories)
        if digest.more
        else say_number("{number} story", "{number} stories", stories)
    ]
    if len(told) != stories:
        counts.append(say_number("{number} matter", "{number} matters", len(told)))
    if changed:
        counts.append(say_number("{number} changed", "{number} changed", changed))
    return ", ".join(counts)


def matter_text(matter: Matter, *, short: bool = False) -> str:
    """Give a matter's block of text: its title, where it stands, who reported it; a sentence unless short."""
    story = matter.story
    title = link(story.title, story.url, _TITLE) or link(say("(without a title)"), story.url, _TITLE)
    update = f"**{labelled(say('Update'), '').rstrip()}** " if matter.changed else ""
    signs = ("★ " if matter.followed else "") + update
    facts = [host(story.url) or safe_text(story.source, 80)]
    if matter.status and matter.status != "unknown":
        facts.insert(0, status_words(matter.status))
    if story.published:
        facts.append(f"<t:{int(story.published.timestamp())}:d>")
    if matter.reports > 1:
        reports = say_number("{number} report", "{number} reports", matter.reports)
        named = "" if short else ", ".join(filter(None, map(_report, matter.others)))
        facts.append(f"{reports} ({named})" if named else reports)
    lines = [f"{signs}**{title}**", f"-# {' · '.join(filter(None, facts))}"]
    if not short:
        quote = safe_text(story.summary[0] if story.summary else "", _SENTENCE)
        lines += [moderators_words(matter.words, _WORDS)] if matter.words else [f"> {quote}"] if quote else []
    return "\n".join(lines)


def _report(source: CardSource) -> str:
    """Name a further report by its site, as a link."""
    address = safe_url(source.url)
    return f"[{host(source.url)}]({address})" if address else ""
