"""Fixtures of the feeds room: a site on loopback and a fetcher that may reach it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.feeds.fetch import Fetcher
from tests.feeds.web import DirectParser, Site, limits, serving


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as opened:
        yield opened


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with Fetcher(limits(timeout=2.0)) as opened:
        yield opened


@pytest.fixture
def parser() -> DirectParser:
    return DirectParser()
