"""Commands, from registering to what a person sees, with the real client."""

from __future__ import annotations

import asyncio
import math

import discord
import pytest
from discord import app_commands

from bot.sandbox import NotOffered, Upload
from tests.sandbox.town import OPENAPI, Bot, Join, Town


async def add_echo(bot: Bot) -> None:
    """A command with every type of option; it answers what the library made of them."""

    @bot.tree.command(name="echo", description="Repeats")
    @app_commands.choices(kind=[app_commands.Choice(name="Daily", value="daily")])
    async def echo(
        interaction: discord.Interaction,
        channel: discord.TextChannel,
        role: discord.Role,
        user: discord.Member,
        anything: discord.Role | discord.Member,
        file: discord.Attachment,
        number: app_commands.Range[int, 1, 10],
        share: float,
        sure: bool,
        kind: app_commands.Choice[str],
        text: str = "-",
    ) -> None:
        content = (await file.read()).decode()
        parts = [
            channel.name,
            role.name,
            user.display_name,
            anything.name,
            content,
            number,
            share,
            sure,
            kind.value,
        ]
        await interaction.response.send_message(
            " ".join(str(part) for part in [*parts, text]), ephemeral=True
        )


async def add_alerts(bot: Bot) -> None:
    alerts = app_commands.Group(
        name="alerts",
        description="Rules",
        guild_only=True,
        default_permissions=discord.Permissions(manage_guild=True),
    )

    @alerts.command(name="add", description="Adds a rule")
    async def add(interaction: discord.Interaction, topic: str, place: str = "") -> None:
        await interaction.response.send_message(f"added {topic}")

    @add.autocomplete("topic")
    async def topics(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        place = interaction.namespace.place
        return [app_commands.Choice(name=f"{current}! {place}", value=f"{current}-{place}")]

    bot.tree.add_command(alerts)


async def test_every_type_of_option_reaches_the_command(town: Town, join: Join) -> None:
    await join(add_echo)
    answer = await town.person().command(
        "echo",
        channel=town.channel,
        role=town.mods,
        user=town.member.id,
        anything=town.mods,
        file=Upload("a.txt", b"contents"),
        number=7,
        share=0.5,
        sure=True,
        kind="Daily",
        text="end",
    )
    assert answer.text == "alerts moderators member moderators contents 7 0.5 True daily end"
    assert (answer.kind, answer.ephemeral) == ("message", True)
    assert answer.seconds < 1
    assert town.discord.messages(town.channel.id) == []  # an ephemeral answer is in nobody's history


async def test_completion_sees_what_was_filled_in(town: Town, join: Join) -> None:
    await join(add_alerts)
    choices = await town.person().autocomplete("alerts add", "topic", "sur", place="here")
    assert [(choice.name, choice.value) for choice in choices] == [("sur! here", "sur-here")]


async def test_a_command_is_offered_to_those_who_may_use_it_and_only_where(town: Town, join: Join) -> None:
    await join(add_alerts)
    assert (await town.person(town.mod).command("alerts add", topic="x")).text == "added x"
    with pytest.raises(NotOffered, match="needs permissions"):
        await town.person(town.member).command("alerts add", topic="x")
    assert (await town.person(town.member).command("alerts add", topic="x", forced=True)).text == "added x"
    with pytest.raises(NotOffered, match="contexts"):
        await town.dm(town.mod).command("alerts add", topic="x")
    town.world.set_overwrite(town.channel, town.mods, deny=("use_application_commands",))
    with pytest.raises(NotOffered, match="Use Application Commands"):
        await town.person(town.mod).command("alerts add", topic="x")
    town.world.set_overwrite(town.channel, town.mods, deny=("view_channel",))
    with pytest.raises(NotOffered, match="not shown"):
        await town.person(town.mod).command("alerts add", topic="x")


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("alerts add", {}, "needs topic"),
        ("alerts add", {"topic": "x", "nonsense": 1}, "no option 'nonsense'"),
        ("alerts remove", {}, "no 'remove'"),
        ("alerts", {}, "sub-commands"),
        ("nothing", {}, "there is no slash command 'nothing'"),
    ],
)
async def test_what_the_client_would_not_send(
    town: Town, join: Join, name: str, options: dict[str, object], why: str
) -> None:
    await join(add_alerts)
    with pytest.raises(NotOffered, match=why):
        await town.person().command(name, **options)


