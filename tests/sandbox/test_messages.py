"""Messages, DMs, threads, forums and announcement channels, with the real client."""

from __future__ import annotations

import asyncio
import io

import discord
import pytest

from bot.sandbox import Channel
from tests.sandbox.town import Bot, Join, Town


def room(bot: Bot, channel: Channel) -> discord.TextChannel:
    found = bot.get_channel(channel.id)
    assert isinstance(found, discord.TextChannel)
    return found


async def test_the_same_nonce_gives_the_first_message_for_a_few_minutes(town: Town, join: Join) -> None:
    bot = await join()
    channel = room(bot, town.channel)
    first = await channel.send("once", nonce="delivery-1")
    again = await channel.send("again", nonce="delivery-1")
    other = await channel.send("other", nonce="delivery-2")
    assert (again.id, again.content, other.content) == (first.id, "once", "other")
    town.discord.settings.nonce_seconds = 0.0
    await asyncio.sleep(0.01)
    late = await channel.send("late", nonce="delivery-1")
    assert late.id != first.id
    assert [each.text for each in town.discord.messages(town.channel.id)] == ["once", "other", "late"]


async def test_a_nonce_whose_message_was_deleted_posts_nothing(town: Town, join: Join) -> None:
    bot = await join()
    channel = room(bot, town.channel)
    sent = await channel.send("once", nonce="delivery-1")
    await sent.delete()
    with pytest.raises(discord.NotFound) as raised:
        await channel.send("once", nonce="delivery-1")
    assert raised.value.code == 10008
    assert town.discord.messages(town.channel.id) == []
    assert [each.text for each in town.discord.messages(town.channel.id, deleted=True)] == ["once"]


async def test_history_before_after_around(town: Town, join: Join) -> None:
    bot = await join()
    channel = room(bot, town.channel)
    sent = [await channel.send(str(number)) for number in range(7)]

    async def read(**where: object) -> list[str]:
        return [message.content async for message in channel.history(**where)]  # type: ignore[arg-type]

    assert await read(limit=3) == ["6", "5", "4"]
    assert await read(limit=2, before=sent[3]) == ["2", "1"]
    assert await read(limit=2, after=sent[3], oldest_first=True) == ["4", "5"]
    assert sorted(await read(limit=3, around=sent[3])) == ["2", "3", "4"]
    assert (await channel.fetch_message(sent[0].id)).content == "0"


async def test_others_words_are_hidden_without_the_content_intent(town: Town, join: Join) -> None:
    bot = await join()
    await town.person().say("a secret")
    await town.person().say(f"<@{town.world.bot_id}> hello")
    await room(bot, town.channel).send("my own")
    read = [message.content async for message in room(bot, town.channel).history()]
    assert read == ["my own", f"<@{town.world.bot_id}> hello", ""]
    town.world.application.content_intent = True
    read = [message.content async for message in room(bot, town.channel).history()]
    assert read[-1] == "a secret"


async def test_who_is_pinged(town: Town, join: Join) -> None:
    bot = await join()
    channel = room(bot, town.channel)
    crowd = town.world.add_role(town.guild, "crowd", mentionable=True)
    text = f"@everyone <@{town.mod.id}> <@&{crowd.id}> <@&{town.mods.id}>"

    async def pings(allowed: discord.AllowedMentions) -> tuple[bool, list[int], list[int]]:
        await channel.send(text, allowed_mentions=allowed)
        last = town.discord.messages(town.channel.id)[-1]
        return last.pings_everyone, last.pings_users, last.pings_roles

    assert await pings(discord.AllowedMentions.none()) == (False, [], [])
    # Everything is allowed, yet the bot may not ping everyone, nor a role that is not mentionable.
    assert await pings(discord.AllowedMentions.all()) == (False, [town.mod.id], [crowd.id])
    town.world.set_role(town.guild, town.world.bot_role(town.guild), ("mention_everyone", "send_messages"))
    only = discord.AllowedMentions(everyone=False, users=False, roles=[discord.Object(town.mods.id)])
    assert await pings(only) == (False, [], [town.mods.id])
    assert await pings(discord.AllowedMentions.all()) == (True, [town.mod.id], [crowd.id, town.mods.id])


