"""Stories as their posts would look, for previews and examples: cards that mention nobody."""

from __future__ import annotations

from bot.alerts.cards import Card, card_from
from bot.words import LANGUAGES
from db import guilds
from db.cards import CardShelf
from db.engine import Database
from db.lookups import Viewer


async def language_of(database: Database, guild_id: int) -> str:
    """Give the language that a server's posts are in."""
    async with database.read() as session:
        return (await guilds.get_languages(session, [guild_id])).get(guild_id, LANGUAGES[0])


async def card_of(database: Database, story_id: int, guild_id: int, style: str) -> Card | None:
    """Give a story's card as a server would see it, None where the story is gone."""
    async with database.read() as session:
        material = await CardShelf(session).get(story_id, Viewer(guild_id=guild_id))
        return None if material is None else card_from(material, style=style)
