"""Reading one page because a person asked: the same guarded fetch and the same analysis as for feeds.

Nothing is stored, and nobody is told but the one who asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.errors import QuashError, told
from bot.feeds.articles import Page
from bot.stories.model import Article, Story

Progress = Callable[[str], Awaitable[None]]


class NoArticleError(QuashError):
    """A page does not show its article; says why."""


class LinkReader:
    """Turns a link into a story."""

    def __init__(
        self,
        analyse: Callable[[Article], Awaitable[Story]],
        fetch_page: Callable[[str], Awaitable[Page]],
    ) -> None:
        self._analyse = analyse
        self._fetch_page = fetch_page

    async def read(self, url: str, progress: Progress) -> Story:
        """Fetch and analyse a page; `progress` is told "fetching" and "reading".

        Raises `FetchError`, `bot.intake.analysis.AnalysisError`, and `NoArticleError` for a wall (consent,
        payment, log-in) or a page without text.
        """
        await progress("fetching")
        page = await self._fetch_page(url)
        await progress("reading")
        story = await self._analyse(Article(title="", body=page.text, url=page.url, is_html=page.is_html))
        if any(f.stage == "text" and f.outcome == "wall" for f in story.findings):
            raise NoArticleError(
                told(
                    "That page does not show its article (it asks for consent, payment or a log-in); "
                    "try another report."
                )
            )
        if not story.text.strip():
            raise NoArticleError(
                told("That page has no article that could be read; try the article's own address.")
            )
        return story
