"""Rate limits as Discord tells and enforces them, and trouble on demand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import discord
import pytest

from bot.sandbox import Fault, StandIn
from tests.sandbox.town import Join, Town


class Place:
    """A stand-in with a channel, spoken to by plain HTTP."""

    def __init__(self, standin: StandIn, session: aiohttp.ClientSession) -> None:
        self.discord = standin
        self.session = session
        guild = standin.world.add_guild("Digital Rights")
        self.channels = [standin.world.add_channel(guild, f"room-{number}") for number in range(60)]

    def send(self, room: int = 0) -> aiohttp.client._RequestContextManager:
        address = f"{self.discord.api_url}/channels/{self.channels[room].id}/messages"
        return self.session.post(address, json={"content": "x"})


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with (
        StandIn("t") as standin,
        aiohttp.ClientSession(headers={"Authorization": "Bot t"}) as session,
    ):
        yield Place(standin, session)


async def test_buckets_are_told_per_route_and_channel(place: Place) -> None:
    place.discord.settings.enforce_limits = True
    seen = []
    for room in (0, 0, 1):
        async with place.send(room) as answer:
            seen.append((answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"]))
            bucket, after = (
                answer.headers["X-RateLimit-Bucket"],
                float(answer.headers["X-RateLimit-Reset-After"]),
            )
            assert 4 < after <= 5
            assert abs(float(answer.headers["X-RateLimit-Reset"]) - time.time() - after) < 0.5
    assert seen == [("5", "4"), ("5", "3"), ("5", "4")]
    async with place.session.get(f"{place.discord.api_url}/users/@me") as answer:
        assert answer.headers["X-RateLimit-Bucket"] != bucket


async def test_past_a_bucket_comes_429_and_nothing_is_stored(place: Place) -> None:
    place.discord.settings.enforce_limits = True
    for _ in range(5):
        async with place.send() as answer:
            assert answer.status == 200
    async with place.send() as answer:
        body = await answer.json()
        assert (answer.status, body["global"]) == (429, False)
        assert (answer.headers["X-RateLimit-Scope"], answer.headers["Via"]) == ("user", "1.1 google")
        assert 4 < body["retry_after"] <= 5
    assert len(place.discord.messages(place.channels[0].id)) == 5
    assert place.discord.state.limiter.invalid_requests == 1


async def test_the_global_limit_spares_interactions(place: Place) -> None:
    place.discord.settings.enforce_limits = True

    async def status(room: int) -> tuple[int, str | None]:
        async with place.send(room) as answer:
            return answer.status, answer.headers.get("X-RateLimit-Scope")

    statuses = await asyncio.gather(*(status(room) for room in range(60)))
    assert statuses.count((200, None)) == 50
    assert statuses.count((429, "global")) == 10
    async with place.session.post(
        f"{place.discord.api_url}/interactions/1/x/callback", json={"type": 4}
    ) as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, 10062)


async def test_ten_thousand_invalid_requests_shut_the_address_out(place: Place) -> None:
    place.discord.settings.enforce_limits = True
    place.discord.settings.invalid_per_ten_minutes = 3
    for _ in range(3):
        async with place.session.get(
            f"{place.discord.api_url}/users/@me", headers={"Authorization": "x"}
        ) as answer:
            assert answer.status == 401
    async with place.send() as answer:
        assert (answer.status, answer.content_type, "Via" in answer.headers) == (429, "text/html", False)


async def test_without_enforcement_a_bucket_never_runs_dry(place: Place) -> None:
    for _ in range(30):
        async with place.send() as answer:
            assert answer.status == 200
            assert int(answer.headers["X-RateLimit-Remaining"]) > 1000


async def test_edits_of_old_messages_have_a_limit_of_their_own(town: Town, join: Join) -> None:
    bot = await join()
    sent = await bot.get_channel(town.channel.id).send("x")  # type: ignore[union-attr]
    stored = town.discord.messages(town.channel.id)[0]
    stored.timestamp -= 3601
    town.discord.settings.enforce_limits, town.discord.settings.old_edits = True, 1
    await sent.edit(content="1")
    address = f"{town.discord.api_url}/channels/{town.channel.id}/messages/{sent.id}"
    headers = {"Authorization": f"Bot {town.discord.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.patch(address, json={"content": "2"}) as answer,
    ):
        body = await answer.json()
    assert (answer.status, body["code"]) == (429, 30046)
    assert body["retry_after"] > 3500
    assert stored.text == "1"


@pytest.mark.parametrize(
    ("fault", "stored", "error"),
    [
        (Fault("drop"), 0, aiohttp.ServerDisconnectedError),
        (Fault("drop", when="after"), 1, aiohttp.ServerDisconnectedError),
        (Fault("cut"), 1, aiohttp.ClientPayloadError),
        (Fault("status", status=503), 0, discord.DiscordServerError),
        (Fault("status", status=503, when="after"), 1, discord.DiscordServerError),
        (Fault("status", status=401), 0, discord.HTTPException),
        (Fault("status", status=403, code=50013, message="Missing Permissions"), 0, discord.Forbidden),
        (Fault("cloudflare"), 0, discord.HTTPException),
    ],
)
async def test_faults_as_the_client_sees_them(
    town: Town, join: Join, fault: Fault, stored: int, error: type[Exception]
) -> None:
    bot = await join()
    channel = bot.get_channel(town.channel.id)
    fault.method, fault.path = "POST", "/channels/*/messages"
    town.discord.faults.add(fault)
    with pytest.raises(error) as raised:
        await channel.send("x", nonce="n")  # type: ignore[union-attr]
    assert len(town.discord.messages(town.channel.id)) == stored
    assert town.discord.requests[-1].fault == fault.effect
    if isinstance(raised.value, discord.HTTPException):
        assert raised.value.status == (fault.status if fault.effect == "status" else 429)
        assert raised.value.code == fault.code
    await channel.send("x", nonce="n")  # type: ignore[union-attr]
    assert len(town.discord.messages(town.channel.id)) == 1


@pytest.mark.parametrize("scope", ["user", "shared", "global"])
async def test_a_429_on_demand_is_waited_out(town: Town, join: Join, scope: str) -> None:
    bot = await join()
    fault = town.discord.faults.add(Fault("ratelimit", scope=scope, seconds=0.2))
    began = time.monotonic()
    await bot.get_channel(town.channel.id).send("x")  # type: ignore[union-attr]
    assert time.monotonic() - began > 0.2
    assert fault.struck == 1
    assert [each.status for each in town.discord.requests[-2:]] == [429, 200]
    assert town.discord.state.limiter.invalid_requests == (0 if scope == "shared" else 1)


async def test_a_server_error_is_retried_by_the_library(
    town: Town, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await join()
    sleep = asyncio.sleep
    monkeypatch.setattr("discord.http.asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))
    for status in (500, 502, 504):
        town.discord.faults.add(Fault("status", status=status, html=True))
    await bot.get_channel(town.channel.id).send("x")  # type: ignore[union-attr]
    assert [each.status for each in town.discord.requests[-4:]] == [500, 502, 504, 200]


async def test_delays_and_stalls(place: Place) -> None:
    place.discord.faults.add(Fault("delay", seconds=0.2))
    place.discord.faults.add(Fault("delay", seconds=0.2, when="after", skip=0))
    began = time.monotonic()
    async with place.send() as answer:
        assert answer.status == 200
    assert time.monotonic() - began > 0.2
    task = asyncio.ensure_future(place.send())
    await place.discord.wait_for(lambda d: len(d.messages(place.channels[0].id)) == 2)
    assert not task.done()  # it is stored, the answer still to come
    (await task).release()
    place.discord.faults.add(Fault("stall"))
    with pytest.raises(TimeoutError):
        await place.session.get(f"{place.discord.api_url}/users/@me", timeout=aiohttp.ClientTimeout(0.3))


async def test_which_requests_a_fault_strikes(place: Place) -> None:
    fault = place.discord.faults.add(
        Fault("status", method="POST", path="/channels/*/messages", body='"x"', times=2, skip=1)
    )
    statuses = []
    for _ in range(4):
        async with place.send() as answer:
            statuses.append(answer.status)
        async with place.session.get(f"{place.discord.api_url}/users/@me") as answer:
            assert answer.status == 200
    assert statuses == [200, 500, 500, 200]
    assert fault.struck == 2
    place.discord.faults.clear()
    place.discord.faults.add(Fault("status", probability=0.5, times=None))
    statuses = []
    for _ in range(40):
        async with place.send() as answer:
            statuses.append(answer.status)
    assert 8 < statuses.count(500) < 32


async def test_a_gateway_that_does_not_let_anybody_in(place: Place) -> None:
    place.discord.faults.add(
        Fault("drop", path="/gateway", times=2)
    )  # aiohttp tries a GET once more by itself
    with pytest.raises(aiohttp.ClientError):
        await place.session.ws_connect(place.discord.gateway_url)
    place.discord.gateway.refusing = True
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await place.session.ws_connect(place.discord.gateway_url)
    place.discord.gateway.refusing = False
    async with place.session.ws_connect(place.discord.gateway_url) as socket:
        assert (await socket.receive_json())["op"] == 10


def test_a_fault_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="no such effect"):
        Fault("explode")
    with pytest.raises(ValueError, match="before or after"):
        Fault("drop", when="during")
    with pytest.raises(ValueError, match="a fault has no tims"):
        Fault.from_json({"effect": "drop", "tims": 1})


async def test_a_body_that_is_no_json_and_paths_that_lead_nowhere(place: Place) -> None:
    address = f"{place.discord.api_url}/channels/{place.channels[0].id}/messages"
    async with place.session.post(address, data=b'{"content": ') as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, 50109)
    async with place.session.post(address, json=["x"]) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, 50035)
    for path in ("/channels/x/messages", "/nowhere"):
        async with place.session.get(place.discord.api_url + path) as answer:
            assert answer.status in (400, 404)
    async with place.session.get(f"{place.discord.url}/api/v9/users/@me") as answer:
        assert answer.status == 404
    assert place.discord.requests[0].body == '{"content": '
