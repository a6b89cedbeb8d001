"""Subpoenas of suits, of legislatures and attorneys general: who sues and asks, and who is asked."""

# ruff: noqa: E501 - sentences stand whole

from __future__ import annotations

from bot.stories.analyse import analyse
from bot.stories.model import Article, Demand


def read(title: str, body: str) -> tuple[Demand, ...]:
    return analyse(Article(title=title, body=body)).demands


def first(title: str, body: str) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    found = read(title, body)
    assert found, "no demand was found"
    return found[0].issuer, found[0].recipient, found[0].instrument


def test_the_unknown_speaker_neither_demands_nor_is_asked() -> None:
    issuer, recipient, _ = first(
        "Roofer may learn who wrote three bad reviews on Yelp",
        "Marlow Roofing sued John Does and served Yelp with a subpoena for the names of three reviewers. "
        "The reviewers, who call themselves Doe 1 and Doe 2 in court papers, asked a judge to quash the subpoena. "
        "The judge refused, and Yelp must hand over the names.",
    )
    assert issuer == ("Marlow Roofing",)
    assert recipient == ("Yelp",)


def test_who_is_only_asked_does_not_demand() -> None:
    issuer, recipient, _ = first(
        "Subpoena for a chat forum's records",
        "Lawyers let nobody know how they found an anonymous critic's platform, but a subpoena went to Reddit for the account's records. "
        "Reddit has objected to the subpoena.",
    )
    assert "platform" not in " ".join(issuer)
    assert recipient == ("Reddit",)
