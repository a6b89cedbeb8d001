"""A server's feeds as moderators meet them: a choice, a list, a check, files, the catalogue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from sqlalchemy import select, update

from bot.sandbox.discord.messages import Upload
from db.tables import AuditRow, EntryRow, FeedRow
from tests.cogs.conftest import Scene
from tests.cogs.press import leaf

_FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>{name}</title><link>http://x.example/</link>
<description>d</description><item><title>A story of {name}</title><link>http://x.example/{name}</link>
<guid>{name}</guid></item></channel></rss>"""
_PAGE = """<html><head><title>Site</title>
<link rel="alternate" type="application/rss+xml" title="News" href="/news.xml">
<link rel="alternate" type="application/rss+xml" title="Reports" href="/reports.xml"></head><body></body>"""


@pytest.fixture
async def site() -> AsyncIterator[str]:
    async def feed(request: web.Request) -> web.Response:
        return web.Response(
            text=_FEED.format(name=request.match_info["name"]), content_type="application/rss+xml"
        )

    async def home(_: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", home)
    app.router.add_get("/{name}.xml", feed)
    runner = web.AppRunner(app)
    await runner.setup()
    server = web.TCPSite(runner, "127.0.0.1", 0)
    await server.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_page_with_several_feeds_lets_one_choose(scene: Scene, site: str) -> None:
    asked = await scene.moderator.command("feeds add", address=f"{site}/")
    assert "Which feed?" in asked.text
    added = await scene.moderator.select(asked.message, "Choose a feed", f"{site}/reports.xml")
    assert "Feed added" in added.text and "reports is watched from now on" in added.text
    again = await scene.moderator.command("feeds add", address=f"{site}/reports.xml")
    assert "reports is watched already" in again.text and "Feed added" not in again.text
    async with scene.house.database.read() as session:
        assert list(await session.scalars(select(AuditRow.action))) == ["feed added"]
    listed = await scene.moderator.command("feeds list")
    assert "reports" in listed.text
    assert "news" not in listed.text
    world = scene.discord.world
    world.set_member_roles(scene.guild, world.users[scene.moderator.user_id])
    refused = await scene.moderator.select(asked.message, "Choose a feed", f"{site}/news.xml")
    assert "Manage Server" in refused.text, "who chooses has lost the right meanwhile"


async def test_a_feed_is_checked_paused_and_resumed(scene: Scene, site: str) -> None:
    await scene.moderator.command("feeds add", address=f"{site}/news.xml")
    (choice,) = await scene.moderator.autocomplete("feeds check", "feed", "")
    checked = await scene.moderator.command("feeds check", feed=choice.value)
    assert "A story of news" in checked.text
    assert "waits to be read" in checked.text
    async with scene.house.database.write() as session:
        await session.execute(update(EntryRow).values(state="read"))  # and is deleted for its age
    checked = await scene.moderator.command("feeds check", feed=choice.value)
    assert "waits to be read" not in checked.text and "not relevant" in checked.text
    await scene.moderator.command("feeds pause", feed=choice.value)
    assert "paused here" in (await scene.moderator.command("feeds list")).text
    await scene.moderator.command("feeds resume", feed=choice.value)
    assert "paused here" not in (await scene.moderator.command("feeds list")).text
    assert "watches no feed #99" in (await scene.moderator.command("feeds check", feed=99)).text
    async with scene.house.database.read() as session:
        done = (await session.scalars(select(AuditRow.action).order_by(AuditRow.id))).all()
    assert done == ["feed added", "feed paused", "feed resumed"]


async def test_feeds_come_and_go_as_files_and_by_a_form(scene: Scene, site: str) -> None:
    listed = f"{site}/a.xml\n{site}/b.xml\nhttp://10.0.0.1/c.xml\nftp://old.example/feed\n"
    imported = await scene.moderator.command("feeds import", file=Upload("feeds.txt", listed.encode()))
    assert "2 feeds are new" in imported.text
    assert "10.0.0.1" in imported.text
    assert "old.example/feed is no http or https address" in imported.text, "a line that is no address"
    exported = await scene.moderator.command("feeds export")
    (file,) = exported.message.attachments
    assert f"{site}/a.xml".encode() in file.content
    form = await scene.moderator.command("feeds import")
    again = await scene.moderator.submit(form, {"One address a line, or OPML": f"{site}/a.xml {site}/d.xml"})
    assert again.text
    empty = await scene.moderator.command("feeds import", file=Upload("feeds.txt", b"# nothing\n"))
    assert "There is no feed in it" in empty.text


async def test_the_catalogue_is_filtered_and_added_from(scene: Scene) -> None:
    german = await scene.moderator.command("feeds catalogue", country="de")
    assert "netzpolitik" in german.text.casefold()
    from bot.feeds import catalogue

    one = next(feed for feed in catalogue.load() if feed.country == "de")
    for written in ("Germany", "Allemagne", " DE "):
        assert german.text == (await scene.moderator.command("feeds catalogue", country=written)).text
    offered = await scene.moderator.autocomplete("feeds catalogue", "country", "germ")
    assert [(choice.name, choice.value) for choice in offered] == [("Germany (de)", "de")]
    added = await scene.moderator.select(german.message, "Choose feeds to watch", one.url)
    assert "1 feed is new" in added.text
    assert one.name in (await scene.moderator.command("feeds list")).text
    assert (
        "No feed of the catalogue fits"
        in (await scene.moderator.command("feeds catalogue", country="zz")).text
    )


async def test_a_server_watches_no_more_than_its_limit(scene: Scene, site: str) -> None:
    many = "\n".join(f"{site}/{n}.xml" for n in range(201)).encode()
    refused = await scene.moderator.command("feeds import", file=Upload("feeds.txt", many))
    assert "at most 200 feeds" in refused.text
    assert "There is none yet" in (await scene.moderator.command("feeds list")).text
    addresses = ("\n".join(f"{site}/{half}-{n}.xml" for n in range(150)) for half in "ab")
    halves = [Upload("half.txt", listed.encode()) for listed in addresses]
    both = await asyncio.gather(*(scene.moderator.command("feeds import", file=half) for half in halves))
    assert sorted("150 feeds are new" in one.text for one in both) == [False, True], "at once, too"
    assert any("at most 200 feeds and this one has 150" in one.text for one in both)


async def test_what_went_wrong_is_told_in_the_language_of_whoever_reads_it(scene: Scene, site: str) -> None:
    world = scene.discord.world
    german = world.add_user("moderatorin", locale="de")
    world.add_member(scene.guild, german, world.add_role(scene.guild, "mods", ("manage_guild",)))
    reader = scene.discord.person(german, scene.guild, scene.channel)
    assert "ist keine Webadresse" in (await reader.command("feeds add", address="https://[")).text
    assert "nichts (404)" in (await reader.command("feeds add", address=f"{site}/gone")).text
    assert (
        "wird von jetzt an beobachtet" in (await reader.command("feeds add", address=f"{site}/news.xml")).text
    )
    async with scene.house.database.write() as session:
        feed = await session.get_one(FeedRow, 1)
        feed.failure = "x.example asks for fewer requests (429)."
        feed.next_reason = "the server asked for 12 h"
        feed.failing_since = feed.added_at
    listed = (await reader.command("feeds list")).text
    assert "x.example bittet um weniger Anfragen (429)." in listed
    assert "der Server bat um 12 h" in listed
    assert "asks for fewer requests" in (await scene.moderator.command("feeds list")).text


async def test_every_feed_stands_on_a_page_however_much_is_wrong_with_it(scene: Scene) -> None:
    numbers = [await scene.house.feed(f"news{number}") for number in range(13)]
    await scene.house.guild(scene.guild.id, *numbers)
    now = scene.house.clock.now
    columns = {"title": "The long title of a newspaper that people of the field do read every day"}
    columns |= {"failure": "its server answers 503 (service unavailable) and asks for more time. " * 3}
    columns |= {
        "next_reason": "its server asked for a longer pause between two looks, of an hour, and longer"
    }
    async with scene.house.database.write() as session:
        await session.execute(update(FeedRow).values(failing_since=now, next_look=now, **columns))
    text = await leaf(scene.moderator, await scene.moderator.command("feeds list"))
    assert [number for number in numbers if f"**#{number}**" not in text] == []


async def test_an_import_does_not_tell_what_others_watch(scene: Scene) -> None:
    await scene.house.guild(scene.other.id, await scene.house.feed("theirs"))
    file = Upload("feeds.txt", b"https://theirs.example/feed\nhttps://nobodys.example/feed\n")
    imported = await scene.moderator.command("feeds import", file=file)
    assert "2 feeds are new." in imported.text
    assert "0 were known already" in imported.text
    again = await scene.moderator.command("feeds import", file=file)
    assert "0 feeds are new." in again.text
    assert "2 were known already" in again.text


async def test_a_list_of_what_is_watched_already_takes_no_room(scene: Scene) -> None:
    numbers = [await scene.house.feed(f"news{number}") for number in range(120)]
    await scene.house.guild(scene.guild.id, *numbers)
    (own,) = (await scene.moderator.command("feeds export")).message.attachments
    again = await scene.moderator.command("feeds import", file=Upload("feeds.opml", own.content))
    assert "120 were known already" in again.text
    more = "\n".join(f"https://more{number}.example/feed" for number in range(81))
    refused = await scene.moderator.command("feeds import", file=Upload("more.txt", more.encode()))
    assert "at most 200 feeds and this one has 120" in refused.text
