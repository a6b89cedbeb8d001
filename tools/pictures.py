"""Makes the pictures in docs/pictures from what the bot really sends on the stand-in Discord.

Needs Debian's packages chromium and imagemagick.

    .venv/bin/python tools/pictures.py              all of them
    .venv/bin/python tools/pictures.py setup why    these alone
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot import app  # noqa: E402 - the checkout is put on the path first
from bot.sandbox import Channel, Message, Role, StandIn  # noqa: E402
from bot.sandbox.discord.interactions import Answer  # noqa: E402
from bot.sandbox.discord.people import Person  # noqa: E402
from bot.sandbox.discord.world import World  # noqa: E402
from bot.sandbox.show.page import form_page, page_of  # noqa: E402
from bot.sandbox.web import SampleWeb  # noqa: E402
from bot.settings import Settings  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
WIDE, NARROW = 680, 390


@dataclass
class Album:
    """Pages that are going to be drawn, of those names that are wanted (none named: all)."""

    world: World
    wanted: frozenset[str]
    pages: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, *messages: Message, opened: str | None = None) -> None:
        """Take messages as they are at this moment."""
        self.pages[name] = page_of(self.world, messages, opened=opened)

    def add_form(self, name: str, answer: Answer) -> None:
        """Take a form that was opened."""
        assert answer.modal is not None
        self.pages[name] = form_page(answer.modal)

    def draw(self) -> None:
        """Draw each page as docs/pictures/NAME.png and, as on a phone, NAME-narrow.png."""
        if unknown := self.wanted - set(self.pages):
            raise SystemExit(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(self.pages)}")
        for name, page in self.pages.items():
            if not self.wanted or name in self.wanted:
                picture(name, page, WIDE)
                picture(f"{name}-narrow", page, NARROW)


def picture(name: str, content: str, width: int) -> None:
    """Draw a page as docs/pictures/NAME.png."""
    target = PICTURES / f"{name}.png"
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(content, encoding="utf-8")
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


async def main(wanted: frozenset[str]) -> None:
    """Let the sample week go by and draw what comes of it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    stop = asyncio.Event()
    with tempfile.TemporaryDirectory() as folder:
        async with StandIn() as discord, SampleWeb(datetime.now(UTC)) as web:
            album = Album(discord.world, wanted)
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
                await play(discord, web, album)
            finally:
                stop.set()
                await bot
    album.draw()


async def play(discord: StandIn, web: SampleWeb, album: Album) -> None:
    """Set the bot up, wait for its posts, ask it things, and take pages of all that."""
    world = discord.world
    guild = world.add_guild("Digital Rights")
    channel = world.add_channel(guild, "alerts")
    moderator, member = world.add_user("moderator"), world.add_user("member")
    staff = world.add_role(guild, "moderators", ("manage_guild",))
    world.add_member(guild, moderator, staff)
    world.add_member(guild, member)
    chief = discord.person(moderator.id, guild.id, channel.id)
    reader = discord.person(member.id, guild.id, channel.id)
    await discord.wait_ready(60)
    for url in web.feed_urls:
        added = await chief.command("feeds add", address=url)
    rule = await chief.command("alerts add", channel=channel, relevance=0.5)
    picked, desk = world.add_channel(guild, "picked"), world.add_channel(guild, "review")
    await chief.command("alerts add", channel=picked, topics="legal-demands", review=desk)
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
        "settings": await chief.command("settings"),
        "why": await chief.command("why", story="1"),
        "status": await chief.command("status"),
        "deliveries": await chief.command("deliveries"),
        "audit": await chief.command("audit"),
    }
    await discord.wait_for(lambda _: "Reading it" not in answers["analyse"].text, 60)
    await discord.wait_for(lambda _: not any(answer.pending for answer in answers.values()), 60)
    album.add("post", card)
    album.add("update", update)
    for name, answer in answers.items():
        album.add(name, *(answer.messages if name == "alerts-preview" else [answer.message]))

    def another(name: str, where: Channel) -> Person:
        """Give another moderator: one alone would be asked to be slower."""
        user = world.add_user(name)
        world.add_member(guild, user, staff)
        return discord.person(user.id, guild.id, where.id)

    await take_review(discord, another("ada", desk), desk.id, picked.id, album)
    await take_corrections(another("ben", channel), album)
    watchers = world.add_role(guild, "watchers")
    world.set_member_roles(guild, member, watchers)
    await take_setup(another("cleo", channel), watchers, album)
    await take_import(another("dana", channel), channel.id, picked.id, album)


