"""WebSub: the rules, and the whole way with a hub on loopback that is honest, forged, replayed, greedy."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from bot.clock import utc_now
from bot.feeds import websub
from bot.feeds.memory import from_json
from bot.feeds.pushing import PushService
from bot.health import HealthServer
from bot.settings import Address
from db import feeds
from db.tables import PushRow
from tests.conftest import TurnedClock
from tests.feeds.web import daily, rss
from tests.feeds.world import World, world

SLOW = "its hub sends what is new by itself"


@dataclass
class Hub:
    """A hub as the Recommendation has it, which a test may make dishonest."""

    port: int = 0
    lease: str | None = "86400"
    verifies: bool = True
    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hub"

    @property
    def last(self) -> dict[str, str]:
        return self.asked[-1]

    async def handle(self, request: web.Request) -> web.Response:
        form = {str(name): str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        if self.verifies and self.status < 300:
            await self.ask(form["hub.mode"])
        return web.Response(status=self.status, headers=self.headers)

    async def ask(self, mode: str, **changes: str) -> int:
        """Ask the callback what it wants; gives the status."""
        query = {"hub.mode": mode, "hub.topic": self.last["hub.topic"], "hub.challenge": "ch4llenge"}
        if mode == "subscribe" and self.lease is not None:
            query["hub.lease_seconds"] = self.lease
        query |= {f"hub.{name}": value for name, value in changes.items()}
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.last["hub.callback"], params=query) as answer,
        ):
            if answer.status == 200 and await answer.text() == query["hub.challenge"]:
                self.confirmed.append(mode)
            return answer.status

    async def send(
        self, body: str | bytes, *, method: str = "sha256", secret: str | None = None, **headers: str
    ) -> int:
        """Push a body, signed; gives the status."""
        content = body.encode() if isinstance(body, str) else body
        key = (secret or self.last["hub.secret"]).encode()
        sent = {
            "Content-Type": "application/rss+xml",
            "X-Hub-Signature": f"{method}={hmac.new(key, content, getattr(hashlib, method)).hexdigest()}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return await post(self.last["hub.callback"], content, sent)


async def post(url: str, content: bytes, headers: dict[str, str]) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, data=content, headers=headers) as answer:
        return answer.status


@dataclass
class Scene:
    """A feed that names a hub, and our service that the hub can reach."""

    world: World
    hub: Hub
    service: PushService

    async def rows(self) -> list[PushRow]:
        async with self.world.database.read() as session:
            return list((await session.scalars(select(PushRow).order_by(PushRow.due_at))).all())

    async def titles(self) -> list[str]:
        return [entry.title for entry in await self.world.entries()]

    async def pushed(self) -> bool:
        return from_json((await self.world.feed()).memory).pushed(self.world.clock())


@asynccontextmanager
async def scene(clock: TurnedClock, *, in_header: bool = False, **changes: Any) -> AsyncIterator[Scene]:
    async with world(clock, **changes) as w:
        hub = Hub()
        application = web.Application()
        application.router.add_post("/hub", hub.handle)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        hub.port = runner.addresses[0][1]
        try:
            # The public address holds the port, which is known once the server runs: routes first.
            service = PushService(w.database, w.fetcher, w.parser, clock, w.limits, "http://unset.example")
            async with HealthServer(Address("127.0.0.1", 0), _none, _nothing, service.routes()) as ours:
                service._public_url = f"http://127.0.0.1:{ours.port}"
                links = f'<{hub.url}>; rel="hub", <{w.site.url("/own")}>; rel="self"'
                w.site.say(
                    body=feed(hub, "a", "b", in_document=not in_header, clock=clock),
                    headers={"ETag": '"1"'} | ({"Link": links} if in_header else {}),
                )
                await w.service.add(w.site.url())
                yield Scene(w, hub, service)
        finally:
            await runner.cleanup()


async def _none() -> tuple[str, ...]:
    return ()


async def _nothing() -> dict[str, float]:
    return {}


def feed(hub: Hub, *names: str, clock: TurnedClock, in_document: bool = True, text: str = "A text.") -> str:
    more = f"<link xmlns='http://www.w3.org/2005/Atom' rel='hub' href='{hub.url}'/>" if in_document else ""
    return rss([(name, clock.now) for name in names], more=more, text=text)


@pytest.mark.parametrize("in_header", [False, True])
async def test_a_feed_with_a_hub_is_subscribed_and_what_comes_is_stored(
    clock: TurnedClock, in_header: bool
) -> None:
    async with scene(clock, in_header=in_header) as s:
        assert await s.service.tick() == 1
        asked = s.hub.last
        assert (asked["hub.mode"], asked["hub.lease_seconds"]) == ("subscribe", "604800")
        assert asked["hub.topic"] == s.world.site.url("/own" if in_header else "/feed")
        assert len(asked["hub.callback"].rpartition("/")[2]) == 43, "256 bits: nobody guesses it"
        assert 40 < len(asked["hub.secret"].encode()) < 200
        assert s.hub.confirmed == ["subscribe"]
        assert await s.service.tick() == 0, "one request is enough"
        before = await s.world.feed()
        assert not await s.pushed(), "a subscription alone slows nothing down"

        clock.turn(minutes=5)
        requests = len(s.world.site.asked)
        assert await s.hub.send(feed(s.hub, "c", clock=clock)) == 202
        new = (await s.world.entries())[-1]
        assert (new.title, new.alert, new.state) == ("Title of c", True, "new")
        after = await s.world.feed()
        assert (after.etag, after.last_modified, after.body_hash, after.last_looked_at) == (
            before.etag, before.last_modified, before.body_hash, before.last_looked_at,
        )  # fmt: skip
        assert len(s.world.site.asked) == requests, "the publisher is not asked"
        assert after.next_look > before.next_look + timedelta(hours=4)
        assert SLOW in after.next_reason


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
async def test_signatures_of_every_method_are_taken(clock: TurnedClock, method: str) -> None:
    async with scene(clock) as s:
        await s.service.tick()
        assert await s.hub.send(feed(s.hub, "c", clock=clock), method=method) == 202
        assert "Title of c" in await s.titles()


async def test_forged_pushes_are_thanked_for_and_ignored(clock: TurnedClock) -> None:
    async with scene(clock) as s:
        await s.service.tick()
        body = feed(s.hub, "forged", clock=clock)
        callback, secret = s.hub.last["hub.callback"], s.hub.last["hub.secret"]
        right = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
        assert await s.hub.send(body, secret="another") == 202
        assert await s.hub.send(body, method="md5") == 202
        for signature in ("", right, f"sha256={right[:-1]}", f"sha1={right}", "sha256=", "=", "sha256=ü"):
            headers = {"X-Hub-Signature": signature} if signature else {}
            assert await post(callback, body.encode(), headers) == 202
        assert await s.hub.send(body.replace("forged", "changed"), X_Hub_Signature=f"sha256={right}") == 202
        assert await s.titles() == ["Title of b", "Title of a"]
        assert not await s.pushed()


async def test_a_replay_brings_nothing_back(clock: TurnedClock) -> None:
    """What a listener recorded and sends again must not undo a correction."""
    async with scene(clock) as s:
        await s.service.tick()
        first = feed(s.hub, "c", clock=clock, text="A libel.")
        await s.hub.send(first)
        await s.hub.send(feed(s.hub, "c", clock=clock, text="A correction."))
        assert await s.hub.send(first) == 202
        assert (await s.world.entries())[-1].summary == "A correction."
        assert len(await s.titles()) == 3


async def test_unknown_callbacks_and_too_large_or_packed_bodies(clock: TurnedClock) -> None:
    async with scene(clock, max_bytes=20_000) as s:
        await s.service.tick()
        base = s.hub.last["hub.callback"].rpartition("/")[0]
        assert await post(f"{base}/{'x' * 43}", b"x", {}) == 410
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{base}/unknown", params={"hub.mode": "subscribe"}) as answer:
                assert answer.status == 404
            async with session.put(s.hub.last["hub.callback"], data=b"x") as answer:
                assert answer.status == 405
        assert await s.hub.send(b" " * 20_001) == 413
        assert await s.hub.send(b"x", Content_Encoding="gzip") == 415
        assert await s.hub.send(b"no feed at all") == 202
        assert await s.hub.send("<html><title>x</title></html>") == 202
        assert len(await s.titles()) == 2
        assert await s.hub.send(feed(s.hub, "c", clock=clock)) == 202
        assert len(await s.titles()) == 3


async def test_only_what_was_asked_for_is_confirmed(clock: TurnedClock) -> None:
    async with scene(clock) as s:
        s.hub.verifies = False
        await s.service.tick()
        assert await s.hub.send(feed(s.hub, "early", clock=clock)) == 410, "not verified so far"
        assert await s.hub.ask("subscribe", topic="https://other.example/feed") == 404
        assert await s.hub.ask("unsubscribe") == 404
        assert await s.hub.ask("anything") == 404
        assert await s.hub.ask("subscribe", challenge="") == 404
        for lease in ("0", "599", "-1", "abc", "1e9", "²"):
            assert await s.hub.ask("subscribe", lease_seconds=lease) == 404
        assert await s.hub.ask("subscribe") == 200
        assert await s.hub.ask("subscribe") == 404, "nobody asked a second time"
        assert (await s.rows())[0].state == "held"
        assert await s.hub.ask("denied", reason="no more") == 200
        (row,) = await s.rows()
        assert (row.state, row.due_at - clock.now) == ("wanted", timedelta(days=7))
        assert await s.hub.send(feed(s.hub, "late", clock=clock)) == 410


async def test_a_lease_is_renewed_in_time_under_the_same_address(clock: TurnedClock) -> None:
    async with scene(clock) as s:
        await s.service.tick()
        first = s.hub.last
        for _ in range(3):
            clock.turn(hours=17)
            assert await s.service.tick() == 0
            clock.turn(hours=2)
            assert await s.service.tick() == 1, "a day's lease is renewed after 18 hours"
            assert s.hub.last == first
            assert (await s.rows())[0].lease_until == clock.now + timedelta(days=1)
            assert await s.hub.send(feed(s.hub, f"c{clock.now:%H%d}", clock=clock)) == 202
        assert len(await s.titles()) == 5


async def test_an_endless_lease_is_cut_and_a_missing_one_is_as_asked(clock: TurnedClock) -> None:
    async with scene(clock) as s:
        s.hub.lease = "99999999999999"
        s.hub.verifies = False
        await s.service.tick()
        assert await s.hub.ask("subscribe", lease_seconds="99999999999") == 200
        assert (await s.rows())[0].lease_until == clock.now + timedelta(days=30)
        clock.turn(days=23)
        await s.service.tick()
        s.hub.lease = None
        assert await s.hub.ask("subscribe") == 200
        assert (await s.rows())[0].lease_until == clock.now + timedelta(days=7)


async def test_a_hub_that_does_not_verify_is_asked_ever_more_rarely(clock: TurnedClock) -> None:
    async with scene(clock) as s:
        s.hub.verifies = False
        at = []
        end = clock.now + timedelta(days=30)
        while clock.now < end:
            if await s.service.tick():
                at.append(clock.now)
            clock.turn(hours=1)
        assert 8 <= len(at) <= 14
        pauses = [b - a for a, b in itertools.pairwise(at)]
        assert pauses == sorted(pauses)
        assert pauses[-1] <= timedelta(days=7, hours=1)


async def test_a_hub_that_asks_to_wait_is_waited_for(clock: TurnedClock) -> None:
    async with scene(clock) as s:
        s.hub.status, s.hub.headers = 503, {"Retry-After": "7200"}
        await s.service.tick()
        clock.turn(minutes=119)
        assert await s.service.tick() == 0
        clock.turn(minutes=2)
        assert await s.service.tick() == 1


async def test_polling_is_as_before_once_it_sees_an_entry_first(clock: TurnedClock) -> None:
    async with scene(clock) as s:
        await s.service.tick()
        await s.hub.send(feed(s.hub, "c", clock=clock))
        s.world.site.say(body=feed(s.hub, "c", "b", "a", clock=clock), headers={"ETag": '"2"'})
        await s.world.service.check(gap=0)
        assert await s.pushed(), "the hub was first"
        assert SLOW in (await s.world.feed()).next_reason
        s.world.site.say(body=feed(s.hub, "d", "c", "b", "a", clock=clock), headers={"ETag": '"3"'})
        await s.world.service.check(gap=0)
        assert not await s.pushed()
        assert SLOW not in (await s.world.feed()).next_reason
        await s.hub.send(feed(s.hub, "e", clock=clock))
        assert await s.pushed(), "it sends again"


async def test_a_hub_that_sends_often_does_not_put_the_look_off_that_shows_what_it_left_out(
    clock: TurnedClock,
) -> None:
    async with scene(clock) as s:
        await s.service.tick()
        s.world.site.say(body=feed(s.hub, "left out", "b", "a", clock=clock), headers={"ETag": '"2"'})
        for hours in range(2, 10, 2):
            await s.hub.send(feed(s.hub, f"sent {hours}", clock=clock))
            await s.world.run(hours=2)
        assert "Title of left out" in await s.titles()


async def test_a_look_that_is_due_is_not_put_off_by_what_a_hub_sends_first(clock: TurnedClock) -> None:
    """As after a pause of the bot's: what came meanwhile the hub may not send again."""
    async with scene(clock) as s:
        await s.service.tick()
        s.world.site.say(body=feed(s.hub, "left out", "b", "a", clock=clock), headers={"ETag": '"2"'})
        clock.turn(hours=3)
        await s.hub.send(feed(s.hub, "sent", clock=clock))
        await s.world.run(minutes=1)
        assert "Title of left out" in await s.titles()


