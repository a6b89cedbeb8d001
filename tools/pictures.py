"""Makes the pictures in docs/pictures from what the bot really sends on the stand-in Discord.

Needs Debian's packages chromium and imagemagick.

    .venv/bin/python tools/pictures.py              all of them
    .venv/bin/python tools/pictures.py setup why    these alone
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot import app  # noqa: E402 - the checkout is put on the path first
from bot.sandbox import Channel, Guild, Message, Person, Role, StandIn, Upload, User  # noqa: E402
from bot.sandbox.discord.interactions import Answer  # noqa: E402
from bot.sandbox.discord.world import World  # noqa: E402
from bot.sandbox.show.page import form_page, page_of  # noqa: E402
from bot.sandbox.web import SampleWeb  # noqa: E402
from bot.settings import Settings  # noqa: E402
from tests.feeds.web import Site, rss, serving  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
WIDE, NARROW = 680, 390
DARK, BRIGHT = "#313338", "#ffffff"
# Colours of the page's dark theme and what stands for them in the light one.
LIGHT = {
    DARK: BRIGHT,
    "#dbdee1": "#313338",
    "#f2f3f5": "#060607",
    "#949ba4": "#5c5e66",
    "#2b2d31": "#f2f3f5",
    "#3f4147": "#d4d7dc",
    "#1e1f22": "#e3e5e8",
    "#4e5058": "#6d6f78",
    "#00a8fc": "#0068b5",
}
# Look-ups of what is not known, or written with a slip.
MISSED: tuple[tuple[str, tuple[dict[str, Any], ...]], ...] = (
    ("demands", ({"issuer": "Narnia Bureau"}, {"issuer": "Homland Security"})),
    ("search", ({"query": "xylophone"}, {"query": "geofnce warant"})),
    ("case", ({"name": "the xylophone affair"},)),
    ("party", ({"name": "Narnia Bureau"}, {"name": "Gogle"})),
    ("latest", ({"party": "Twiter"}, {"topic": "spywear"})),
)
ALSO_LIGHT = ("post", "case", "demands", "trends")


class LaterClock:
    """The bot's clock, which can be put on: what comes once an hour or a day is not waited for."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        """Give the time."""
        return datetime.now(UTC) + self.ahead


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
        """Draw each page as docs/pictures/NAME.png, as on a phone NAME-narrow.png, some as NAME-light.png."""
        if unknown := self.wanted - set(self.pages):
            raise SystemExit(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(self.pages)}")
        for name, page in self.pages.items():
            if not self.wanted or name in self.wanted:
                picture(name, page, WIDE)
                picture(f"{name}-narrow", page, NARROW)
                if name in ALSO_LIGHT:
                    colour = re.compile("|".join(LIGHT))
                    picture(f"{name}-light", colour.sub(lambda m: LIGHT[m[0]], page), WIDE, BRIGHT)


def picture(name: str, content: str, width: int, ground: str = DARK) -> None:
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
        background = ("-background", ground, "-bordercolor", ground)
        trimmed = ("-trim", *background, "-border", "16", "+dither", "-colors", "128")
        subprocess.run(
            ["/usr/bin/convert", f"{folder}/shot.png", *trimmed, str(target)], check=True, timeout=60
        )
    print(target.relative_to(ROOT))


