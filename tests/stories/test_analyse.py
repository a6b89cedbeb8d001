"""The whole way from an article to a story: whatever comes in, a story comes out, in time."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.stories.analyse import analyse
from bot.stories.model import INSTRUMENTS, KINDS, ROLES, STATUSES, TOPICS, Article, Story

MOST = 200_000  # characters of one article
SECONDS = 2.0  # of CPU for one article, whatever it is

# Pieces of which the field's rules make something, so that chance texts reach them.
_WORDS = """
The FBI|Google|served|a subpoena|on|ordered|Twitter|to hand over|records of|an anonymous user|@rogue_ranger
refused|said Jane Doe,|a lawyer for|the ACLU|court|U.S.|Update:|By Ann Lee|. |, |“|”|(|)|[1]|* |# |<p>|</div>
warrant|withdrew|on Tuesday|X|police|of the|and|which|data|é|中文|\u200b|\x00
"""
PIECES = st.sampled_from([*_WORDS.strip().replace("\n", "|").split("|"), "\n", "\n\n"])
CHANCE = st.one_of(
    st.text(max_size=3_000),
    st.lists(PIECES, max_size=400).map(" ".join),
    st.binary(max_size=3_000).map(lambda content: content.decode("utf-8", "replace")),
)
REPEATED = [
    "a",
    "A",
    " ",
    "\n",
    "-",
    "(",
    '"',
    "@",
    "<div>",
    "<p>The FBI served Google.",
    "[a](b ",
    "A. ",
    "U.S. ",
    "The ",
    "Ann Lee ",
    "Ann Lee, ",
    "subpoena ",
    "subpoena to Google ",
    "The FBI served Google with a subpoena for data. ",
    "ordered Twitter to hand over the records of a user, ",
    "the court of the ministry of the office of ",
    "Google, Meta, Twitter and ",
    "By Ann Lee\n",
    "May 3, 2024: Court\n",
    "Read more ...\n",
    "é",
    "中",
    "ordered\u00a0",
]


def is_whole(story: Story) -> bool:
    """Whether every value of a story is one of those that exist."""
    assert all(topic.topic in TOPICS for topic in story.topics)
    assert all(party.kind in KINDS and party.role in ROLES for party in story.parties)
    for demand in story.demands:
        assert demand.instrument in INSTRUMENTS
        assert demand.status in STATUSES
        assert demand.evidence
    assert 0.0 <= story.relevance.score <= 1.0
    assert len(story.summary) <= 3
    return True


def timed(article: Article) -> tuple[Story, float]:
    start = time.process_time()
    story = analyse(article)
    return story, time.process_time() - start


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(title=CHANCE, body=CHANCE, is_html=st.booleans())
def test_any_text_gives_a_story(title: str, body: str, is_html: bool) -> None:
    assert is_whole(analyse(Article(title=title, body=body, is_html=is_html)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(piece=st.lists(PIECES, min_size=1, max_size=12).map(" ".join), is_html=st.booleans())
def test_any_text_of_any_size_is_read_in_time(piece: str, is_html: bool) -> None:
    body = (piece + " ") * (MOST // (len(piece) + 1))
    story, seconds = timed(Article(title=piece, body=body, is_html=is_html))
    assert is_whole(story)
    assert seconds < SECONDS


@pytest.mark.parametrize("piece", REPEATED)
@pytest.mark.parametrize("is_html", [False, True])
def test_a_long_repetition_is_read_in_time(piece: str, is_html: bool) -> None:
    body = piece * (MOST // len(piece))
    story, seconds = timed(Article(title=piece * 20, body=body, is_html=is_html))
    assert is_whole(story)
    assert seconds < SECONDS
