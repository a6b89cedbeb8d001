"""What intake decides, without network or database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intake.policy import adds_to_case, own_text
from bot.stories.model import STATUSES

_THEN = datetime(2026, 3, 1, tzinfo=UTC)
_LATER = _THEN + timedelta(days=2)


@pytest.mark.parametrize(
    ("before", "says", "adds"),
    [
        ("issued", "withdrawn", "update"),
        ("issued", "challenged", "update"),
        ("challenged", "quashed", "update"),
        ("upheld", "complied", "update"),
        (None, "withdrawn", "update"),
        ("withdrawn", "withdrawn", "source"),
        ("withdrawn", "challenged", "source"),  # an older stage, told again
        ("challenged", "issued", "source"),
        ("issued", "unknown", "source"),
        ("issued", None, "source"),
        (None, "issued", "source"),
    ],
)
def test_only_news_is_an_update(before: str | None, says: str | None, adds: str) -> None:
    assert adds_to_case(before, says, story_at=_LATER, case_updated=_THEN) == adds


@given(st.sampled_from([None, *STATUSES]), st.sampled_from([None, *STATUSES]))
def test_a_report_older_than_what_is_known_is_never_an_update(before: str | None, says: str | None) -> None:
    assert adds_to_case(before, says, story_at=_THEN, case_updated=_LATER) == "source"


def test_own_text_is_the_longer_one_without_markup() -> None:
    assert own_text("<p>A &amp; B</p>\n<b>C</b>", "short") == "A & B C"
    assert own_text("", "<a href='x'>words</a>") == "words"


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_markup_gives_a_text(content: str, summary: str) -> None:
    assert isinstance(own_text(content, summary), str)
