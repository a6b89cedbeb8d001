"""The words of a text tell which expressions are worth trying, and never rule out one that matches."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.record import Recorder
from bot.stories import parties, status, text
from bot.stories.marks import COURT, DATA, mark
from bot.stories.model import Article
from bot.stories.wanted import Wanted, needs_of

QUALITY = Path(__file__).parent / "quality"


@pytest.mark.parametrize(
    ("pattern", "needs"),
    [
        (r"(?<!\w)quash(?:ed|es)? it", [{"quash"}, {"it"}]),
        (r"threw|toss(?:ed|es) out", [{"threw", "toss"}]),
        (r"(?:at once|now)? gone(?! to| for)", [{"gone"}]),
        (r"can\x27t be{1,2}", [{"can't"}, {"be"}]),
        (r"colou?r", [{"colo"}]),
        (rf"{COURT} (?:\w+ ){{0,3}}ruled", [{"\ue300"}, {"ruled"}]),
        (rf"its {DATA}", [{"its"}, {DATA}]),
        (r"\w+|[a-z]{2}", []),
        (r"(?:some|[a-z]+) order", [{"order"}]),
    ],
)
def test_what_must_stand_there_is_read_from_the_expression(pattern: str, needs: list[set[str]]) -> None:
    found = [set(clause) for clause in needs_of(pattern)]
    assert [clause for clause in needs if clause not in found] == []
    assert len(found) <= len(needs) + 1


@pytest.mark.parametrize("pattern", ["a(?i:b)c", "ab)", "(?>a)"])
def test_what_is_not_read_is_refused_rather_than_guessed(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"bracket|group"):
        needs_of(pattern)


@given(
    st.lists(
        st.sampled_from(
            ["quash", "quashed", "threw", "it", "out", "tossed", "now", "gone", "x,", "\ue301", "\ue501's"]
        )
    )
)
def test_no_expression_that_matches_is_left_out(words: list[str]) -> None:
    patterns = ["quash(?:ed)? it", "(?:threw|tossed) (?:it )?out", f"{COURT}.{{0,9}}gone", "n.w|x", r"\w,"]
    line = " ".join(words)
    matching = {n for n, pattern in enumerate(patterns) if re.search(pattern, line)}
    assert matching <= set(Wanted(patterns).among(line.split()))


def test_the_ways_of_telling_a_status_are_few_a_sentence_and_all_that_match() -> None:
    ways, wanted = status._ways()
    tried = sentences = 0
    for line in (QUALITY / "second.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        document = text.read(Article(row["title"], row["text"]), Recorder())
        mentions = parties.find_mentions(document)
        for sentence in document.sentences:
            here = [mention for mention in mentions if mention.sentence == sentence.index]
            marked = mark(sentence.text, sentence.index, here)
            chosen = wanted.among(marked.text.split())
            matching = {number for number, (_, way) in enumerate(ways) if re.search(way, marked.text)}
            assert matching <= set(chosen)
            tried += len(chosen)
            sentences += 1
    assert tried / sentences < len(ways) / 30
