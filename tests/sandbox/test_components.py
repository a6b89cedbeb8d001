"""Buttons, selects, forms and Components V2, with the real client."""

from __future__ import annotations

import io

import discord
import pytest
from discord import ui

from bot.sandbox import NotOffered, Upload
from tests.sandbox.town import Bot, Join, Town

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


class Follow(ui.DynamicItem[ui.Button[ui.LayoutView]], template=r"quash:case:follow:(?P<id>\d+)"):
    def __init__(self, number: int) -> None:
        super().__init__(ui.Button(label="Follow case", custom_id=f"quash:case:follow:{number}"))
        self.number = number

    @classmethod
    async def from_custom_id(cls, interaction: discord.Interaction, item: ui.Item, match) -> Follow:  # type: ignore
        return cls(int(match["id"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"following {self.number}", ephemeral=True)


def card(number: int, text: str = "A demand") -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    box = ui.Container(accent_colour=0x336699)
    box.add_item(ui.Section(ui.TextDisplay(f"**{text}**"), accessory=ui.Thumbnail("attachment://chart.png")))
    box.add_item(ui.Separator())
    box.add_item(ui.MediaGallery(discord.MediaGalleryItem("attachment://chart.png", description="A chart")))
    box.add_item(ui.File("attachment://data.csv"))
    box.add_item(ui.ActionRow(Follow(number), ui.Button(label="Source", url="https://example.org/")))
    view.add_item(box)
    return view


def files() -> list[discord.File]:
    return [
        discord.File(io.BytesIO(PNG), "chart.png", description="Demands by month"),
        discord.File(io.BytesIO(b"a,b\n"), "data.csv"),
    ]


async def test_a_card_with_files_is_kept_whole_and_its_button_survives_a_restart(
    town: Town, join: Join
) -> None:
    first = await join()
    channel = first.get_channel(town.channel.id)
    assert isinstance(channel, discord.TextChannel)
    sent = await channel.send(view=card(42), files=files())
    assert sent.flags.components_v2
    assert [each.description for each in sent.attachments] == ["Demands by month", None]
    assert await sent.attachments[0].read() == PNG
    stored = town.discord.messages(town.channel.id)[0]
    assert stored.text == "**A demand**"
    gallery = sent.components[0].children[2]  # type: ignore[union-attr]
    assert gallery.items[0].media.url == sent.attachments[0].url
    await first.close()

    async def setup(bot: Bot) -> None:
        bot.add_dynamic_items(Follow)

    await join(setup)
    answer = await town.person(town.member).click(stored, "Follow case")
    assert (answer.text, answer.ephemeral) == ("following 42", True)
    assert (await town.person().click(stored, "quash:case:follow:42")).text == "following 42"
    with pytest.raises(NotOffered, match=r"link to https://example\.org/"):
        await town.person().click(stored, "Source")
    with pytest.raises(NotOffered, match="no 'Nothing'"):
        await town.person().click(stored, "Nothing")


async def test_editing_a_card_keeps_its_flag_and_files(town: Town, join: Join) -> None:
    bot = await join()
    channel = bot.get_channel(town.channel.id)
    sent = await channel.send(view=card(1), files=files())  # type: ignore[union-attr]
    edited = await sent.edit(view=card(1, "Withdrawn"))
    assert edited.flags.components_v2
    assert len(edited.attachments) == 2
    assert edited.edited_at is not None
    with pytest.raises(discord.HTTPException, match="IS_COMPONENTS_V2"):
        await bot.http.request(
            discord.http.Route("PATCH", f"/channels/{town.channel.id}/messages/{sent.id}"),
            json={"content": "plain"},
        )
    assert town.discord.messages(town.channel.id)[0].text == "**Withdrawn**"


async def test_buttons_that_update_defer_and_disable(town: Town, join: Join) -> None:
    class Panel(ui.View):
        @ui.button(label="Next", custom_id="next")
        async def next(self, interaction: discord.Interaction, button: ui.Button[ui.View]) -> None:
            await interaction.response.edit_message(content="page 2")

        @ui.button(label="Later", custom_id="later")
        async def later(self, interaction: discord.Interaction, button: ui.Button[ui.View]) -> None:
            await interaction.response.defer()
            await interaction.edit_original_response(content="page 3")

        @ui.button(label="Never", custom_id="never", disabled=True)
        async def never(self, interaction: discord.Interaction, button: ui.Button[ui.View]) -> None: ...

    async def setup(bot: Bot) -> None:
        @bot.tree.command(name="panel", description="Opens a panel")
        async def panel(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("page 1", view=Panel(), ephemeral=True)

    await join(setup)
    opened = await town.person().command("panel")
    answer = await town.person().click(opened.message, "Next")
    assert (answer.kind, answer.text, opened.text) == ("update", "page 2", "page 2")
    answer = await town.person().click(opened.message, "Later")
    assert (answer.kind, answer.text) == ("deferred_update", "page 3")
    with pytest.raises(NotOffered, match="disabled"):
        await town.person().click(opened.message, "Never")
    with pytest.raises(NotOffered, match="only another person"):
        await town.person(town.member).click(opened.message, "Next")


async def test_selects_of_every_kind(town: Town, join: Join) -> None:
    chosen: list[str] = []

    class Panel(ui.View):
        @ui.select(
            placeholder="Topics",
            max_values=2,
            options=[discord.SelectOption(label=x, value=x.lower()) for x in "ABC"],
        )
        async def topics(self, interaction: discord.Interaction, select: ui.Select[ui.View]) -> None:
            await self.note(interaction, select.values)

        @ui.select(cls=ui.ChannelSelect, placeholder="Channel", channel_types=[discord.ChannelType.text])
        async def channel(self, interaction: discord.Interaction, select: ui.ChannelSelect[ui.View]) -> None:
            await self.note(interaction, [each.name for each in select.values])

        @ui.select(cls=ui.RoleSelect, placeholder="Role")
        async def role(self, interaction: discord.Interaction, select: ui.RoleSelect[ui.View]) -> None:
            await self.note(interaction, [each.name for each in select.values])

        @ui.select(cls=ui.UserSelect, placeholder="User")
        async def user(self, interaction: discord.Interaction, select: ui.UserSelect[ui.View]) -> None:
            await self.note(interaction, [each.name for each in select.values])

        @ui.select(cls=ui.MentionableSelect, placeholder="Anyone", max_values=2)
        async def anyone(
            self, interaction: discord.Interaction, select: ui.MentionableSelect[ui.View]
        ) -> None:
            await self.note(interaction, [each.name for each in select.values])

        async def note(self, interaction: discord.Interaction, values: list[str]) -> None:
            chosen.extend(values)
            await interaction.response.defer()

    async def setup(bot: Bot) -> None:
        @bot.tree.command(name="panel", description="Opens a panel")
        async def panel(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("choose", view=Panel())

    await join(setup)
    person = town.person()
    message = (await person.command("panel")).message
    forum = town.world.add_channel(town.guild, "ideas", "forum")
    person.patience = 0.05
    await person.select(message, "Topics", "A", "c")
    await person.select(message, "Channel", town.channel)
    await person.select(message, "Role", town.mods.id)
    await person.select(message, "User", town.member)
    await person.select(message, "Anyone", town.mods, town.member)
    assert chosen[:5] == ["a", "c", "alerts", "moderators", "member"]
    assert sorted(chosen[5:]) == ["member", "moderators"]
    for values, why in [(("A", "B", "C"), "1 to 2 values"), (("Z",), "none of the options")]:
        with pytest.raises(NotOffered, match=why):
            await person.select(message, "Topics", *values)
    with pytest.raises(NotOffered, match="of type 15"):
        await person.select(message, "Channel", forum)


async def test_forms_with_every_field(town: Town, join: Join) -> None:
    class Form(ui.Modal, title="A rule"):
        name = ui.Label(text="Name", component=ui.TextInput(max_length=10, custom_id="name"))
        topic = ui.Label(
            text="Topic",
            component=ui.Select(
                custom_id="topic", options=[discord.SelectOption(label="Leaks", value="leaks", default=True)]
            ),
        )
        place = ui.Label(text="Place", component=ui.ChannelSelect(custom_id="place"))
        file = ui.Label(text="File", component=ui.FileUpload(custom_id="file", required=False))
        kind = ui.Label(
            text="Kind",
            component=ui.RadioGroup(
                custom_id="kind", options=[discord.RadioGroupOption(label=x, value=x) for x in "XY"]
            ),
        )

        async def on_submit(self, interaction: discord.Interaction) -> None:
            file = self.file.component.values[0]  # type: ignore[attr-defined]
            parts = [
                self.name.component.value,  # type: ignore[attr-defined]
                self.topic.component.values[0],  # type: ignore[attr-defined]
                self.place.component.values[0].name,  # type: ignore[attr-defined]
                (await file.read()).decode(),
                self.kind.component.value,  # type: ignore[attr-defined]
            ]
            await interaction.response.send_message(" ".join(parts))

    async def setup(bot: Bot) -> None:
        @bot.tree.command(name="form", description="Opens a form")
        async def form(interaction: discord.Interaction) -> None:
            await interaction.response.send_modal(Form())

    await join(setup)
    person = town.person()
    opened = await person.command("form")
    assert opened.kind == "modal"
    with pytest.raises(NotOffered, match="Name must be filled in"):
        await person.submit(opened, {"Place": town.channel, "Kind": "X"})
    with pytest.raises(NotOffered, match="11 characters"):
        await person.submit(opened, {"Name": "x" * 11, "Place": town.channel, "Kind": "X"})
    with pytest.raises(NotOffered, match="no field Other"):
        await person.submit(opened, {"Name": "x", "Place": town.channel, "Kind": "X", "Other": 1})
    values = {"Name": "mine", "place": town.channel, "File": Upload("a.opml", b"<opml/>"), "Kind": "Y"}
    assert (await person.submit(opened, values)).text == "mine leaks alerts <opml/> Y"


def text(content: str) -> dict[str, object]:
    return {"type": 10, "content": content}


def select(**more: object) -> dict[str, object]:
    """A select with one option, for more or fewer values than fit."""
    options = {"options": [{"label": "a", "value": "a"}]} if more.get("type", 3) == 3 else {}
    return {"type": 1, "components": [{"type": 3, "custom_id": "s"} | options | more]}


def button(**more: object) -> dict[str, object]:
    return {"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "x"} | more]}


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"content": "x" * 2001}, "content", "BASE_TYPE_MAX_LENGTH"),
        ({"flags": 1 << 15, "components": [text("x" * 2000), text("y" * 2001)]}, "components", "TEXT_SIZE"),
        ({"flags": 1 << 15, "components": [text("x")] * 41}, "components", "MAX_TOTAL_COMPONENTS"),
        ({"flags": 1 << 15, "content": "x", "components": [text("x")]}, "content", "LEGACY_FIELDS"),
        ({"flags": 1 << 15, "components": [text(" \n")]}, "components.0.content", "BASE_TYPE_BAD_LENGTH"),
        ({"content": "x", "components": [text("x")]}, "components.0.type", "BASE_TYPE_CHOICES"),
        (
            {"content": "x", "components": [button(label="l" * 81)]},
            "components.0.components.0.label",
            "MAX_LENGTH",
        ),
        (
            {"content": "x", "components": [button(custom_id="c" * 101)]},
            "components.0.components.0.custom_id",
            "LENGTH",
        ),
        (
            {"content": "x", "components": [button(), button()]},
            "components.custom_id",
            "CUSTOM_ID_DUPLICATED",
        ),
        (
            {"content": "x", "components": [button(custom_id=str(n)) for n in range(6)]},
            "components",
            "BAD_LENGTH",
        ),
        (
            {"content": "x", "components": [{"type": 1, "components": []}]},
            "components.0.components",
            "BAD_LENGTH",
        ),
        (
            {"content": "x", "components": [select(max_values=2)]},
            "components.0.components.0.options",
            "Must be between 2 and 25",
        ),
        (
            {"content": "x", "components": [select(type=6, min_values=2)]},
            "components.0.components.0.max_values",
            "NUMBER_TYPE_MIN",
        ),
        (
            {
                "content": "x",
                "components": [select(type=6, default_values=[{"id": "1", "type": "role"}] * 2)],
            },
            "components.0.components.0.default_values",
            "Must be between 1 and 1",
        ),
        ({"embeds": [{"title": "x" * 257}]}, "embeds.0.title", "BASE_TYPE_MAX_LENGTH"),
        ({"embeds": [{"description": "x" * 4000}] * 2}, "embeds", "MAX_EMBED_SIZE_EXCEEDED"),
        ({"content": "x", "nonce": "n" * 26}, "nonce", "BASE_TYPE_MAX_LENGTH"),
        (
            {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
            "allowed_mentions",
            "MUTUALLY|EXCLUSIVE",
        ),
    ],
)
async def test_the_hard_limits_answer_50035_at_the_field(
    town: Town, join: Join, body: dict[str, object], field: str, code: str
) -> None:
    bot = await join()
    with pytest.raises(discord.HTTPException) as raised:
        await bot.http.request(discord.http.Route("POST", f"/channels/{town.channel.id}/messages"), json=body)
    assert (raised.value.status, raised.value.code) == (400, 50035)
    errors = raised.value._errors
    place: object = errors
    for step in field.split("."):
        assert isinstance(place, dict)
        assert step in place, errors
        place = place[step]
    assert isinstance(place, dict)
    assert any(part in str(place["_errors"]) for part in code.split("|"))
    assert town.discord.messages(town.channel.id) == []
    town.discord.violations.clear()


async def test_a_picture_that_was_not_attached_is_refused(town: Town, join: Join) -> None:
    bot = await join()
    with pytest.raises(discord.HTTPException, match="referenced attachment was not found"):
        await bot.get_channel(town.channel.id).send(view=card(1))  # type: ignore[union-attr]
    assert town.discord.messages(town.channel.id) == []
