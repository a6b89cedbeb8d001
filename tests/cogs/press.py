"""A press whose feeds a scene's servers watch: real pages, the real reader, the real delivery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from ipaddress import ip_network

from aiohttp import web

from bot.alerts.deliver import Deliverer
from bot.alerts.limiter import TokenBucket
from bot.alerts.sender import DiscordSender
from bot.errors import QuashError
from bot.feeds.articles import PageFetcher
from bot.feeds.fetch import Fetcher
from bot.feeds.limits import FeedLimits
from bot.intake.reading import Reader
from bot.sandbox import Person
from bot.sandbox.discord.interactions import Answer
from bot.sandbox.web.articles import SampleArticle, load
from bot.stories.model import Article, Story
from tests.cogs.conftest import Scene, read_here

ARTICLES = {article.slug: article for article in load()}


class Press:
    """Feeds `a` and `b`, and what happens to their articles in a scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.feeds: dict[str, list[SampleArticle]] = {"a": [], "b": []}
        self.pages: dict[str, str] = {}
        self.down = False
        self.unreadable: set[str] = set()
        self.address = ""
        self.reader: Reader | None = None
        assert scene.client is not None
        sender = DiscordSender(scene.client, TokenBucket(rate=10_000))
        self.deliverer = Deliverer(scene.house.database, sender, clock=scene.house.clock, poll=0.05)

    def feed(self, name: str) -> str:
        return f"{self.address}/{name}.xml"

    def link(self, slug: str) -> str:
        return f"{self.address}/{slug}.html"

    async def publish(self, name: str, *slugs: str) -> None:
        """Publish articles in a feed, and have them found, read and owed."""
        for slug in slugs:
            self.feeds[name].insert(0, ARTICLES[slug])
            self.pages.setdefault(slug, _page(ARTICLES[slug]))
        await self.look()

    async def look(self) -> None:
        assert self.scene.services is not None
        self.scene.house.clock.turn(minutes=20)
        await self.scene.services.feeds.check(gap=0)
        await self.read()

    async def read(self) -> None:
        assert self.reader is not None
        while await self.reader.read_new():
            pass

    async def analyse(self, article: Article) -> Story:
        if article.title in self.unreadable:
            raise QuashError("the article took longer than 30 s to read")
        return await read_here(article)

    async def why(self, story: str) -> str:
        """What a moderator reads, all pages of it."""
        return await leaf(self.scene.moderator, await self.scene.moderator.command("why", story=story))


async def leaf(person: Person, answer: Answer) -> str:
    """Read all pages of an answer."""
    text = answer.text
    while "Next" in labels_of(answer.message.components):
        answer = await person.click(answer.message, "Next")
        text += "\n" + answer.text
    return text


async def told_whole(answer: Answer, messages: int) -> None:
    """Wait for an answer that comes in several messages."""
    for _ in range(500):
        if len(answer.messages) == messages:
            break
        await asyncio.sleep(0.02)
    assert len(answer.messages) == messages


def labels_of(components: list[dict]) -> list[str]:  # type: ignore[type-arg]  # Discord's JSON
    found = []
    for component in components:
        found += [component["label"]] if component.get("label") else []
        found += labels_of(component.get("components", []))
    return found


def _page(article: SampleArticle) -> str:
    text = "".join(f"<p>{escape(p)}</p>" for p in article.paragraphs)
    return f"<html><head><title>{escape(article.title)}</title></head><body><article>{text}</article></body>"


@asynccontextmanager
async def open_press(scene: Scene) -> AsyncIterator[Press]:
    press = Press(scene)

    async def feed(request: web.Request) -> web.Response:
        if press.down:
            return web.Response(status=500)
        name = request.match_info["name"]
        items = "".join(
            f"<item><title>{escape(a.title)}</title><link>{press.link(a.slug)}</link>"
            f"<guid>{a.slug}</guid><description>{escape(a.teaser)}</description></item>"
            for a in press.feeds[name]
        )
        head = f"<title>Paper {name}</title><link>{press.address}/</link><description>d</description>"
        body = f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{items}</channel></rss>'
        return web.Response(text=body, content_type="application/rss+xml")

    async def page(request: web.Request) -> web.Response:
        body = press.pages.get(request.match_info["slug"])
        if body is None:
            return web.Response(status=404)
        return web.Response(text=body, content_type="text/html")

    app = web.Application()
    app.router.add_get("/{name}.xml", feed)
    app.router.add_get("/{slug}.html", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    press.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    limits = FeedLimits(interval=1, interval_min=1, allow_networks=(ip_network("127.0.0.0/8"),))
    async with Fetcher(limits) as fetcher:
        house = scene.house
        pages = PageFetcher(fetcher, house.clock)
        press.reader = Reader(house.database, press.analyse, pages.fetch_page, clock=house.clock)
        yield press
    await runner.cleanup()
