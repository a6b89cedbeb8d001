"""Makes the pictures in docs/pictures from what the bot really sends on the stand-in Discord.

Needs Debian's packages chromium and imagemagick. Run: .venv/bin/python tools/pictures.py
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot import app  # noqa: E402 - the checkout is put on the path first
from bot.sandbox import Message, StandIn  # noqa: E402
from bot.sandbox.discord.world import World  # noqa: E402
from bot.sandbox.show.page import page_of  # noqa: E402
from bot.sandbox.web import SampleWeb  # noqa: E402
from bot.settings import Settings  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
WIDE, NARROW = 680, 390


def picture(world: World, name: str, messages: list[Message], width: int = WIDE) -> None:
    """Draw messages as docs/pictures/NAME.png."""
    target = PICTURES / f"{name}.png"
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(page_of(world, messages), encoding="utf-8")
        subprocess.run(
            [
                *(
                    "chromium",
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--no-first-run",
                    "--disable-sync",
                ),
                *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
                f"--user-data-dir={folder}/profile",
                f"--window-size={width},2600",
                f"--screenshot={folder}/shot.png",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        background = ("-background", "#313338", "-bordercolor", "#313338")
        trimmed = ("-trim", *background, "-border", "16", "-colors", "128")
        subprocess.run(
            ["/usr/bin/convert", f"{folder}/shot.png", *trimmed, str(target)], check=True, timeout=60
        )
    print(target.relative_to(ROOT))


async def main() -> None:
    """Let the sample week go by and draw what comes of it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    stop = asyncio.Event()
    with tempfile.TemporaryDirectory() as folder:
        async with StandIn() as discord, SampleWeb(datetime.now(UTC)) as web:
            settings = Settings(
                discord_token=discord.token,
                discord_api_url=discord.api_url,
                database_url=f"sqlite+aiosqlite:///{folder}/pictures.db",
                feed_interval=1,
                feed_interval_min=1,
                fetch_allow_networks=(ip_network("127.0.0.0/8"),),
            )
            bot = asyncio.create_task(app.run(settings, stop=stop))
            try:
                await draw(discord, web)
            finally:
                stop.set()
                await bot


async def draw(discord: StandIn, web: SampleWeb) -> None:
    """Set the bot up, wait for its posts, ask it things, and draw all that."""
    world = discord.world
    guild = world.add_guild("Digital Rights")
    channel = world.add_channel(guild, "alerts")
    moderator, member = world.add_user("moderator"), world.add_user("member")
    world.add_member(guild, moderator, world.add_role(guild, "moderators", ("manage_guild",)))
    world.add_member(guild, member)
    chief = discord.person(moderator.id, guild.id, channel.id)
    reader = discord.person(member.id, guild.id, channel.id)
    await discord.wait_ready(60)
    for url in web.feed_urls:
        added = await chief.command("feeds add", address=url)
    rule = await chief.command("alerts add", channel=channel, relevance=0.5)
    for day in range(1, web.last_day + 1):
        web.turn_to(day)
        await asyncio.sleep(6)

    def post(title: str) -> Message:
        return next(m for m in discord.messages(channel.id) if title in m.text.partition("\n-#")[0])

    card, update = post("Homeland Security sends hundreds"), post("Government drops its summons")
    article = next(a for a in web.published() if a.posted)
    page = f"http://127.0.0.1:{web.port}/{article.feed}/{article.slug}.html"
    answers = {
        "latest": await reader.command("latest", count=3),
        "search": await reader.command("search", query="geofence warrant"),
        "case": await reader.command("case", name="@ALT_USCIS"),
        "demands": await reader.command("demands"),
        "party": await reader.command("party", name="DHS"),
        "trends": await reader.command("trends", period="month"),
        "analyse": await reader.command("analyse", link=page),
        "explain": await reader.command("explain", term="geofence warrant"),
        "evidence": await reader.click(card, "Evidence"),
        "subscribe": await reader.command("subscribe topic", topic="spyware"),
        "subscriptions": await reader.command("subscriptions"),
        "digest": await reader.command("digest"),
        "privacy": await reader.command("privacy show"),
        "why-this-alert": await reader.menu("Why this alert?", card),
        "help": await chief.command("help"),
        "feeds-add": added,
        "feeds-list": await chief.command("feeds list"),
        "alerts-add": rule,
        "alerts-list": await chief.command("alerts list"),
        "alerts-preview": await chief.command("alerts preview", rule=1),
        "feeds-catalogue": await chief.command("feeds catalogue", topic="spyware"),
        "feeds-check": await chief.command("feeds check", feed=1),
        "setup": await chief.command("setup"),
        "settings": await chief.command("settings"),
        "why": await chief.command("why", story="1"),
        "status": await chief.command("status"),
        "deliveries": await chief.command("deliveries"),
        "audit": await chief.command("audit"),
    }
    await discord.wait_for(lambda _: "Reading it" not in answers["analyse"].text, 60)
    picture(world, "post", [card])
    picture(world, "update", [update])
    picture(world, "post-narrow", [card], NARROW)
    for name, answer in answers.items():
        picture(world, name, [answer.message])
        picture(world, f"{name}-narrow", [answer.message], NARROW)


if __name__ == "__main__":
    asyncio.run(main())
