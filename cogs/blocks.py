"""Stories and demands as blocks of an answer. What comes from outside is made safe here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter

from bot.alerts.foreign import link, safe_text
from bot.alerts.render import status_words
from bot.words import say
from cogs.panels import stamp
from db.passages import Passage
from db.tables import DemandRow, StoryRow


def story_block(story: StoryRow, passage: Passage | None = None, *, longest: int = 330) -> str:
    """Give a story: title, source, date, where it stands, summary (at most so long); or the passage that
    a search found."""
    at = story.published or story.first_seen
    facts = [safe_text(story.source, 60), stamp(at)]
    if story.status:
        facts.append(status_words(story.status))
    summary = safe_text(" ".join(story.summary), longest) if passage is None else marked(passage)
    return f"**{link(story.title, story.url, 200)}**\n-# {' · '.join(f for f in facts if f)}\n{summary}"


def marked(passage: Passage) -> str:
    """Give a passage with its hits in bold."""
    parts: list[str] = []
    at = 0
    for start, end in passage.hits:
        if start >= at:  # hits may overlap: a phrase, and a word of it
            parts += [_kept(passage.text[at:start]), f"**{safe_text(passage.text[start:end], 120)}**"]
            at = end
    return "".join([*parts, _kept(passage.text[at:])])


def _kept(part: str) -> str:
    """Make a part of a text safe, with the spaces at its ends."""
    before, after = " " * part.startswith(" "), " " * (part.endswith(" ") and len(part) > 1)
    return f"{before}{safe_text(part, 400)}{after}"


def names_of(names: Sequence[str]) -> str:
    """Give names in a row, "not named" for none, as cards do."""
    return safe_text(", ".join(names), 150) or say("not named")


def demand_block(demand: DemandRow, story: StoryRow) -> str:
    """Give a demand with the story that reports it."""
    line = f"**{names_of(demand.issuer)} → {names_of(demand.recipient)}** · {say(demand.instrument)}"
    if demand.target:
        line += " · " + say("about {target}", target=names_of(demand.target))
    return (
        f"{line} · {status_words(demand.status)}\n"
        f"-# {stamp(demand.reported)} · {link(story.title, story.url, 120)}"
    )


def quoted(claims: Iterable[tuple[str, Sequence[str]]], *, longest: int) -> list[str]:
    """Quote the sentences of claims (Markdown that is safe already), each at most so long, and once: below
    all claims that rest on it."""
    shows: dict[str, list[str]] = {}
    for claim, sentences in claims:
        for sentence in sentences:
            shows.setdefault(sentence, []).append(claim)
    return [
        f"**{' · '.join(of)}**\n" + "\n".join(f"> {safe_text(each, longest)}" for each, _ in alike)
        for of, alike in groupby(shows.items(), key=itemgetter(1))
    ]