async def take_review(discord: StandIn, editor: Person, desk: int, picked: int, album: Album) -> None:
    """Moderators look at stories: one is edited and approved, one rejected, one merged, one waits."""
    await discord.wait_for(lambda d: len(d.messages(desk)) >= 4, 60)
    first, second, third, *_ = (message.id for message in discord.messages(desk))

    def asked(number: int) -> Message:
        return next(message for message in discord.messages(desk) if message.id == number)

    album.add("review", asked(first))
    form = await editor.click(first, "Edit summary")
    album.add_form("review-edit", form)
    words = "Grave for everybody who criticises an agency without giving a name; the hearing is in public."
    await editor.submit(form, words=words)
    album.add("review-edited", asked(first))
    album.add("review-approve", (await editor.click(first, "Approve")).message)
    await editor.click(second, "Reject")
    choice = await editor.click(third, "Merge with case")
    select = choice.message.components[-1]["components"][0]
    album.add("review-merge", choice.message, opened=select["custom_id"])
    merged = await editor.select(choice.message, select["custom_id"], select["options"][0]["value"])
    album.add("review-merged", merged.message)
    await discord.wait_for(lambda d: d.messages(picked), 60)
    await discord.wait_for(
        lambda _: all("For review" not in asked(n).text for n in (first, second, third)), 60
    )
    album.add("review-decided", asked(first), asked(second), asked(third))
    album.add("review-posted", discord.messages(picked)[0])


async def take_corrections(chief: Person, album: Album) -> None:
    """Moderators put a case right."""
    shown = await chief.command("case", name="@ALT_USCIS")
    panel = await chief.click(shown.message, "Correct…")
    album.add("correct", panel.message)
    for name, button in (("merge", "Merge…"), ("split", "Split off a story…")):
        choice = await chief.click(panel.message, button)
        select = choice.message.components[-1]["components"][0]
        album.add(f"correct-{name}", choice.message, opened=select["custom_id"])
        told = await chief.select(choice.message, select["custom_id"], select["options"][0]["value"])
        album.add("correct-proposed", told.message)
    rename = await chief.click(panel.message, "Rename")
    album.add_form("correct-rename", rename)
    await chief.submit(rename, name="Who is behind @ALT_USCIS?")
    status = await chief.click(panel.message, "Set status")
    album.add_form("correct-status", status)
    await chief.submit(status, status="withdrawn", source="https://court.example/docket/17-2024")
    album.add("correct-case", (await chief.command("case", name="@ALT_USCIS")).message)


async def take_setup(chief: Person, role: Role, album: Album) -> None:
    """A moderator goes through /setup."""
    panel = (await chief.command("setup")).message
    album.add("setup", panel)
    album.add("setup-topics", panel, opened="quash:setup:topics")
    panel = (await chief.select(panel, "quash:setup:topics", "spyware", "biometrics")).message
    panel = (await chief.select(panel, "quash:setup:ping", role)).message
    panel = (await chief.select(panel, "quash:setup:when", "daily")).message
    album.add("setup-chosen", panel)
    album.add("setup-saved", (await chief.click(panel, "Save")).message)


async def take_import(chief: Person, channel: int, picked: int, album: Album) -> None:
    """A moderator imports a configuration."""
    settings = (await chief.command("settings")).message
    form = await chief.click(settings, "Import")
    album.add_form("settings-import", form)
    text = (
        "settings: {timezone: Europe/Berlin, quiet_hours: '22:00-07:00'}\n"
        f"rules:\n- {{number: 1, channel: {channel}, countries: [us, de], limit: 10}}\n"
        f"- {{channel: {picked}, topics: [encryption], when: daily}}\n"
    )
    shown = await chief.submit(form, {"Or its text": text})
    album.add("settings-difference", shown.message)
    album.add("settings-applied", (await chief.click(shown.message, "Apply")).message)


if __name__ == "__main__":
    asyncio.run(main(frozenset(sys.argv[1:])))
