"""What intake decides, without network or database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intake.policy import adds_to_case, is_elsewhere, is_only_front_page, is_same_title, own_text
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


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Court blocks subpoena for Twitter users", "UPDATED: Court blocks the subpoena for users", True),
        ("Court blocks subpoena", "Court blocks subpoena, says Harborline's lawyer - The Wire", True),
        ("Court blocks subpoena", "Spyware found on phones of reporters", False),
        ("Transparency report 2025", "Transparency report 2026", False),
        ("裁判所が開示請求を退ける", "裁判所、開示請求を退ける判断", True),
        ("裁判所が開示請求を退ける", "新しい監視法案が可決", False),
        ("", "Court blocks subpoena", True),
    ],
)
def test_titles_of_one_article(one: str, other: str, same: bool) -> None:
    assert is_same_title(one, other) is is_same_title(other, one) is same


def test_a_page_that_speaks_of_something_else() -> None:
    title = "Gericht verbietet Herausgabe der Nutzerdaten"
    assert is_elsewhere(title, "Melden Sie sich an, um weiter zu lesen.")
    assert not is_elsewhere(title, "Das Urteil des Gerichts untersagt es.")
    assert not is_elsewhere("Court rules", "Please log in."), "too few words to tell"


@pytest.mark.parametrize("found", ["/", "", "/en/", "/de-CH", "/index.html", "/en/index.php", "/home"])
def test_front_pages(found: str) -> None:
    assert is_only_front_page("https://wire.example/2026/quay", f"https://wire.example{found}")
    assert is_only_front_page("https://wire.example/?p=12", f"https://wire.example{found}")
    assert not is_only_front_page("https://wire.example/", f"https://wire.example{found}")
    assert not is_only_front_page("https://wire.example/2026/quay", f"https://wire.example{found}?p=12")
