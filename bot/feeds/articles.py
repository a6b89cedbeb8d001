"""Fetching the pages that entries link to: once, politely, by the same guarded way as feeds.

Whether a page is worth fetching is the intake's decision, and what its text is, is `bot.stories.html`'s.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from yarl import URL

from bot.clock import Clock, utc_now
from bot.errors import told
from bot.feeds.fetch import PAGE_TYPES, Fetcher, Response
from bot.feeds.fetch_errors import FetchError, NotAPageError, RobotsError, StatusError
from bot.feeds.guard import shown_host
from bot.feeds.reading.charset import http_charset, utf8_document
from bot.feeds.rhythm import read_retry_after
from bot.feeds.robots import ALL, Robots, parse_robots

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_TEXT = _HTML | {"text/plain", ""}
# Long enough that a site is not asked often, short enough that its change of mind counts (RFC 9309, 2.4).
_ROBOTS_KEPT = timedelta(hours=24)
_MOST_SITES = 2000
_MOST_RULES = 100_000  # of all sites together: one may have thousands
# Below the pause after which an entry is read again: then the site is asked anew.
_AWAY_KEPT = timedelta(minutes=4)
_LONGEST_WAIT = timedelta(days=1)
_UNREACHED = ("dns", "connect")
_META_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE
)
_META_WITHIN = 4096


@dataclass(frozen=True, slots=True)
class Page:
    """A page as fetched. `url` is where it was found in the end, after redirects."""

    text: str
    url: str
    is_html: bool
    content_type: str


class PageFetcher:
    """Fetches pages, honouring each site's robots.txt and what it asks by Retry-After.

    A site that is not reached is left alone for some minutes: each of its pages would take the whole time.
    """

    def __init__(self, fetcher: Fetcher, clock: Clock = utc_now) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._known: dict[str, tuple[datetime, Robots]] = {}
        self._asked: dict[str, asyncio.Task[Robots]] = {}
        self._away: dict[str, tuple[datetime, FetchError]] = {}

    async def fetch_page(self, url: str) -> Page:
        """GET a page. Raises `FetchError`: `RobotsError` where the site does not want it fetched."""
        target = self._fetcher.guard.check_url(url)
        origin = str(target.origin())
        self._check_away(origin)
        await self._ask_leave(target)
        response = await self._get(str(target), origin, PAGE_TYPES)
        found = URL(response.url)
        if found.origin() != target.origin():
            await self._ask_leave(found)  # a redirect led to another site: its wish counts for its page
        kind = (response.content_type or "").partition(";")[0].strip().lower()
        if kind not in _TEXT:
            raise NotAPageError(
                told("The link leads to {kind}, not to a page with text.", kind=shown_host(kind)[:60]),
                host=found.host or "",
            )
        text = await asyncio.to_thread(_text, response)
        return Page(text, response.url, kind in _HTML or _looks_like_html(text), kind)

    async def _get(self, url: str, origin: str, accept: str) -> Response:
        try:
            response = await self._fetcher.fetch(url, accept=accept)
        except FetchError as error:
            if error.kind in _UNREACHED:
                self._leave_alone(origin, _AWAY_KEPT, error)
            raise
        try:
            response.raise_for_status()
        except StatusError as error:
            if error.passing and (wait := read_retry_after(response.headers, self._clock())):
                self._leave_alone(origin, min(timedelta(seconds=wait), _LONGEST_WAIT), error)
            raise
        return response

    def _check_away(self, origin: str) -> None:
        """Raise why a site is left alone, where it is."""
        away = self._away.get(origin)
        if away is not None and away[0] > self._clock():
            raise away[1].with_traceback(None)

    def _leave_alone(self, origin: str, time: timedelta, error: FetchError) -> None:
        now = self._clock()
        if len(self._away) >= _MOST_SITES:
            self._away = {site: away for site, away in self._away.items() if away[0] > now}
        until, _ = self._away.get(origin, (now, error))
        self._away[origin] = (max(until, now + time), error)

    async def _ask_leave(self, target: URL) -> None:
        robots = await self._robots(str(target.origin()))
        if not robots.allows(str(target)):
            host = target.host or ""
            raise RobotsError(
                told("{host} asks in its robots.txt that this page not be fetched by programs.", host=host),
                host=host,
            )

    async def _robots(self, origin: str) -> Robots:
        """Give a site's rules, asked for once however many pages wait for them."""
        known = self._known.get(origin)
        if known is not None and known[0] > self._clock():
            return known[1]
        self._check_away(origin)
        asked = self._asked.get(origin)
        if asked is None:
            asked = self._asked[origin] = asyncio.create_task(self._ask(origin))
            asked.add_done_callback(lambda task: self._answered(origin, task))
        return await asyncio.shield(asked)

    def _answered(self, origin: str, task: asyncio.Task[Robots]) -> None:
        del self._asked[origin]
        if not task.cancelled():
            task.exception()  # looked at here, as those who waited for it may have given up meanwhile

    async def _ask(self, origin: str) -> Robots:
        """RFC 9309 section 2.3.1: no such file allows all; a server in trouble allows nothing for now."""
        try:
            response = await self._get(f"{origin}/robots.txt", origin, "text/plain, */*;q=0.1")
            robots = await asyncio.to_thread(parse_robots, response.body)  # half a megabyte takes its time
        except FetchError as error:
            if error.passing:
                self._leave_alone(origin, _AWAY_KEPT, error)
                raise  # it is read again later: what the site wants is not known
            robots = ALL  # a redirect in a circle, a body too large: as good as no such file
        rules = sum(len(known.rules) for _, known in self._known.values())
        while self._known and (len(self._known) >= _MOST_SITES or rules > _MOST_RULES):
            _, known = self._known.pop(next(iter(self._known)))
            rules -= len(known.rules)
        self._known[origin] = (self._clock() + _ROBOTS_KEPT, robots)
        return robots


def _text(response: Response) -> str:
    """Decode a page: its BOM, else what HTTP says, else what its head says, else what it looks like."""
    content_type = response.content_type or "text/html"
    if not http_charset(content_type):
        named = _META_CHARSET.search(response.body[:_META_WITHIN])
        if named:
            content_type = f"text/html; charset={named.group(1).decode('ascii')}"
    return utf8_document(response.body, content_type).decode("utf-8", "replace")


def _looks_like_html(text: str) -> bool:
    head = text[:1000].lower()
    return "<html" in head or "<!doctype html" in head