async def test_replies(town: Town, join: Join) -> None:
    bot = await join()
    channel = room(bot, town.channel)
    first = await channel.send("first")
    reply = await channel.send("update", reference=first)
    assert reply.reference is not None
    assert isinstance(reply.reference.resolved, discord.Message)
    assert reply.reference.resolved.content == "first"
    await first.delete()
    with pytest.raises(discord.HTTPException, match="Unknown message"):
        await channel.send("update", reference=first)
    loose = first.to_reference(fail_if_not_exists=False)
    assert (await channel.send("update", reference=loose)).reference is None


async def test_embeds_and_files(town: Town, join: Join) -> None:
    bot = await join()
    embed = discord.Embed(title="Title", description="Text").set_image(url="attachment://a.png")
    sent = await room(bot, town.channel).send(embed=embed, file=discord.File(io.BytesIO(b"png"), "a.png"))
    assert sent.embeds[0].image.url == sent.attachments[0].url
    edited = await sent.edit(attachments=[discord.File(io.BytesIO(b"txt"), "b.txt")])
    assert [each.filename for each in edited.attachments] == ["b.txt"]
    with pytest.raises(discord.HTTPException) as raised:
        await room(bot, town.channel).send(
            file=discord.File(io.BytesIO(b"x" * (10 * 1024 * 1024 + 1)), "big")
        )
    assert (raised.value.status, raised.value.code) == (413, 40005)
    with pytest.raises(discord.HTTPException) as raised:
        await room(bot, town.channel).send(" ")
    assert raised.value.code == 50006


async def test_direct_messages(town: Town, join: Join) -> None:
    bot = await join()
    user = await bot.fetch_user(town.member.id)
    await user.send("hello")
    assert [each.text for each in town.discord.direct_messages(town.member.id)] == ["hello"]
    town.member.dms_open = False
    with pytest.raises(discord.Forbidden) as raised:
        await user.send("again")
    assert raised.value.code == 50007
    town.member.dms_open = True
    town.world.remove_member(town.guild, town.member)
    with pytest.raises(discord.Forbidden) as raised:
        await user.send("no guild in common")
    assert raised.value.code == 50278
    with pytest.raises(discord.NotFound) as missing:
        await bot.fetch_user(1)
    assert missing.value.code == 10013


async def test_publishing(town: Town, join: Join) -> None:
    news = town.world.add_channel(town.guild, "news", "announcement")
    bot = await join()
    sent = await room(bot, news).send("story")
    await sent.publish()
    assert (await room(bot, news).fetch_message(sent.id)).flags.crossposted
    with pytest.raises(discord.HTTPException) as raised:
        await sent.publish()
    assert raised.value.code == 40033
    plain = await room(bot, town.channel).send("story")
    with pytest.raises(discord.HTTPException) as raised:
        await plain.publish()
    assert raised.value.code == 50024


async def test_a_thread_from_a_message_is_made_once(town: Town, join: Join) -> None:
    bot = await join()
    sent = await room(bot, town.channel).send("story")
    thread = await sent.create_thread(name="Case")
    assert thread.id == sent.id
    with pytest.raises(discord.HTTPException) as raised:
        await sent.create_thread(name="Case")
    assert raised.value.code == 160004
    await thread.send("inside")
    assert [each.text for each in town.discord.messages(thread.id)] == ["inside"]
    member = discord.Object(town.member.id)
    await thread.add_user(member)
    assert {each.id for each in await thread.fetch_members()} == {bot.user.id, member.id}  # type: ignore[union-attr]
    await thread.edit(archived=True)
    archived = [each.id async for each in room(bot, town.channel).archived_threads()]
    assert archived == [thread.id]
    await thread.send("wakes it")
    assert not town.world.channels[thread.id].thread.archived  # type: ignore[union-attr]
    town.world.set_thread(town.world.channels[thread.id], archived=True, locked=True)
    town.world.set_role(town.guild, town.world.bot_role(town.guild), 0)
    with pytest.raises(discord.Forbidden):
        await thread.send("locked")


