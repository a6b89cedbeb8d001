"""The worker processes that read articles: one that ends takes no other's article with it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal

import pytest

from bot.intake.analysis import AnalysisError, AnalysisPool
from bot.stories.model import Article, Story

_LONG = " ".join(f"Agency {n} sent Google a subpoena for the name of user {n}." for n in range(1500))


def _kill_one() -> None:
    os.kill(next(child.pid for child in multiprocessing.active_children() if child.pid), signal.SIGKILL)


async def test_an_article_is_read_though_anothers_process_died_and_one_that_always_kills_is_given_up() -> (
    None
):
    async with AnalysisPool(2) as pool:
        await asyncio.gather(*(pool.analyse(Article(title="a", body="b")) for _ in range(2)))
        work = [asyncio.create_task(pool.analyse(Article(title=f"{n}", body=_LONG))) for n in range(2)]
        await asyncio.sleep(0.2)
        _kill_one()
        stories = await asyncio.gather(*work)
        assert all(isinstance(story, Story) for story in stories)
        killer = asyncio.create_task(pool.analyse(Article(title="killer", body=_LONG)))
        with pytest.raises(AnalysisError, match="died"):
            while not killer.done():
                await asyncio.sleep(0.01)  # well below what reading it takes
                if multiprocessing.active_children():
                    _kill_one()
            await killer
        # The third waits for its turn still, and must start no process anew.
        left = [asyncio.create_task(pool.analyse(Article(title="left", body=_LONG))) for _ in range(3)]
        await asyncio.sleep(0.1)
    for one in left:
        with pytest.raises(AnalysisError, match="died"):
            await one
    assert multiprocessing.active_children() == []
