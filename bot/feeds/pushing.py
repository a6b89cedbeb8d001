"""Subscribing at hubs and taking what they send (WebSub). The rules are `bot.feeds.websub`.

What a hub sends is stored like a look, under the same lock and in one transaction, and leaves alone what
was learnt over HTTP. A hub's word is worth nothing without the right callback address and signature.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bot.clock import Clock
from bot.errors import QuashError
from bot.feeds import websub
from bot.feeds.fetch import Fetcher
from bot.feeds.fetch_errors import FetchError
from bot.feeds.guard import shown_url
from bot.feeds.limits import FeedLimits
from bot.feeds.look import Decision, decide_push
from bot.feeds.looking import Parser
from bot.feeds.rhythm import read_retry_after
from bot.feeds.sight import SeenFeed, told_apart
from bot.feeds.store import known_of
from bot.feeds.websub import Push
from db import feed_looks, feeds, pushes
from db.engine import Database
from db.tables import PushRow

_log = logging.getLogger(__name__)

_AT_ONCE = 20  # subscriptions dealt with in one tick
_RECEIVING = 8  # pushes taken at once: each may be as large as a feed
_NO_LONGER = "There is no such subscription here."
_FIELDS = tuple(field.name for field in fields(Push))


class PushService:
    """Keeps feeds subscribed at their hubs. `public_url` is where hubs reach `routes`."""

    def __init__(
        self,
        database: Database,
        fetcher: Fetcher,
        parser: Parser,
        clock: Clock,
        limits: FeedLimits,
        public_url: str,
    ) -> None:
        self._database = database
        self._fetcher = fetcher
        self._parser = parser
        self._clock = clock
        self._limits = limits
        self._public_url = public_url
        self._receiving = asyncio.Semaphore(_RECEIVING)

    def routes(self) -> Sequence[web.RouteDef]:
        """Give what the HTTP server has to serve for hubs."""
        return (
            web.get("/websub/{token}", self._verify, allow_head=False),
            web.post("/websub/{token}", self._receive),
        )

    # ------------------------------------------------------------------- asking

    async def tick(self) -> int:
        """Ask hubs for what is due: to begin, to go on, to end. Gives how many were asked."""
        asked = await self._plan()
        await asyncio.gather(*(self._ask(push, form) for push, form in asked))
        return len(asked)

    async def _plan(self) -> list[tuple[Push, dict[str, str]]]:
        """Store that hubs are about to be asked: some verify before they answer."""
        now, base = self._clock(), websub.callback_base(self._public_url)
        async with self._database.read() as session:  # going through all feeds must not hold up who writes
            idle = not (
                await pushes.due(session, now, 1)
                or await pushes.feeds_without(session, base, 1)
                or await pushes.unwanted(session, base, 1)
            )
        if idle:
            return []
        asked: list[tuple[Push, dict[str, str]]] = []
        async with self._database.write() as session:
            for row in await pushes.unwanted(session, base, _AT_ONCE):
                await pushes.save(session, row.token, _values(websub.leave(_push(row), now)))
            for feed_id, hub, topic in await pushes.feeds_without(session, base, _AT_ONCE):
                new = websub.new_push(hub, topic, self._public_url, now)
                await pushes.add(session, feed_id, _values(new))
            session.expire_all()
            for row in await pushes.due(session, now, _AT_ONCE):
                push, form = websub.ask(_push(row), now)
                if push is None:
                    await pushes.forget(session, row.token)
                else:
                    await pushes.save(session, row.token, _values(push))
                    asked.append((push, form))
        return asked

    async def _ask(self, push: Push, form: dict[str, str]) -> None:
        hub = urlsplit(push.hub).hostname
        try:
            answer = await self._fetcher.post(push.hub, form)
        except FetchError as error:
            _log.info("the hub %s could not be asked to %s: %s", hub, form["hub.mode"], error)
            return
        if 200 <= answer.status < 300:
            return  # its verification comes, or has come, by itself
        _log.info("the hub %s refuses to %s (status %d)", hub, form["hub.mode"], answer.status)
        if wait := read_retry_after(answer.headers, self._clock()):
            async with self._database.write() as session:
                row = await pushes.find(session, push.token)
                if row is not None:
                    later = websub.put_off(_push(row), wait, self._clock())
                    await pushes.save(session, push.token, _values(later))

    # ---------------------------------------------------------------- answering

    async def _verify(self, request: web.Request) -> web.Response:
        """Answer whether we want what a hub says that we asked for."""
        token = request.match_info["token"]
        async with self._database.read() as session:
            if await pushes.find(session, token) is None:  # whoever guesses must not hold up who writes
                return web.Response(status=404, text=_NO_LONGER)
        async with self._database.write() as session:
            row = await pushes.find(session, token)
            if row is None:
                return web.Response(status=404, text=_NO_LONGER)
            push = _push(row)
            verdict = websub.verify(push, request.query, self._clock())
            if verdict.push is None:
                await pushes.forget(session, token)
            elif verdict.push != push:
                await pushes.save(session, token, _values(verdict.push))
        hub, mode = urlsplit(push.hub).hostname, request.query.get("hub.mode", "")[:20]
        if verdict.challenge is None:
            _log.info("the hub %s was not confirmed: %r", hub, mode)
            return web.Response(status=404, text=_NO_LONGER)
        _log.info("the hub %s: %r of %s", hub, mode, shown_url(push.topic))
        return web.Response(text=verdict.challenge)

    async def _receive(self, request: web.Request) -> web.Response:
        """Take a push. What is not rightly signed is thanked for and not looked at (section 7.1)."""
        if self._receiving.locked():
            return web.Response(status=503, headers={"Retry-After": "30"})
        async with self._receiving:
            token = request.match_info["token"]
            async with self._database.read() as session:
                row = await pushes.find(session, token)
            if row is None or row.state != websub.HELD:
                return web.Response(status=410, text=_NO_LONGER)
            if request.headers.get("Content-Encoding", "identity").lower() != "identity":
                return web.Response(status=415)
            body = await self._body(request)
            signature = request.headers.get("X-Hub-Signature", "")
            # Hashing what may be megabytes would hold the event loop.
            if not await asyncio.to_thread(websub.is_signed, _push(row), signature, body):
                _log.warning("a push for %s without our signature was ignored", shown_url(row.topic))
                return web.Response(status=202)
            try:
                feed = await self._parser.parse(body, row.topic, request.headers.get("Content-Type"))
            except QuashError as error:
                _log.info("a push for %s was ignored: %s", shown_url(row.topic), error)
                return web.Response(status=202)
            digest = await asyncio.to_thread(websub.digest_of, body)
            decision = await self._store(token, row.feed_id, digest, feed)
            if decision is not None:
                _log.info("%s %s", shown_url(row.topic), decision.reason)
            return web.Response(status=202)

    async def _body(self, request: web.Request) -> bytes:
        """Read a body within the bounds of a fetch: size and whole time."""
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.timeout):
                while piece := await request.content.readany():
                    size += len(piece)
                    if size > self._limits.max_bytes:
                        raise web.HTTPRequestEntityTooLarge(self._limits.max_bytes, size)
                    pieces.append(piece)
        except TimeoutError as error:
            raise web.HTTPRequestTimeout() from error
        return b"".join(pieces)

    async def _store(self, token: str, feed_id: int | None, digest: str, feed: SeenFeed) -> Decision | None:
        """Store what a push brought; None where it came before or is wanted no more."""
        if feed_id is None:
            return None
        now = self._clock()
        async with self._database.write() as session:
            await pushes.lock_feed(session, feed_id)
            row = await pushes.find(session, token)
            if row is None or row.lease_until is None:
                return None
            until = row.lease_until
            push = websub.remember(_push(row), digest)
            if push is None:
                return None
            stored = await feeds.get(session, feed_id)
            if stored is None or stored.state != "active":
                return None
            feed = told_apart(feed, stored.memory.get("shared", ()))
            known = await known_of(session, [(stored, feed.sightings)])
            decision = decide_push(
                stored, feed.sightings, known.get(feed_id, {}), self._limits, now=now, until=until
            )
            await feeds.set_columns(session, feed_id, decision.columns)
            await feed_looks.insert_entries(session, decision.new)
            await feed_looks.edit_entries(session, decision.edits)
            await pushes.save(session, token, _values(push))
        return decision


def _push(row: PushRow) -> Push:
    values = {name: getattr(row, name) for name in _FIELDS}
    return Push(**values | {"seen": tuple(row.seen)})


def _values(push: Push) -> dict[str, Any]:
    values = {name: getattr(push, name) for name in _FIELDS}
    return values | {"seen": list(push.seen)}