async def main(wanted: frozenset[str]) -> None:
    """Let the sample week go by and draw what comes of it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    stop = asyncio.Event()
    with tempfile.TemporaryDirectory() as folder:
        async with StandIn() as discord, SampleWeb(datetime.now(UTC)) as web, serving() as site:
            album = Album(discord.world, wanted)
            settings = Settings(
                discord_token=discord.token,
                discord_api_url=discord.api_url,
                database_url=f"sqlite+aiosqlite:///{folder}/pictures.db",
                feed_interval=1,
                feed_interval_min=1,
                fetch_allow_networks=(ip_network("127.0.0.0/8"),),
            )
            clock = LaterClock()
            bot = asyncio.create_task(app.run(settings, stop=stop, clock=clock))
            try:
                await play(discord, web, site, clock, album)
            finally:
                stop.set()
                await bot
    album.draw()


async def play(discord: StandIn, web: SampleWeb, site: Site, clock: LaterClock, album: Album) -> None:
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
    newsroom = await Newsroom.open(discord, web, site)
    iris = await open_small_server(discord, web)
    for day in range(1, web.last_day + 1):
        if day == web.last_day // 2:
            newsroom.shut_channel()
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
    await take_empty(newsroom, album)
    await take_told(newsroom, card, album)
    album.add("note-direct", discord.direct_messages(iris)[0])
    await take_notes(newsroom, site, clock, album)


async def open_small_server(discord: StandIn, web: SampleWeb) -> int:
    """A server with one channel, which takes nothing any more; gives who made its rule."""
    world = discord.world
    guild = world.add_guild("Reading Circle")
    channel, iris = world.add_channel(guild, "reading"), world.add_user("iris")
    world.add_member(guild, iris, world.add_role(guild, "iris", ("manage_guild",)))
    person = discord.person(iris.id, guild.id, channel.id)
    await person.command("feeds add", address=web.feed_urls[0])
    await person.command("alerts add", channel=channel, relevance=0.0)
    world.set_overwrite(channel, guild.members[world.bot_id], deny=("send_messages",))
    return iris.id


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
    album.add("review-reject", (await editor.click(second, "Reject")).message)
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
    changed = await chief.command("settings", language="en", quiet_hours="23:00-06:00")
    album.add("settings-changed", changed.message)
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


@dataclass
class Newsroom:
    """A second server, for what goes wrong and for what comes by direct message."""

    discord: StandIn
    guild: Guild
    channels: dict[str, Channel]
    feed: int = 0  # the number of the feed that is going to end
    rule: int = 0  # the number of the rule for #compact

    @classmethod
    async def open(cls, discord: StandIn, web: SampleWeb, site: Site) -> Newsroom:
        """Set it up before the sample week begins."""
        guild = discord.world.add_guild("Newsroom")
        names = ("alerts", "log", "courts", "digest", "compact")
        room = cls(discord, guild, {name: discord.world.add_channel(guild, name) for name in names})
        site.say(body=rss(["a", "b"], title="The Old Courier"))
        chief = room.person("eve", "log", manages=True)
        for url in (*web.feed_urls, site.url()):
            await chief.command("feeds add", address=url)
        room.feed = int((await chief.autocomplete("feeds check", "feed", "old courier"))[0].value)
        await chief.command("settings", log_channel=room.channels["log"])
        chief = room.person("finn", "log", manages=True)
        await chief.command("alerts add", channel=room.channels["alerts"], relevance=0.0, limit=0)
        await chief.command("alerts add", channel=room.channels["courts"], topics="legal-demands")
        await chief.command("alerts add", channel=room.channels["digest"], relevance=0.5, when="daily")
        await chief.command("alerts add", channel=room.channels["compact"], relevance=0.5, style="compact")
        room.rule = int((await chief.autocomplete("alerts edit", "rule", "compact"))[0].value)
        fan = room.person("fan", "alerts")
        await fan.command("subscribe topic", topic="anonymity")
        await fan.command("subscribe topic", topic="surveillance", delivery="daily")
        await room.person("shut", "alerts", dms_open=False).command("subscribe topic", topic="legal-demands")
        return room

    def person(
        self, name: str, where: str, *, manages: bool = False, locale: str = "en-US", dms_open: bool = True
    ) -> Person:
        """Give the one of that name, who comes in where nobody of that name is here."""
        world = self.discord.world
        user: User | None = next((u for u in world.users.values() if u.name == name), None)
        if user is None:
            user = world.add_user(name, locale=locale, dms_open=dms_open)
            roles = [world.add_role(self.guild, name, ("manage_guild",))] if manages else []
            world.add_member(self.guild, user, *roles)
        return self.discord.person(user, self.guild, self.channels[where])

    def shut_channel(self) -> None:
        """Take the right to write in #courts from everybody, the bot too."""
        world = self.discord.world
        bot = self.guild.members[world.bot_id]
        world.set_overwrite(self.channels["courts"], bot, deny=("send_messages",))

    async def settled(self, answers: Sequence[Answer]) -> None:
        """Wait until these are answered whole."""
        await self.discord.wait_for(lambda _: not any(answer.pending for answer in answers), 60)

    async def told(self, name: str, words: str) -> Message:
        """Wait for a message in a channel that holds these words."""
        channel = self.channels[name]
        found = await self.discord.wait_for(
            lambda d: [m for m in d.messages(channel.id) if words in m.text], 60
        )
        return found[-1]


async def take_empty(room: Newsroom, album: Album) -> None:
    """Somebody asks for what is not known, slips, or may not: each answer has a next step."""
    asker = room.person("asker", "alerts")
    for name, questions in MISSED:
        answers = [await asker.command(name, **question) for question in questions]
        await room.settled(answers)
        album.add(f"{name}-empty", *(answer.message for answer in answers))
    refused = [
        await asker.command("alerts list", forced=True),
        await asker.command("analyse", link="http://10.0.0.1/"),
        *[await asker.command("help") for _ in range(30)][-1:],
    ]
    await room.settled(refused)
    album.add("refused", *(answer.message for answer in refused))
    world = room.discord.world
    alone = room.discord.person(world.add_user("alone", has_app=True))
    found = [await alone.command("latest"), await alone.command("trends", period="year")]
    await room.settled(found)
    album.add("outside-empty", *(answer.message for answer in found))