async def test_a_feed_that_is_used_again_waits_for_no_hub(clock: TurnedClock) -> None:
    """The hub had been told to end, so what came first was seen as much as six hours late."""
    async with scene(clock) as s:
        await s.service.tick()
        await s.hub.send(feed(s.hub, "c", clock=clock))
        async with s.world.database.write() as session:
            await feeds.overrule(session, 1, {"state": "paused"})
        await s.world.service.add(s.world.site.url(), guild_id=5)
        await s.world.service.check(gap=0)
        assert SLOW not in (await s.world.feed()).next_reason


async def test_when_the_lease_runs_out_polling_is_as_before(clock: TurnedClock) -> None:
    async with scene(clock) as s:
        await s.service.tick()
        await s.hub.send(feed(s.hub, "c", clock=clock))
        clock.turn(hours=25)
        assert not await s.pushed()
        await s.world.service.check(gap=0)
        assert SLOW not in (await s.world.feed()).next_reason


@pytest.mark.parametrize("ending", ["removed", "resting", "no hub", "other hub", "other address"])
async def test_what_is_wanted_no_more_is_ended_at_the_hub(clock: TurnedClock, ending: str) -> None:
    async with scene(clock) as s:
        await s.service.tick()
        first = s.hub.last
        match ending:
            case "removed":
                await s.world.service.remove(1)
            case "resting":
                async with s.world.database.write() as session:
                    await feeds.overrule(session, 1, {"state": "paused"})
            case "no hub":
                s.world.site.say(body=rss(daily(2, clock.now)))
                await s.world.service.check(gap=0)
            case "other hub":
                body = feed(s.hub, "a", clock=clock).replace("127.0.0.1", "localhost")
                s.world.site.say(body=body)
                await s.world.service.check(gap=0)
            case "other address":
                s.service._public_url += "/moved"
        await s.service.tick()
        left = next(form for form in s.hub.asked if form["hub.mode"] == "unsubscribe")
        assert left["hub.callback"] == first["hub.callback"]
        assert "unsubscribe" in s.hub.confirmed
        states = [row.state for row in await s.rows()]
        assert states == ([] if ending in ("removed", "resting", "no hub") else states[:1])
        assert await post(first["hub.callback"], b"x", {}) == 410


