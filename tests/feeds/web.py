"""Servers on loopback for the tests of the feeds room: an honest one that is told what to say; raw ones."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from aiohttp import web

from bot.clock import utc_now
from bot.feeds.limits import FeedLimits
from bot.feeds.parse import parse_feed
from bot.feeds.sight import SeenFeed, seen

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


def limits(**changes: object) -> FeedLimits:
    """The default limits, with loopback allowed."""
    return FeedLimits(**({"allow_networks": LOOPBACK} | changes))  # type: ignore[arg-type]


@dataclass
class Asked:
    """A request as it arrived."""

    path: str
    method: str
    headers: dict[str, str]
    at: datetime

    def __getitem__(self, name: str) -> str | None:
        return self.headers.get(name.lower())


@dataclass
class Site:
    """An HTTP server whose answers a test sets: `site.say("/feed", body=..., ETag=...)`."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    pause: float = 0.0
    clock: Callable[[], datetime] = utc_now
    answers: dict[str, Callable[[web.Request], web.StreamResponse]] = field(default_factory=dict)

    def url(self, path: str = "/feed") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def say(
        self,
        path: str = "/feed",
        *,
        status: int = 200,
        body: bytes | str = b"",
        headers: dict[str, str] | None = None,
        honour: bool = True,
    ) -> None:
        """Answer a path so from now on. `honour`: 304 where the request's validators are the ones here."""
        sent = {"Content-Type": "application/rss+xml", **(headers or {})}
        content = body.encode() if isinstance(body, str) else body

        def answer(request: web.Request) -> web.Response:
            given = request.headers
            etag, date = sent.get("ETag"), sent.get("Last-Modified")
            same = (
                given["If-None-Match"] == etag
                if "If-None-Match" in given
                else date is not None and given.get("If-Modified-Since") == date
            )
            if honour and status == 200 and same:
                return web.Response(
                    status=304, headers={k: v for k, v in sent.items() if k != "Content-Type"}
                )
            return web.Response(status=status, body=content, headers=sent)

        self.answers[path] = answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.path_qs, request.method, headers, self.clock()))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if self.pause:
                await asyncio.sleep(self.pause)
            answer = self.answers.get(request.path)
            return answer(request) if answer else web.Response(status=404)
        finally:
            self.under_way -= 1


@asynccontextmanager
async def serving(host: str = "127.0.0.1") -> AsyncIterator[Site]:
    """Run a site."""
    site = Site()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", site.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.5)
    await runner.setup()
    listener = web.TCPSite(runner, host, 0)
    await listener.start()
    site.port = runner.addresses[0][1]
    try:
        yield site
    finally:
        await runner.cleanup()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Run a server that says whatever `talk` writes, after the request's head was read; gives its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a certificate for "DNS:paper.example"; gives a context for its server, and one that trusts it."""
    pair, public = folder / "pair.pem", folder / "cert.pem"
    process = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-batch"),
        *("-subj", "/CN=" + name.partition(":")[2], "-addext", "subjectAltName=" + name),
        *("-keyout", str(pair), "-out", str(public)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(public, pair)
    return serving, ssl.create_default_context(cafile=str(public))


class DirectParser:
    """Reads feeds in the test's own process; counts how often."""

    def __init__(self) -> None:
        self.parsed = 0

    async def parse(self, content: bytes, url: str, content_type: str | None) -> SeenFeed:
        self.parsed += 1
        return seen(parse_feed(content, url=url, content_type=content_type))


def rss(
    items: Sequence[str | tuple[str, datetime]],
    *,
    title: str = "Paper",
    more: str = "",
    text: str = "A text.",
) -> str:
    """Write a feed: an item is its id (also its title and link), with or without a date."""
    written = []
    for item in items:
        name, date = item if isinstance(item, tuple) else (item, None)
        dated = f"<pubDate>{date:%a, %d %b %Y %H:%M:%S} GMT</pubDate>" if date else ""
        written.append(
            f"<item><guid isPermaLink='false'>{name}</guid><title>Title of {name}</title>"
            f"<link>https://paper.example/{name}</link><description>{text}</description>{dated}</item>"
        )
    return (
        "<?xml version='1.0' encoding='utf-8'?><rss version='2.0' "
        "xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'><channel>"
        f"<title>{title}</title><link>https://paper.example/</link><description>d</description>{more}"
        f"{''.join(written)}</channel></rss>"
    )


def daily(count: int, last: datetime, *, name: str = "a") -> list[tuple[str, datetime]]:
    """Give items dated a day apart, the newest first."""
    return [(f"{name}{number}", last - timedelta(days=number)) for number in range(count)]
