"""A short run of the random campaign; `tests/delivery/campaign.py` plays long ones."""

from __future__ import annotations

import pytest

from tests.delivery.campaign import campaign, wrong


@pytest.mark.timeout(600)
async def test_a_short_campaign_of_deaths_loses_nothing_and_repeats_nothing(database_url: str) -> None:
    result = await campaign(kills=4, total=16, url=database_url, seed=20261125)
    assert wrong(result) == [], result
    assert result["threads"] > 5
