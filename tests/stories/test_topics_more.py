"""Plain reports get their topics, demands add to them, and look-alikes stay out."""

from __future__ import annotations

import pytest

from bot.record import Recorder
from bot.stories.demand_evidence import told_by
from bot.stories.model import Demand, Document, Sentence
from bot.stories.relevance import evidence_of, weigh


def topics_of(title: str, *sentences: str) -> set[str] | None:
    """Give the topics of a report, None where it is not relevant."""
    read = Document(title, tuple(Sentence(text, i, i) for i, text in enumerate(sentences)), "en")
    relevance, topics = weigh(read, evidence_of(read), Recorder())
    return {topic.topic for topic in topics} if relevance.relevant else None


@pytest.mark.parametrize(
    ("topic", "title", "sentences"),
    [
        (
            "spyware",
            "Phones of two editors were infected, laboratory says",
            ["Somebody installed Predator on the editors' phones through messages with trapped links."],
        ),
        (
            "data-brokers",
            "Weather app sold where its users went",
            ["The app passed location data to ad networks, which sold it on to a data marketplace."],
        ),
        (
            "free-speech",
            "Police raid newspaper and seize reporters' computers",
            ["Officers searched the newsroom; press freedom groups say that sources are no longer safe."],
        ),
    ],
)
def test_plain_reports_get_their_topic(topic: str, title: str, sentences: list[str]) -> None:
    assert topic in (topics_of(title, *sentences) or set())


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        ("Signal failure stops trains", "Thieves had cut the signal cables; the operator counts the cost."),
        ("Carrier's outage traced to a routing update", "The network fell over after a software upgrade."),
        ("Judge halts deportation of a family", "The court ruled that the asylum case must be heard first."),
        ("Court allows transit ads", "The station advertisements of a church may stay, the judge ruled."),
    ],
)
def test_what_only_shares_the_words_stays_out(title: str, sentence: str) -> None:
    assert topics_of(title, sentence) is None


def test_a_demand_tells_its_kind_and_its_outcome() -> None:
    def measures(instrument: str, status: str, *sought: str) -> set[str]:
        demand = Demand(("FBI",), instrument, ("Google",), (), sought, status, ("It asked.",))
        return set(told_by((demand,)))

    assert {"demand-to-search", "demand-fought"} <= measures("search warrant", "challenged")
    assert {"demand-secret", "demand-to-watch"} <= measures("national security letter", "issued")
    assert {"demand-removal-met", "demand-takedown"} <= measures("takedown order", "complied")
    assert "demand-met" not in measures("takedown order", "complied")
    assert "demand-for-bodies" in measures("subpoena", "issued", "biometric data")
