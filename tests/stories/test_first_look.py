"""Which stories are so far from the field that they are not read for demands."""

from __future__ import annotations

import json
from pathlib import Path

from bot.record import Recorder
from bot.stories.analyse import analyse
from bot.stories.first_look import is_far
from bot.stories.model import Article
from bot.stories.relevance import evidence_of
from bot.stories.text import read

QUALITY = Path(__file__).parent / "quality"


def far(title: str, text: str) -> bool:
    return is_far(evidence_of(read(Article(title, text), Recorder())))


def test_no_story_of_the_field_is_far_from_it() -> None:
    lost = []
    for name in ("articles.jsonl", "second.jsonl"):
        for row in map(json.loads, (QUALITY / name).read_text("utf-8").splitlines()):
            if row["relevant"] and far(row["title"], row["text"]):
                lost.append(row["id"])
    assert lost == []


def test_other_news_is_far_though_it_tells_of_orders_and_requests() -> None:
    assert far(
        "Harbour town wins the cup in the last minute",
        "A header in the last minute gave Harbour Town the cup on Saturday. The coach had ordered his team "
        "forward after half-time, and the goalkeeper turned down a request to come off with a sore knee. "
        "Supporters sang until midnight on the square, where the mayor will receive the players today. It is "
        "the club's first title in forty years; shops expect the best week of the season. The striker who "
        "scored is twenty and came from the youth team last spring.",
    )


def test_a_short_demand_in_words_of_no_list_is_near() -> None:
    assert not far(
        "Ferry line must say who rode at night",
        "A magistrate told the Ostrey ferry line to tell detectives whose cards were used after midnight.",
    )


def test_without_evidence_a_story_is_far_and_without_known_words_it_is_not() -> None:
    assert is_far(None)
    assert not far("Wetter", "Am Sonntag regnet es im Norden, im Süden bleibt es mit der Sonne warm.")


def test_a_far_story_says_why_it_is_not_relevant_and_has_a_summary() -> None:
    story = analyse(Article("Rain on Sunday", "It will rain on Sunday in the north. The south stays warm."))
    assert not story.relevant
    assert story.summary
    assert any(finding.stage == "relevance" for finding in story.findings)
