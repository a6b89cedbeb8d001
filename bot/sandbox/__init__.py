"""A Discord of one's own on loopback, for `quash demo` and for the tests.

    async with StandIn(token="...", openapi=path_or_none, enforce_limits=False, port=0) as discord:
        guild = discord.world.add_guild("Digital Rights", bot_permissions=("view_channel", "send_messages"))
        channel = discord.world.add_channel(guild, "alerts")  # or "text", "announcement", "forum"
        mod = discord.world.add_user("mod")
        role = discord.world.add_role(guild, "moderators", ("manage_guild",))
        discord.world.add_member(guild, mod, role)
        discord.world.set_overwrite(channel, role_or_user, allow=(), deny=("send_messages",))
        ...start the bot with DISCORD_API_URL=discord.api_url and DISCORD_TOKEN=discord.token...
        await discord.wait_ready()                                      # the bot is on the gateway
        person = discord.person(mod.id, guild.id, channel.id)           # without guild and channel: in the DM
        answer = await person.command("alerts add", channel=channel, topics="surveillance")
        answer.seconds, answer.kind, answer.ephemeral, answer.text, answer.messages, answer.modal
        choices = await person.autocomplete("alerts add", "topics", "sur", channel=channel)
        answer = await person.click(message, "Evidence")                # custom id or label
        answer = await person.select(message, "placeholder or custom id", "label or value", ...)
        answer = await person.submit(answer, {"Label or custom id": "text"})
        answer = await person.menu("Why this alert?", message)
        message = await person.say("https://example.org/story")
        await discord.wait_for(lambda d: d.messages(channel.id), timeout=10)
        discord.messages(channel.id); discord.direct_messages(mod.id)   # .text, .components, ...
        discord.requests; discord.violations; discord.commands; discord.settings
        discord.faults.add(Fault("drop", when="after", method="POST", path="/channels/*/messages", times=1))
        discord.gateway.ask_reconnect(); discord.gateway.invalidate(); discord.gateway.abort()
        await discord.gateway.drop()
        discord.world.leave(guild); discord.world.set_unavailable(guild, True)
        discord.world.listeners.append(callback)                        # every Event (MESSAGE_CREATE, ...)

What Discord's own client would not let a person do raises `NotOffered`. Everything can be steered from
another process too: `python -m bot.sandbox` starts a stand-in alone, `bot.sandbox.discord.control` is its
control API below `/control/`.

This package shares no code with the bot: it would otherwise agree with the bot's mistakes.
"""

from bot.sandbox.discord.faults import Fault
from bot.sandbox.discord.interactions import Answer, Choice
from bot.sandbox.discord.messages import Upload
from bot.sandbox.discord.model import Channel, Guild, Member, Message, Role, User
from bot.sandbox.discord.options import NotOffered
from bot.sandbox.discord.people import Person
from bot.sandbox.discord.server import StandIn

__all__ = [
    "Answer",
    "Channel",
    "Choice",
    "Fault",
    "Guild",
    "Member",
    "Message",
    "NotOffered",
    "Person",
    "Role",
    "StandIn",
    "Upload",
    "User",
]