async def test_forums(town: Town, join: Join) -> None:
    forum = town.world.add_channel(town.guild, "cases", "forum", tags=("open", "closed"), tag_required=True)
    bot = await join()
    channel = bot.get_channel(forum.id)
    assert isinstance(channel, discord.ForumChannel)
    with pytest.raises(discord.HTTPException) as raised:
        await channel.create_thread(name="Untagged", content="text")
    assert raised.value.code == 40067
    post = await channel.create_thread(
        name="CBP and Twitter",
        content="text",
        applied_tags=[channel.available_tags[0]],
        file=discord.File(io.BytesIO(b"x"), "a.txt"),
    )
    assert post.thread.id == post.message.id
    assert [each.name for each in post.thread.applied_tags] == ["open"]
    assert [each.text for each in town.discord.messages(post.thread.id)] == ["text"]
    await post.thread.send("more")
    with pytest.raises(discord.HTTPException) as raised:
        await bot.http.request(
            discord.http.Route("POST", f"/channels/{forum.id}/messages"), json={"content": "x"}
        )
    assert raised.value.code == 50008


@pytest.mark.parametrize(
    ("denied", "code"),
    [
        (("view_channel",), 50001),
        (("send_messages",), 50013),
        (("attach_files",), 50013),
        (("embed_links",), 50013),
    ],
)
async def test_missing_permissions(town: Town, join: Join, denied: tuple[str, ...], code: int) -> None:
    town.world.set_overwrite(town.channel, town.world.bot_role(town.guild), deny=denied)
    bot = await join()
    with pytest.raises(discord.Forbidden) as raised:
        await room(bot, town.channel).send(
            "x", embed=discord.Embed(title="x"), file=discord.File(io.BytesIO(b"x"), "x")
        )
    assert raised.value.code == code
    assert town.discord.messages(town.channel.id) == []


async def test_what_is_gone(town: Town, join: Join) -> None:
    bot = await join()
    channel = room(bot, town.channel)
    sent = await channel.send("x")
    await sent.delete()
    for act in (sent.delete, channel.get_partial_message(sent.id).edit):
        with pytest.raises(discord.NotFound) as raised:
            await act()
        assert raised.value.code == 10008
    town.world.remove_channel(town.channel)
    with pytest.raises(discord.NotFound) as raised:
        await channel.send("x")
    assert raised.value.code == 10003
    other = town.world.add_channel(town.guild, "other")
    town.world.leave(town.guild)
    with pytest.raises(discord.Forbidden) as refused:
        await bot.get_partial_messageable(other.id).send("x")
    assert refused.value.code == 50001


async def test_anothers_message_cannot_be_edited(town: Town, join: Join) -> None:
    bot = await join()
    said = await town.person().say("mine")
    with pytest.raises(discord.Forbidden) as raised:
        await room(bot, town.channel).get_partial_message(said.id).edit(content="yours")
    assert raised.value.code == 50005


async def test_guild_members_and_roles_can_be_read(town: Town, join: Join) -> None:
    bot = await join()
    guild = await bot.fetch_guild(town.guild.id)
    assert {each.name for each in await guild.fetch_roles()} == {"@everyone", "Quash", "moderators"}
    assert (await guild.fetch_member(town.mod.id)).name == "mod"
    with pytest.raises(discord.NotFound) as raised:
        await guild.fetch_member(town.world.application.owner_id)
    assert raised.value.code == 10007
    assert [each.name for each in await guild.fetch_channels()] == ["alerts"]
    with pytest.raises(discord.NotFound) as raised:
        await bot.fetch_guild(1)
    assert raised.value.code == 10004
