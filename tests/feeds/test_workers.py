"""Parser processes: what comes back, and what happens when one hangs, grows or dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest

from bot.feeds.errors import NotAFeedError, ParseError
from bot.feeds.sight import seen
from bot.feeds.workers import ParserPool
from tests.feeds.documents import WHERE, ordinary_atom, ordinary_rss, parsed, rss


@pytest.fixture
async def pool() -> AsyncIterator[ParserPool]:
    async with ParserPool(2) as opened:
        yield opened


def processes(pool: ParserPool) -> list[int]:
    return [worker.pid for worker in pool._all]


async def test_a_feed_comes_back_as_it_would_here(pool: ParserPool) -> None:
    for content in (
        ordinary_rss(),
        ordinary_atom(),
        rss("<title>é</title><ttl>60</ttl><item><title>One</title></item>"),
    ):
        assert await pool.parse(content, WHERE, "application/rss+xml") == seen(
            parsed(content, "application/rss+xml")
        )


async def test_errors_keep_their_kind_and_sentence(pool: ParserPool) -> None:
    with pytest.raises(NotAFeedError, match="web page"):
        await pool.parse(b"<!doctype html><html></html>", WHERE, "text/html")
    with pytest.raises(ParseError, match="empty"):
        await pool.parse(b"", WHERE, None)


async def test_many_at_once_need_few_processes_and_never_hold_the_loop(pool: ParserPool) -> None:
    await pool.parse(ordinary_rss(), WHERE, None)
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - before)

    watching = asyncio.create_task(watch())
    feeds = await asyncio.gather(*(pool.parse(ordinary_rss(30, 3000), WHERE, None) for _ in range(40)))
    watching.cancel()
    assert [len(feed.sightings) for feed in feeds] == [30] * 40
    assert len(processes(pool)) <= 2
    assert longest < 0.5  # generous: the machine of a test run is shared; the benchmark measures the 50 ms


async def test_a_dead_worker_is_replaced(pool: ParserPool) -> None:
    await pool.parse(ordinary_rss(), WHERE, None)
    for pid in processes(pool):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(ParseError, match="given up"):
        await pool.parse(ordinary_rss(), WHERE, None)
    assert len((await pool.parse(ordinary_rss(), WHERE, None)).sightings) == 20


async def test_a_worker_that_hangs_is_ended_at_the_deadline() -> None:
    async with ParserPool(1, deadline=4.0) as pool:
        await pool.parse(ordinary_rss(), WHERE, None)
        (pid,) = processes(pool)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(ParseError, match="longer than 4 s"):
            await pool.parse(ordinary_rss(), WHERE, None)
        assert pid not in processes(pool)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_memory_is_bounded(pool: ParserPool) -> None:
    """A document within the bound on bytes, in a charset that makes it four times as large, and worse."""
    content = (b"<rss><channel><item><title>" + "\U0001f600".encode() * 4_000_000)[: 16 * 1024 * 1024 - 8]
    with contextlib.suppress(ParseError):
        await pool.parse(content, WHERE, None)
    assert len((await pool.parse(ordinary_rss(), WHERE, None)).sightings) == 20


async def test_cancelling_a_wait_leaves_the_pool_usable(pool: ParserPool) -> None:
    waiting = asyncio.create_task(pool.parse(ordinary_rss(30, 3000), WHERE, None))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert len((await pool.parse(ordinary_rss(), WHERE, None)).sightings) == 20


async def test_closing_ends_the_processes() -> None:
    async with ParserPool(2) as pool:
        await pool.parse(ordinary_rss(), WHERE, None)
        pids = processes(pool)
        assert pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(ParseError, match="stopping"):
        await pool.parse(ordinary_rss(), WHERE, None)
