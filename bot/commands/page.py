"""Fetching one page for `quash analyse URL`, by the same guarded way as everything else."""

from __future__ import annotations

import asyncio

from bot.bounds import limits_of
from bot.commands.analyse import ArticleError
from bot.errors import QuashError
from bot.feeds.articles import PageFetcher
from bot.feeds.fetch import Fetcher
from bot.settings import Settings
from bot.stories.model import Article


def fetch_article(url: str, settings: Settings) -> Article:
    """Fetch a page. Raises `ArticleError` that says why it cannot be had."""
    try:
        return asyncio.run(_fetch(url, settings))
    except ArticleError:
        raise
    except QuashError as error:
        raise ArticleError(f"{url[:200]} cannot be read: {error}") from error


async def _fetch(url: str, settings: Settings) -> Article:
    async with Fetcher(limits_of(settings)) as fetcher:
        page = await PageFetcher(fetcher).fetch_page(url)
    if not page.text.strip():
        raise ArticleError(f"{url[:200]} is empty: there is nothing to analyse.")
    return Article(title="", body=page.text, url=page.url, is_html=page.is_html)