async def take_told(room: Newsroom, card: Message, album: Album) -> None:
    """What a member's own buttons answer, and what comes by direct message."""
    fan, shut = room.person("fan", "alerts"), room.person("shut", "alerts")
    post = await room.told("alerts", card.text.partition("\n")[0])
    album.add("follow", (await fan.click(post, "Follow case")).message)
    album.add("not-relevant", (await fan.click(post, "Not relevant")).message)
    party = await fan.command("party", name="Google")
    album.add("follow-party", (await fan.click(party.message, "Follow")).message)
    album.add("direct-message", room.discord.direct_messages(fan.user_id)[0])
    listed = await fan.command("subscriptions")
    album.add("subscriptions-many", listed.message)
    asked = await room.person("gone", "alerts").command("privacy forget")
    album.add("privacy-forget", asked.message)
    answer = await shut.command("help")
    await room.discord.wait_for(lambda _: len(answer.messages) > 1, 60)
    album.add("unreachable", answer.messages[-1])
    german = room.person("leser", "alerts", locale="de")
    album.add("explain-german", (await german.command("explain", term="geofence warrant")).message)
    compact = room.discord.messages(room.channels["compact"].id)
    album.add("post-compact", *compact[:3])


async def take_notes(room: Newsroom, site: Site, clock: LaterClock, album: Album) -> None:
    """What moderators are told of by itself, and digests, for which the clock is put on."""
    chief = room.person("gina", "log", manages=True)
    album.add("note-channel", await room.told("log", "Nothing is lost"))
    album.add("deliveries-waiting", (await chief.command("deliveries")).message)
    album.add("status-trouble", (await chief.command("status")).message)
    for name, options in (
        ("alerts edit", {"rule": room.rule, "statuses": "quashed, withdrawn", "limit": 5}),
        ("alerts pause", {"rule": room.rule}),
        ("alerts resume", {"rule": room.rule}),
        ("feeds pause", {"feed": room.feed}),
        ("feeds resume", {"feed": room.feed}),
    ):
        album.add(name.replace(" ", "-"), (await chief.command(name, **options)).message)
    site.say(status=410)
    await room.settled([await chief.command("feeds check", feed=room.feed)])
    stories = [m for m in room.discord.messages(room.channels["alerts"].id) if "Civic Wire" in m.text]
    for reader in range(3):
        for story in stories[:2]:
            await room.person(f"reader {reader}", "alerts").click(story, "Not relevant")
    clock.ahead = timedelta(minutes=61)
    album.add("note-changes", await room.told("log", "paused"))
    source = await room.told("log", "off topic")
    album.add("note-source", source)
    album.add("source-excluded", (await chief.click(source, "Exclude source")).message)
    album.add("note-rule", await room.told("log", "within a day"))
    clock.ahead = timedelta(hours=27)
    album.add("note-feed", await room.told("log", "gone for good"))
    fan = room.person("fan", "digest")
    posted = await room.told("digest", "igest")
    album.add("digest-post", posted)
    album.add("digest-all", (await fan.click(posted, "Show all")).message)
    await room.discord.wait_for(lambda d: "igest" in d.direct_messages(fan.user_id)[-1].text, 60)
    album.add("direct-digest", room.discord.direct_messages(fan.user_id)[-1])
    lines = (site.url(), site.url("/courts"), site.url("/police"), "ftp://old.example/feed")
    listed = Upload("feeds.txt", "\n".join(lines).encode())
    imported = await chief.command("feeds import", file=listed)
    await room.settled([imported])
    album.add("feeds-import", imported.message)
    album.add_form("feeds-form", await chief.command("feeds import"))
    album.add("alerts-remove", (await chief.command("alerts remove", rule=room.rule)).message)
    album.add("feeds-remove", (await chief.command("feeds remove", feed=room.feed)).message)
    await take_choice(room, album)


async def take_choice(room: Newsroom, album: Album) -> None:
    """A site's page names two feeds, of which one is chosen."""
    chief = room.person("hugo", "log", manages=True)
    async with serving() as site:
        links = "".join(
            f'<link rel="alternate" type="application/rss+xml" title="{title}" href="{site.url(path)}">'
            for title, path in (("The Harbour Post: news", "/news"), ("The Harbour Post: courts", "/courts"))
        )
        page = f"<html><head><title>The Harbour Post</title>{links}</head><body></body></html>"
        site.say(body=page, headers={"Content-Type": "text/html"})
        asked = await chief.command("feeds add", address=site.url())
        await room.settled([asked])
        album.add("feeds-choose", asked.message, opened="quash:feeds:choose")


if __name__ == "__main__":
    asyncio.run(main(frozenset(sys.argv[1:])))
