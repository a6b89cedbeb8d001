"""The one way from an article to a story: every stage in order, each writing its reasons to the record."""

from __future__ import annotations

from bot.record import Recorder
from bot.stories import cases, demand_choice, parties, relevance, summary, text
from bot.stories.model import Article, Story


def analyse(article: Article) -> Story:
    """Read an article. Never raises for what it holds: an empty text gives an irrelevant, empty story.

    Pure and synchronous; CPU work of a few milliseconds, so call it in a worker process.
    """
    notes = Recorder()
    document = text.read(article, notes)
    mentions = parties.find_mentions(document)
    of_demands = Recorder()
    evidence = relevance.evidence_of(document)
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
        topics=topics if weighed.relevant else (),
        parties=cast,
        demands=found,
        summary=summary.summarise(document, topics, found, cast, notes),
        text=document.text,
        fingerprint=cases.fingerprint(document, cast, found, topics),
        case_title=cases.case_title(document, cast, found, topics) if weighed.relevant else "",
        findings=tuple(notes.findings),
    )