async def test_in_direct_messages_and_for_a_user_installed_app(town: Town, join: Join) -> None:
    async def setup(bot: Bot) -> None:
        @bot.tree.command(name="latest", description="News")
        @app_commands.allowed_installs(guilds=True, users=True)
        @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
        async def latest(interaction: discord.Interaction) -> None:
            kinds = f"{interaction.is_guild_integration()} {interaction.is_user_integration()}"
            links = interaction.app_permissions.embed_links
            await interaction.response.send_message(f"{interaction.guild_id} {kinds} {links}")

    await join(setup)
    assert (await town.dm().command("latest")).text == "None False False True"
    assert [each.text for each in town.discord.direct_messages(town.member.id)] == ["None False False True"]
    elsewhere = town.world.add_guild("Elsewhere", bot=False)
    room = town.world.add_channel(elsewhere, "room")
    town.world.add_member(elsewhere, town.member)
    person = town.discord.person(town.member, elsewhere, room)
    with pytest.raises(NotOffered, match="not installed"):
        await person.command("latest")
    town.member.has_app = True
    assert (await person.command("latest")).text == f"{elsewhere.id} False True True"


async def test_menus_of_messages_and_users(town: Town, join: Join) -> None:
    async def setup(bot: Bot) -> None:
        @bot.tree.context_menu(name="Analyse link")
        async def analyse(interaction: discord.Interaction, message: discord.Message) -> None:
            await interaction.response.send_message(f"{message.author.name}: {message.content}")

        @bot.tree.context_menu(name="Who")
        async def who(interaction: discord.Interaction, user: discord.Member) -> None:
            await interaction.response.send_message(user.name)

    await join(setup)
    said = await town.person(town.member).say("https://example.org/story")
    assert (await town.person().menu("Analyse link", said)).text == "member: https://example.org/story"
    assert (await town.person().menu("Who", town.member.id)).text == "member"


async def test_an_answer_that_is_late_or_missing_is_no_answer(town: Town, join: Join) -> None:
    town.discord.settings.answer_seconds = 0.3

    async def setup(bot: Bot) -> None:
        @bot.tree.command(name="slow", description="Too slow")
        async def slow(interaction: discord.Interaction) -> None:
            await asyncio.sleep(0.5)
            await interaction.response.send_message("late")

    bot = await join(setup)
    answer = await town.person().command("slow")
    assert (answer.kind, answer.seconds) == ("none", math.inf)
    await town.discord.wait_for(lambda discord_: bot.failures)
    original = bot.failures[0].__cause__ or bot.failures[0]
    assert isinstance(original, discord.NotFound)
    assert original.code == 10062


