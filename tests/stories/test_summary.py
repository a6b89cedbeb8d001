"""A summary tells the story in whole sentences of the article, and stands by itself."""

from __future__ import annotations

import gzip
import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.record import Recorder
from bot.stories.analyse import analyse
from bot.stories.model import Article, Demand, Document, Party, Sentence
from bot.stories.summary import summarise
from bot.stories.text import read

LABELS = Path(__file__).parent / "labels" / "key_facts.jsonl"
POOL = Path(__file__).parents[3] / "shared" / "eval" / "pool.jsonl.gz"

TITLE = "Forum wins against harbour police over subpoena for names"
WITHDRAWN = "The Ellery Harbour Police withdrew its subpoena to the forum for the names of nine members."
ASKED = "The forum had asked a magistrate to quash the subpoena."
FILLER = "The town lies between two hills and is known for its oysters, which are shipped to many lands."


def summary(
    body: str, title: str = TITLE, demands: tuple[Demand, ...] = (), limit: int = 320
) -> tuple[str, ...]:
    notes = Recorder()
    return summarise(read(Article(title, body), notes), (), demands, (), notes, limit)


def test_it_says_who_did_what_and_where_it_stands_rather_than_what_stands_around_it() -> None:
    assert summary(f"{FILLER}\n\n{WITHDRAWN} {ASKED}\n\n{FILLER.replace('oysters', 'gulls')}")[:2] == (
        WITHDRAWN,
        ASKED,
    )


def test_it_holds_at_most_three_sentences_and_keeps_to_the_limit() -> None:
    body = " ".join(
        f"The subpoena number {n} for the names was withdrawn by the harbour police." for n in range(9)
    )
    for limit in (80, 160, 320, 1000):
        taken = summary(body, limit=limit)
        assert 1 <= len(taken) <= 3
        assert len(" ".join(taken)) <= limit


def test_a_sentence_that_the_page_tells_twice_is_told_once() -> None:
    assert summary(f"{WITHDRAWN}\n\n{WITHDRAWN}\n\n{FILLER}", "Police and forum").count(WITHDRAWN) == 1
    story = analyse(Article(TITLE, "\n\n".join([_SERVED, _SERVED, f"Google refused. {_SERVED}"])))
    assert story.summary.count(_SERVED) == 1
    assert max(topic.evidence.count(_SERVED) for topic in story.topics) == 1, "nor is it shown twice"


_SERVED = "The FBI served Google with a search warrant for the location data of a protester."


def test_a_sentence_is_never_cut() -> None:
    long = "The harbour police withdrew its subpoena, " + "and nobody was told why, " * 20 + "on Friday."
    assert summary(long) == (long,)
    assert summary(f"{long}\n\n{ASKED}") == (ASKED,)


@pytest.mark.parametrize(
    "opening",
    [
        "However, the harbour police withdrew its subpoena to the forum for the names of its members.",
        "But the harbour police withdrew its subpoena to the forum for the names of its members.",
        "It withdrew the subpoena of the harbour police to the forum for the names of its members.",
        "They withdrew the subpoena of the harbour police to the forum for the names of its members.",
        "This meant that the harbour police withdrew its subpoena to the forum for the names of its members.",
        "In response, the harbour police withdrew its subpoena to the forum for the names of its members.",
        "“We withdrew the subpoena of the harbour police to the forum for the names of its members.”",
        "(The harbour police withdrew its subpoena to the forum for the names of its members.)",
        "The harbour police withdrew its subpoena to the forum for the names of its members, because...",
        "The harbour police withdrew its subpoena to the forum for the names of these members:",
        "Sign up for news of how the harbour police withdrew its subpoena to the forum for names.",
    ],
)
def test_sentences_that_do_not_stand_by_themselves_are_passed_over(opening: str) -> None:
    plain = "The subpoena of the harbour police to the forum had asked for nine names."
    taken = summary(f"{FILLER}\n\n{opening}\n\n{plain}", limit=130)
    assert taken == (plain,)


def test_who_was_introduced_elsewhere_is_not_named_by_the_last_name_alone() -> None:
    first = f"The town clerk Ada Lindqvist, who keeps the {'old ' * 30}books, spoke of oysters at length."
    bare = (
        "Lindqvist said the harbour police withdrew its subpoena to the forum for the names of nine members."
    )
    plain = "After that ruling police at the harbour withdrew a subpoena to the forum for names."
    notes, clerk = Recorder(), Party("Ada Lindqvist", "person", "other", 2)
    told = read(Article(TITLE, f"{first} {FILLER}\n\n{bare}\n\n{plain}"), notes)
    assert summarise(told, (), (), (clerk,), notes, 130) == (plain,)
    named = read(Article(f"Ada Lindqvist: {TITLE}", told.text), notes)
    assert summarise(named, (), (), (clerk,), notes, 130) == (bare,)


@pytest.mark.parametrize(
    ("opening", "stands"),
    [("The harbour police", True), ("The Justice Department", True), ("The new data agency", False)],
)
def test_a_thing_named_before_leans_on_its_sentence_and_a_name_does_not(opening: str, stands: bool) -> None:
    long = f"{opening} withdrew its subpoena to the forum for the names of nine members."
    plain = "A subpoena by the police to the forum asked for nine names."
    assert summary(f"{FILLER}\n\n{long}\n\n{plain}", limit=90) == ((long,) if stands else (plain,))