async def test_a_dead_hub_does_not_keep_a_subscription_for_ever(clock: TurnedClock) -> None:
    async with scene(clock) as s:
        await s.service.tick()
        s.hub.verifies = False
        await s.world.service.remove(1)
        for _ in range(6):
            await s.service.tick()
            clock.turn(days=8)
        assert [form["hub.mode"] for form in s.hub.asked] == ["subscribe"] + ["unsubscribe"] * 3
        assert await s.rows() == []


async def test_a_hub_at_a_forbidden_address_is_never_asked(clock: TurnedClock) -> None:
    async with scene(clock) as s:
        body = feed(s.hub, "a", clock=clock).replace(s.hub.url, "http://10.0.0.1/hub")
        s.world.site.say(body=body)
        await s.world.service.check(gap=0)
        assert await s.service.tick() == 1
        assert s.hub.asked == []
        (row,) = await s.rows()
        assert (row.state, row.failures) == ("wanted", 1)


async def test_a_flood_in_one_push_alerts_nobody(clock: TurnedClock) -> None:
    async with scene(clock) as s:
        await s.service.tick()
        await s.hub.send(feed(s.hub, *(f"n{number}" for number in range(30)), clock=clock))
        entries = await s.world.entries()
        assert len(entries) == 32
        assert not any(entry.alert for entry in entries)
        ((_, notice, _),) = await s.world.service.notices()
        assert notice.kind == "rebuilt"


