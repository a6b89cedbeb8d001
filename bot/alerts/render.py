"""A card as Discord shows it: Components V2, one look for all.

Everything from outside goes through `bot.alerts.foreign`. Sizes are kept by giving every part its share
of the 4,000 units of text that a message may hold; further sources take what is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import discord
from discord import ui

from bot.alerts import ids
from bot.alerts.cards import Card, CardDemand, CardReview, CardSource, demand_parts, look_of
from bot.alerts.foreign import host, link, safe_text, width
from bot.words import labelled, mark, say, say_number

_ROOM = 3900  # of 4,000: some air for the reading of "characters" that Discord has tomorrow
_TITLE = 256
_SENTENCE = 400
_SENTENCES = 3
_DEMANDS = 3
_DEMAND = 300
_SOURCE_TITLE = 100
_SAID_BY = 150  # of the link to where it says how a case stands by moderators
WORDS = 1000  # characters of a summary that moderators write

# How a review ended, as its message tells.
REVIEW_ENDS = {
    "approved": mark("✔ Approved"),
    "rejected": mark("✘ Rejected"),
    "merged": mark("⇢ Merged with another case"),
    "posted": mark("✔ Posted, as nobody decided in time"),
    "dropped": mark("✘ Dropped, as nobody decided in time"),
}


def card_view(card: Card) -> ui.LayoutView:
    """Give the message for a card.

    The view is finished from the start: a click is answered by the dynamic items of `cogs.buttons`, by
    its custom id alone, so that discord.py need not keep anything in memory for it.
    """
    view = ui.LayoutView(timeout=None)
    if card.ping_role is not None:
        view.add_item(ui.TextDisplay(f"<@&{card.ping_role}>"))
    container: ui.Container[ui.LayoutView] = ui.Container(accent_colour=look_of(card.standing).colour)
    for text in card_texts(card):
        container.add_item(ui.TextDisplay(text))
    container.add_item(_buttons(card))
    view.add_item(container)
    view.stop()
    return view


def card_texts(card: Card) -> list[str]:
    """Give a card's blocks of text, as Discord's Markdown; together at most 3,900 units."""
    texts = [*_review(card), _head(card)]
    words = _words(card)
    if card.style == "compact":
        line = [*_demands(card), *([] if words else _sentences(card))][:1]
        return texts + [text for text in (*line, words, _standing(card)) if text]
    quote = words or "\n".join(f"> {sentence}" for sentence in _sentences(card)[:_SENTENCES])
    demands = "\n".join(_demands(card))
    texts += [text for text in (quote, demands, _standing(card), _topics(card)) if text]
    sources = _sources(card, _ROOM - sum(map(width, texts)))
    return [*texts, sources] if sources else texts


def status_words(status: str) -> str:
    """Give a status as it is shown everywhere: its sign and its word."""
    return f"{look_of(status).sign}\N{NO-BREAK SPACE}{safe_text(say(status), 40)}"


def _head(card: Card) -> str:
    title = link(card.title, card.url, _TITLE) or link(say("(without a title)"), card.url, _TITLE)
    about = " · ".join(part for part in (_from(card), _date(card.published)) if part)
    title = f"**{title}**" if card.style == "compact" else f"### {title}"
    small = (f"-# {line}" for line in (about, _late(card)) if line)
    return "\n".join((f"{_update(card)}{title}", *small))


def _words(card: Card) -> str:
    return moderators_words(card.words or "", WORDS)


def moderators_words(written: str, most: int) -> str:
    """Give what moderators wrote in place of a summary, told apart from what the article says."""
    words = safe_text(written, most)
    by = say("Written by this server's moderators, not quoted from the article")
    return f"{words}\n-# ✎ {by}" if words else ""


def _review(card: Card) -> Iterator[str]:
    """Tell moderators what they are asked, or what was decided."""
    review = card.review
    if review is None:
        return
    if review.state != "waiting":
        said = say(REVIEW_ENDS.get(review.state, review.state))
        yield f"**{said}**" + (f" · <@{review.by}>" if review.by is not None else "")
        return
    when = _date(review.until, "R")
    yield f"**{say('For review')}**\n-# " + (
        say("Posted {when} if nobody decides", when=when)
        if review.at_end == "post"
        else say("Dropped {when} if nobody decides", when=when)
    )


def _late(card: Card) -> str:
    return (
        say("Posted late: this was due {when}", when=_date(card.late_since, "f")) if card.late_since else ""
    )


def _update(card: Card) -> str:
    if not card.is_update:
        return ""
    word = say("Update")
    return f"**{labelled(word, status_words(card.status)) if card.status else word}**\n"


def _from(card: Card) -> str:
    where = host(card.url)
    name = safe_text(card.source, 80)
    return f"{name} ({where})" if name and where and name.casefold() != where.casefold() else where or name


def _date(at: datetime | None, style: str = "D") -> str:
    return f"<t:{int(at.timestamp())}:{style}>" if at else ""


def _sentences(card: Card) -> list[str]:
    """Give the summary, without what shows nothing: Discord takes no empty text."""
    made = (safe_text(sentence, _SENTENCE) for sentence in card.summary)
    return [sentence for sentence in made if sentence]


def _demands(card: Card) -> Iterator[str]:
    for demand in card.demands[:_DEMANDS]:
        yield _demand(demand)
    if len(card.demands) > _DEMANDS:
        yield "-# " + say_number(
            "and {number} more demand", "and {number} more demands", len(card.demands) - _DEMANDS
        )


def _demand(demand: CardDemand) -> str:
    return f"{look_of(demand.status).sign} {safe_text(' · '.join(demand_parts(demand)), _DEMAND)}"


def _standing(card: Card) -> str:
    """Say where the case stands now, if it went on since this story; and where moderators say it does."""
    lines = [say("**Now: {status}**", status=status_words(card.moved_on))] if card.moved_on else []
    if card.said is not None:
        source = link("", card.said.source, 80)
        if width(source) > _SAID_BY:
            source = host(card.said.source)
        theirs = f"**{status_words(card.said.status)}** ({source})"
        lines.append("✎ " + labelled(say("This server's moderators"), theirs))
    return "\n".join(lines)


def _topics(card: Card) -> str:
    return f"-# {safe_text(' · '.join(map(say, card.topics)), 250)}" if card.topics else ""


def _sources(card: Card, room: int) -> str:
    if not card.sources:
        return ""
    lines = [f"**{say('Further sources')}**"]
    room -= width(lines[0]) + 40  # for "and so many more"
    for source in card.sources:
        line = _source(source)
        room -= width(line) + 1
        if room < 0:
            break
        lines.append(line)
    left = card.sources_total - (len(lines) - 1)
    if left > 0:
        more = say_number("and {number} more", "and {number} more", left)
        reports = say_number("{number} report", "{number} reports", left)
        lines.append(f"-# {more if len(lines) > 1 else reports}")
    return "\n".join(lines)


def _source(source: CardSource) -> str:
    title = link(source.title, source.url, _SOURCE_TITLE) or link(say("(without a title)"), source.url, 40)
    return "- " + " · ".join(part for part in (title, host(source.url), _date(source.published, "d")) if part)


def _buttons(card: Card) -> ui.ActionRow[ui.LayoutView]:
    row: ui.ActionRow[ui.LayoutView] = ui.ActionRow()
    if card.review is not None:
        return _review_buttons(row, card, card.review)
    if card.case_id is not None:
        row.add_item(_button(say("Follow case"), ids.follow_id(card.case_id, card.mark), "primary"))
    row.add_item(_button(say("Evidence"), ids.evidence_id(card.story_id, card.mark)))
    row.add_item(_button(say("Not relevant"), ids.report_id(card.story_id, card.mark)))
    return row


def _review_buttons(
    row: ui.ActionRow[ui.LayoutView], card: Card, review: CardReview
) -> ui.ActionRow[ui.LayoutView]:
    row.add_item(_button(say("Evidence"), ids.evidence_id(card.story_id, card.mark)))
    if review.state == "waiting":
        row.add_item(_button(say("Approve"), ids.review_id("approve", review.number), "success"))
        row.add_item(_button(say("Edit summary"), ids.review_id("edit", review.number)))
        row.add_item(_button(say("Reject"), ids.review_id("reject", review.number), "danger"))
        row.add_item(_button(say("Merge with case"), ids.review_id("merge", review.number)))
    return row


def _button(label: str, custom_id: str, style: str = "secondary") -> ui.Button[ui.LayoutView]:
    return ui.Button(label=label, custom_id=custom_id, style=discord.ButtonStyle[style])