async def test_a_second_first_answer_is_refused(town: Town, join: Join) -> None:
    async def setup(bot: Bot) -> None:
        @bot.tree.command(name="twice", description="Answers twice")
        async def twice(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("once")
            interaction.response._response_type = None  # the library would refuse by itself
            await interaction.response.send_message("twice")

    bot = await join(setup)
    answer = await town.person().command("twice")
    assert answer.text == "once"
    await town.discord.wait_for(lambda discord_: bot.failures)
    original = bot.failures[0].__cause__
    assert isinstance(original, discord.HTTPException)
    assert original.code == 40060


async def test_deferred_follow_ups_edits_and_deletion(town: Town, join: Join) -> None:
    async def setup(bot: Bot) -> None:
        @bot.tree.command(name="work", description="Works")
        async def work(interaction: discord.Interaction) -> None:
            await interaction.response.defer(thinking=True, ephemeral=True)
            await interaction.edit_original_response(content="half")
            await interaction.edit_original_response(content="done")
            more = await interaction.followup.send("more", wait=True)
            await more.edit(content="more, edited")
            gone = await interaction.followup.send("gone", wait=True, ephemeral=True)
            await gone.delete()

    await join(setup)
    answer = await town.person().command("work")
    await town.discord.wait_for(lambda discord_: len(answer.messages) == 3 and answer.messages[2].deleted)
    assert (answer.deferred, answer.ephemeral, answer.pending) == (True, True, False)
    assert [each["content"] for each in answer.messages[0].history] == ["", "half", "done"]
    assert answer.text == "done\nmore, edited"
    assert [each.text for each in town.discord.messages(town.channel.id)] == ["more, edited"]


async def test_syncing_keeps_ids_and_gives_back_what_was_registered(town: Town, join: Join) -> None:
    bot = await join(add_alerts)
    before = await bot.tree.fetch_commands()
    await bot.tree.sync()
    after = await bot.tree.fetch_commands()
    assert [each.id for each in before] == [each.id for each in after]
    assert after[0].default_member_permissions == discord.Permissions(manage_guild=True)
    assert [each.name for each in after[0].options] == ["add"]
    bot.tree.copy_global_to(guild=discord.Object(town.guild.id))
    await bot.tree.sync(guild=discord.Object(town.guild.id))
    own = await bot.tree.fetch_commands(guild=discord.Object(town.guild.id))
    assert own[0].guild_id == town.guild.id
    await after[0].delete()
    assert town.discord.commands == []


async def test_a_bad_command_is_refused_with_its_field(town: Town, join: Join) -> None:
    bot = await join()
    options = [
        {"type": 3, "name": "a", "description": "x"},
        {"type": 3, "name": "Bad", "description": "x" * 101},
        {"type": 3, "name": "c", "description": "x", "required": True},
    ]
    with pytest.raises(discord.HTTPException) as raised:
        await bot.http.upsert_global_command(
            town.world.application.id, {"name": "ok", "description": "x", "type": 1, "options": options}
        )
    assert raised.value.code == 50035
    for part in ("options.1.name", "options.1.description", "Required options must be placed before"):
        assert part in str(raised.value)
    if OPENAPI:  # the description finds the long text too
        assert [each.pointer for each in town.discord.violations] == ["/options/1/description"]
    town.discord.violations.clear()


async def test_more_commands_than_discord_takes(town: Town, join: Join) -> None:
    bot = await join()
    many = [{"name": f"c{number}", "description": "x", "type": 1} for number in range(101)]
    with pytest.raises(discord.HTTPException) as raised:
        await bot.http.bulk_upsert_global_commands(town.world.application.id, many)  # type: ignore[arg-type]
    assert raised.value.code in (30032, 50035)
    town.discord.violations.clear()


async def test_a_token_ends_and_serves_nobody_else(town: Town, join: Join) -> None:
    tokens: list[discord.Interaction] = []

    async def setup(bot: Bot) -> None:
        @bot.tree.command(name="keep", description="Keeps the token")
        async def keep(interaction: discord.Interaction) -> None:
            tokens.append(interaction)
            with pytest.raises(discord.NotFound) as raised:  # nothing follows before the first answer
                await interaction.followup.send("too early")
            assert raised.value.code == 10015
            await interaction.response.send_message("first")

    await join(setup)
    assert (await town.person().command("keep")).text == "first"
    await tokens[0].followup.send("in time")
    town.discord.settings.token_seconds = 0.0
    with pytest.raises(discord.HTTPException) as ended:
        await tokens[0].followup.send("too late")
    assert (ended.value.status, ended.value.code) == (401, 50027)
    assert [each.text for each in town.discord.messages(town.channel.id)] == ["first", "in time"]


async def test_only_200_commands_are_created_a_day(town: Town, join: Join) -> None:
    town.discord.settings.command_creates_per_day = 1
    bot = await join(add_alerts)
    await bot.tree.sync()  # what is registered already is no creation
    bot.tree.clear_commands(guild=None)
    await add_echo(bot)
    with pytest.raises(discord.HTTPException) as raised:
        await bot.tree.sync()
    assert raised.value.code == 30034
