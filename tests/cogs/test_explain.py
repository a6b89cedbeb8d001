"""The glossary: every term of the closed lists has its entry, and fits."""

from __future__ import annotations

import pytest

from bot.stories.model import INSTRUMENTS, STATUSES, TOPICS
from cogs.explain import explained, glossary
from tests.cogs.conftest import Scene


@pytest.mark.parametrize("term", [*INSTRUMENTS, *TOPICS, *STATUSES])
def test_every_term_has_an_entry_that_fits(term: str) -> None:
    view = explained(term)
    assert 30 < view.content_length() < 4000


def test_the_glossary_holds_no_term_that_does_not_exist() -> None:
    found = glossary()
    assert set(found["topics"]) == set(TOPICS)
    assert set(found["statuses"]) == set(STATUSES)
    assert set(found["instruments"]) == set(INSTRUMENTS)


async def test_explain_answers_and_says_what_was_likely_meant(scene: Scene) -> None:
    answer = await scene.alone.command("explain", term="Administrative Subpoena")
    assert "motion to quash" in answer.text
    assert "no legal advice" in answer.text
    assert "did you mean gag order" in (await scene.member.command("explain", term="gagorder")).text
    for typed, meant in (
        ("geofence order", "geofence warrant"),
        ("Customs sent Twitter an administrative summons over a tweet", "administrative summons"),
    ):
        assert f"did you mean {meant}?" in (await scene.member.command("explain", term=typed)).text
    unlike = (await scene.alone.command("explain", term=f"thrown out {'by a judge ' * 5}")).text
    assert "by a…”; known are" in unlike, "not withdrawn, which is another thing"
    assert "secret" in (await scene.member.command("explain", term="NSL")).text
    assert [c.value for c in await scene.member.autocomplete("explain", "term", "nsl")] == [
        "national security letter"
    ]
    assert "quashed" in [c.value for c in await scene.member.autocomplete("explain", "term", "quash")]
