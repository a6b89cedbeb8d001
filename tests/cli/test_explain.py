"""`quash analyse` for people: every decision with its weight, its rule and the sentences behind it."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from bot.commands.explain import explain
from bot.stories.analyse import analyse
from bot.stories.model import Article, Story

BODY = """The Department of Homeland Security has withdrawn a summons that told Twitter to reveal who runs the
account @rogue_ranger, lawyers for the company said on Friday.

Twitter had sued the department over the summons, which asked for the phone number and the IP address of the
anonymous user. The American Civil Liberties Union said that anonymous speech is protected."""


def shown(story: Story, case: str | None = None) -> str:
    out = io.StringIO()
    explain(story, case, Console(file=out, width=100, highlight=False))
    return out.getvalue()


def test_every_claim_points_at_a_sentence_that_is_listed() -> None:
    story = analyse(Article(title="Government drops summons to unmask Twitter account", body=BODY))
    assert story.relevant and story.demands
    text = shown(story, "7")
    claims, _, sentences = text.partition("\nSentences\n")
    pointed = set(re.findall(r"\[(\d+)\]", claims))
    listed = set(re.findall(r"^\s*\[(\d+)\]", sentences, re.MULTILINE))
    assert pointed == listed != set()
    assert "case 7: " in text
    for heading in ("Relevance", "Topics", "Demand 1", "Parties", "How it was read"):
        assert f"\n{heading}" in claims
    flat = " ".join(sentences.split())
    for demand in story.demands:
        for _, sentence in demand.field_evidence:
            assert sentence in flat
    for topic in story.topics:
        assert all(sentence in flat for sentence in topic.evidence)


def test_a_page_does_not_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    title = "Government \x1b]0;drops\x07 summons \u202eto unmask\x9b31m a Twitter account"
    explain(analyse(Article(title=title, body=BODY.replace("withdrawn", "\x1b[2Jwithdrawn"))), None)
    shown = capsys.readouterr().out
    assert "summons to unmask31m a Twitter" in shown and "has [2Jwithdrawn" in shown
    assert not set("\x1b\x07\u202e\x9b") & set(shown)


def test_fields_and_weights_are_told() -> None:
    text = shown(analyse(Article(title="Government drops summons to unmask Twitter account", body=BODY)))
    assert re.search(r"issuer +Department of Homeland Security +\[\d+\]", text)
    assert re.search(r"recipient +Twitter +\[\d+\]", text)
    assert re.search(r"status +withdrawn +\[\d+\]", text)
    assert re.search(r"\+\d+\.\d\d +The evidence adds up", text)


def test_a_story_outside_the_field_says_why_and_shows_no_demands() -> None:
    text = shown(analyse(Article(title="Farm bill passes", body="The Senate voted on a bill for farms.")))
    assert text.startswith("Farm bill passes\nnot relevant (chance ")
    assert "\nRelevance" in text
    assert "\nDemand" not in text


def test_an_empty_article_is_explained_too() -> None:
    text = shown(analyse(Article(title="", body="")))
    assert text.startswith("(no title)\nnot relevant")


def test_markup_in_an_article_is_shown_as_it_stands() -> None:
    text = shown(
        analyse(Article(title="[bold]Court[/bold] [red]rules", body="[link=x]A court[/] ruled today."))
    )
    assert text.startswith("[bold]Court[/bold] [red]rules\n")