def test_a_pronoun_may_follow_the_sentence_that_it_points_at() -> None:
    second = "It had asked for the names, the messages and the addresses of nine members of the forum."
    assert summary(f"{WITHDRAWN} {second}") == (WITHDRAWN, second)


def test_each_language_has_its_own_words_that_hang_on_others() -> None:
    body = "On Friday the harbour police withdrew its subpoena to the forum for names. Police gave no reason."
    assert summary(body)[0].startswith("On Friday")  # "on" is a pronoun in French alone
    german = (
        "Die Hafenpolizei hat ihre Anordnung gegen das Forum Gangway am Freitag zurückgezogen. "
        "Sie verlangte die Namen von neun Mitgliedern des Forums, das sich vor Gericht gewehrt hatte."
    )
    taken = summary("Im Hafen ist wenig los.\n\n" + german, "Hafenpolizei zieht Anordnung gegen Forum zurück")
    assert taken[-2:] == tuple(part + "." for part in german.rstrip(".").split(". "))


def test_headings_titles_and_clutter_are_never_taken() -> None:
    body = f"{TITLE}\n\nBy Mira Solt\n\nNames withdrawn\n\nSign up for our newsletter\n\n{WITHDRAWN}"
    assert summary(body) == (WITHDRAWN,)
    assert summary("Only a heading", "Another title") == ()
    assert summary("") == ()


def test_the_newest_block_of_an_updated_article_wins() -> None:
    body = (
        "The harbour police has given up its subpoena for the names of nine members of the forum.\n\n"
        "12/02/2026: Harbour police demand names\n\n"
        "The harbour police has sent a subpoena to the forum that orders it to name nine of its members."
    )
    assert summary(body, limit=120) == (body.split("\n")[0],)


def test_what_shows_where_a_demand_stands_is_preferred() -> None:
    first = "The harbour police sent the forum a subpoena for the names of nine members in March."
    second = "The forum gave up the names of nine members to the harbour police in May, records show."
    other = "The forum praised the harbour police for its work on the names of nine ships in May."
    demand = Demand(
        issuer=("Harbour Police",),
        instrument="subpoena",
        recipient=("Gangway",),
        target=(),
        sought=("names",),
        status="complied",
        evidence=(first, second),
        field_evidence=(("status", second),),
    )
    assert summary(f"{first}\n\n{other}\n\n{second}", "Harbour police and forum", (demand,), limit=180) == (
        first,
        second,
    )


def test_sentences_that_had_markup_inside_are_passed_over_when_others_say_it() -> None:
    marked = (
        "The [harbour police](https://a.example) withdrew its subpoena to the forum for the names on Friday."
    )
    plain = "The subpoena for the names of the forum's members was withdrawn by the harbour police on Friday."
    assert summary(f"{marked}\n\n{plain}", limit=110) == (plain,)


def test_the_choice_is_noted_with_its_sentences() -> None:
    notes = Recorder()
    document = read(Article(TITLE, WITHDRAWN), Recorder())
    taken = summarise(document, (), (), (Party("Gangway", "organisation", "recipient", 1),), notes)
    (finding,) = notes.findings
    assert finding.stage == "summary"
    assert finding.evidence == taken


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=120), max_size=12), st.integers(min_value=1, max_value=400))
def test_any_document_gives_a_summary_of_its_own_sentences(texts: list[str], limit: int) -> None:
    folded = [" ".join(text.split()) for text in texts]
    sentences = tuple(Sentence(text, at, at) for at, text in enumerate(text for text in folded if text))
    document = Document("A title", sentences, "en")
    taken = summarise(document, (), (), (), Recorder(), limit)
    assert len(taken) <= 3
    assert all(text in folded for text in taken)
    assert bool(taken) == bool(sentences)
    assert len(" ".join(taken)) <= limit or len(taken) == 1


def test_a_long_article_takes_no_longer() -> None:
    document = read(Article(TITLE, "\n\n".join(f"{WITHDRAWN} {ASKED} {n}." for n in range(1500))), Recorder())
    start = time.process_time()
    summarise(document, (), (), (), Recorder())
    assert time.process_time() - start < 1


def test_summaries_tell_the_facts_that_a_reader_wrote_down_before_seeing_them() -> None:
    """Held out: nothing was tuned on these articles (docs/decisions/stories-text.md)."""
    labels = {item["id"]: item["key_facts"] for item in map(json.loads, LABELS.read_text().splitlines())}
    if not POOL.exists():  # the articles themselves are no part of the project
        assert len(labels) >= 30
        return
    told = []
    with gzip.open(POOL, "rt", encoding="utf-8") as lines:
        for item in map(json.loads, lines):
            if item["id"] in labels:
                story = analyse(Article(item["title"], item["text"][:2000], source=item["source"]))
                summary_text = " ".join(story.summary)[:320]
                facts = labels[item["id"]]
                told.append(
                    sum(bool(re.search("|".join(fact), summary_text, re.I)) for fact in facts) / len(facts)
                )
    assert len(told) == len(labels)
    assert sum(told) / len(told) >= 0.80
