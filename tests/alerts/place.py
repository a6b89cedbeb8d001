"""A server with a channel and a member, on Discord and in the database."""

from __future__ import annotations

from bot.sandbox import Channel, Guild, Message, StandIn, User
from db.tables import DeliveryRow
from tests.alerts.house import House


class Place:
    """A server with a channel and a member, on Discord and in the database."""

    def __init__(self, standin: StandIn, house: House, guild: Guild, feed: int) -> None:
        self.standin, self.house, self.guild, self.feed = standin, house, guild, feed
        self.channel: Channel = standin.world.add_channel(guild, "alerts")
        self.member: User = standin.world.add_user("member")
        standin.world.add_member(guild, self.member)

    @property
    def posted(self) -> list[Message]:
        return self.standin.messages(self.channel.id)

    @property
    def direct(self) -> list[Message]:
        return self.standin.direct_messages(self.member.id)

    def sends(self, channel: Channel | None = None) -> int:
        path = f"/channels/{(channel or self.channel).id}/messages"
        return sum(r.method == "POST" and r.path == path for r in self.standin.requests)

    def edits(self) -> int:
        return sum(r.method == "PATCH" for r in self.standin.requests)

    async def row(self) -> DeliveryRow:
        (row,) = await self.house.deliveries()
        return row


def text_of(message: Message) -> str:
    """Give all text of a message's components."""

    def walk(components: list[dict[str, object]]) -> list[str]:
        found: list[str] = []
        for component in components:
            found += [str(component["content"])] if "content" in component else []
            found += walk(component.get("components", []))  # type: ignore[arg-type]  # Discord's JSON
        return found

    return "\n".join(walk(message.components))
