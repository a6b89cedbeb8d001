"""The one way from an article to a story: every stage in order, each writing its reasons to the record."""

from __future__ import annotations

from bot.record import Recorder
from bot.stories import cases, demand_choice, parties, relevance, summary, text
from bot.stories.first_look import is_far
from bot.stories.model import Article, Demand, Fingerprint, Mention, Story


def analyse(article: Article) -> Story:
    """Read an article. Never raises for what it holds: an empty text gives an irrelevant, empty story.

    Pure and synchronous; CPU work of a few milliseconds, so call it in a worker process.
    """
    notes = Recorder()
    document = text.read(article, notes)
    evidence = relevance.evidence_of(document)
    of_demands = Recorder()
    mentions: tuple[Mention, ...] = ()
    found: tuple[Demand, ...] = ()
    surely = 0.0
    if not is_far(evidence):
        mentions = parties.find_mentions(document)
        found, surely = demand_choice.find(document, mentions, evidence, of_demands)
    weighed, topics = relevance.weigh(document, evidence, notes, found, surely)
    if weighed.relevant:
        notes.findings += of_demands.findings
    else:  # then none is a demand *for people's data*, whatever its words look like
        found = ()
    cast = parties.cast(document, mentions, found, notes) if weighed.relevant else ()
    return Story(
        title=document.title,
        url=document.canonical_url or document.url,
        source=document.source,
        published=document.published,
        language=document.language,
        relevance=weighed,
        topics=topics,
        parties=cast,
        demands=found,
        summary=summary.summarise(document, topics, found, cast, notes),
        text=document.text,
        fingerprint=(
            cases.fingerprint(document, cast, found, topics)
            if weighed.relevant
            else Fingerprint((), document.published)
        ),
        case_title=cases.case_title(document, cast, found, topics) if weighed.relevant else "",
        findings=tuple(notes.findings),
    )
