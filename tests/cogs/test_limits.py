"""How fast one person may ask, without hurting another."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from cogs.guards import NotAllowedError
from cogs.limits import Budget
from tests.cogs.conftest import Scene

_NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_a_budget_says_when_the_next_is_possible_and_comes_back() -> None:
    budget = Budget(2, timedelta(seconds=10))
    budget.spend(1, _NOW)
    budget.spend(1, _NOW + timedelta(seconds=4))
    with pytest.raises(NotAllowedError, match="again in 5 seconds"):
        budget.spend(1, _NOW + timedelta(seconds=5))
    budget.spend(2, _NOW + timedelta(seconds=5))
    budget.spend(1, _NOW + timedelta(seconds=10))


def test_a_clock_that_is_turned_back_locks_nobody_out() -> None:
    budget = Budget(1, timedelta(seconds=10))
    budget.spend(1, _NOW + timedelta(days=365))
    budget.spend(1, _NOW)


async def test_whoever_asks_faster_than_one_reads_is_told_so(scene: Scene) -> None:
    said = [(await scene.member.command("explain", term="gag order")).text for _ in range(45)]
    assert "gag" in said[0].casefold()
    assert any("try again in" in text for text in said)
    assert "try again in" not in (await scene.moderator.command("explain", term="gag order")).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_form_that_nobody_sends_is_forgotten(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cogs.clicks._OPEN_FOR", 0.05)  # seconds
    form = await scene.moderator.command("feeds import")
    await asyncio.sleep(0.2)
    assert scene.client is not None
    assert scene.client._connection._view_store._modals == {}
    assert "open it again" in (await scene.moderator.submit(form, {"One address a line, or OPML": "x"})).text
