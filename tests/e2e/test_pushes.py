"""WebSub with the whole bot: a hub is asked, verifies, sends; the card is posted before any look."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from tests.e2e.bot_process import BotProcess
from tests.e2e.conftest import Place
from tests.e2e.test_health import _free_port
from tests.feeds.test_websub import Hub
from tests.feeds.web import rss, serving
from tests.forked import Forker

# Long enough that the linked page is not asked for.
_TEXT = " ".join(
    f"The FBI served Google with subpoena number {number} for the name behind an anonymous account. Google "
    "refused to comply and asked a court to quash the subpoena, which sought the user's IP addresses."
    for number in range(1, 12)
)


async def test_what_a_hub_sends_is_posted(
    place: Place, sqlite_url: str, tmp_path: Path, forker: Forker
) -> None:
    hub, port = Hub(), _free_port()
    application = web.Application()
    application.router.add_post("/hub", hub.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hub.port = runner.addresses[0][1]
    more = f"<link xmlns='http://www.w3.org/2005/Atom' rel='hub' href='{hub.url}'/>"
    address = f"127.0.0.1:{port}"
    settings = {"HTTP_ADDR": address, "WEBSUB_URL": f"http://{address}", "FEED_INTERVAL": "3600"}
    try:
        async with (
            serving() as site,
            BotProcess(place.discord, sqlite_url, tmp_path, forker, **settings) as bot,
        ):
            site.say(body=rss(["old"], more=more))
            await place.moderator.command("feeds add", address=site.url())
            await place.moderator.command("alerts add", channel=place.alerts, topics="legal-demands")
            await place.discord.wait_for(lambda _: hub.confirmed, timeout=40)
            looks = len(site.asked)
            pushed = rss(["FBI-subpoena-to-Google"], more=more, text=_TEXT)
            assert await hub.send(pushed, secret="forged") == 202
            assert await hub.send(pushed) == 202
            await place.discord.wait_for(lambda d: d.messages(place.alerts.id), timeout=30)
            assert "FBI" in place.discord.messages(place.alerts.id)[0].text
            assert sum(asked.path == "/feed" for asked in site.asked) == looks
            assert await bot.stop() == 0
        assert "Traceback" not in bot.log
        assert hub.last["hub.secret"] not in bot.log
    finally:
        await runner.cleanup()