async def test_what_a_hub_sends_of_a_feed_with_one_id_for_all_is_each_its_own(clock: TurnedClock) -> None:
    """The second was taken for the first one's edit, and so it was at the next look."""

    def with_one_id(*names: str) -> str:
        return re.sub("<guid (.*?)>.*?</guid>", r"<guid \1>0</guid>", feed(s.hub, *names, clock=clock))

    async with scene(clock) as s:
        s.world.site.say(body=with_one_id("a", "b", "c"))
        await s.world.service.check(gap=0)
        await s.service.tick()
        for name in ("d", "e"):
            await s.hub.send(with_one_id(name))
        assert (await s.titles())[-2:] == ["Title of d", "Title of e"]


# ---------------------------------------------------------------------- the rules by themselves

PUSH = websub.new_push("https://hub.example/", "https://n.example/feed", "https://me.example/q/", utc_now())


def test_addresses_and_secrets_are_each_their_own(clock: TurnedClock) -> None:
    made = [websub.new_push("https://h.example", "t", "https://me.example/q/", clock.now) for _ in range(50)]
    assert len({push.token for push in made} | {push.secret for push in made}) == 100
    assert all(push.callback == f"https://me.example/q/websub/{push.token}" for push in made)


@given(signature=st.text(max_size=200), body=st.binary(max_size=50))
def test_no_made_up_signature_passes(signature: str, body: bytes) -> None:
    assert not websub.is_signed(PUSH, signature, body)


@given(
    st.sampled_from(["wanted", "held", "leaving"]),
    st.dictionaries(
        st.sampled_from(["hub.mode", "hub.topic", "hub.challenge", "hub.lease_seconds"]),
        st.one_of(
            st.sampled_from(["subscribe", "unsubscribe", "denied", PUSH.topic, "600"]), st.text(max_size=30)
        ),
    ),
)
def test_a_question_that_nobody_waits_for_is_never_confirmed(state: str, query: dict[str, str]) -> None:
    push = replace(PUSH, state=state, due_at=utc_now(), asked_at=None)
    verdict = websub.verify(push, query, utc_now())
    assert not verdict.challenge
    assert verdict.push is not None
    assert verdict.push.state in (state, "wanted")


def test_a_late_verification_is_refused(clock: TurnedClock) -> None:
    asked, _ = websub.ask(replace(PUSH, due_at=clock.now), clock.now)
    assert asked is not None
    query = {"hub.mode": "subscribe", "hub.topic": PUSH.topic, "hub.challenge": "c"}
    assert websub.verify(asked, query, clock.now + timedelta(hours=23)).challenge == "c"
    assert websub.verify(asked, query, clock.now + timedelta(hours=25)).challenge is None
