"""Serves the sample web on loopback; `turn_to(day)` publishes what has come up to that day."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.sandbox.web import feeds, pages
from bot.sandbox.web.articles import LAST_DAY, OUTLETS, Outlet, SampleArticle, load
from bot.sandbox.web.feeds import CONTENT_TYPES, Item


class SampleWeb:
    """The six outlets of the sample week.

    `now` is the end of the week: an article of day 6 is of today, one of day 0 a week old. Every answer
    carries an ETag and is good for a second, so that a poll right after `turn_to` sees what is new.
    """

    last_day = LAST_DAY

    def __init__(self, now: datetime, *, port: int = 0) -> None:
        self._now = now
        self._wanted_port = port
        self._articles = load()
        self._day = 0
        application = web.Application()
        application.add_routes(
            [
                web.get("/{outlet}/", self._home),
                web.get("/{outlet}/feed", self._feed),
                web.get("/{outlet}/{slug}.html", self._page),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None)
        self.port = 0

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._wanted_port).start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def feed_urls(self) -> tuple[str, ...]:
        """The addresses of all feeds."""
        return tuple(f"{self._home_url(outlet)}feed" for outlet in OUTLETS)

    def turn_to(self, day: int) -> None:
        """Publish everything up to this day."""
        self._day = day

    def published(self) -> tuple[SampleArticle, ...]:
        """Give what is published by now."""
        return tuple(a for a in self._articles if a.day <= self._day)

    # ---------------------------------------------------------------- requests

    async def _home(self, request: web.Request) -> web.Response:
        outlet = _outlet(request)
        page = pages.home(outlet, f"{self._home_url(outlet)}feed", self._items(outlet))
        return web.Response(text=page, content_type="text/html")

    async def _feed(self, request: web.Request) -> web.Response:
        outlet = _outlet(request)
        body = feeds.write(outlet, self._home_url(outlet), self._items(outlet))
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {"ETag": etag, "Cache-Control": "max-age=1"}
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type=CONTENT_TYPES[outlet.dialect], headers=headers)

    async def _page(self, request: web.Request) -> web.Response:
        outlet = _outlet(request)
        items = self._items(outlet)
        for item in items:
            if item.article.slug == request.match_info["slug"]:
                return web.Response(text=pages.article(outlet, item, items), content_type="text/html")
        raise web.HTTPNotFound

    def _items(self, outlet: Outlet) -> Sequence[Item]:
        return [
            Item(a, f"{self._home_url(outlet)}{a.slug}.html", self._time_of(a, place))
            for place, a in enumerate(self._articles)
            if a.feed == outlet.key and a.day <= self._day
        ]

    def _time_of(self, article: SampleArticle, place: int) -> datetime:
        # Every article its own minute, so that their order is certain.
        return (self._now - timedelta(days=LAST_DAY - article.day, minutes=200 - place)).replace(
            microsecond=0
        )

    def _home_url(self, outlet: Outlet) -> str:
        return f"http://127.0.0.1:{self.port}/{outlet.key}/"


def _outlet(request: web.Request) -> Outlet:
    for outlet in OUTLETS:
        if outlet.key == request.match_info["outlet"]:
            return outlet
    raise web.HTTPNotFound
