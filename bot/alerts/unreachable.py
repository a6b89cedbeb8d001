"""Members who take no direct messages: what they subscribed to rests, and they are told so once, at their
next command (Discord's error 50007, https://discord.com/developers/docs/topics/opcodes-and-status-codes)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import told
from db import subscriptions
from db.engine import Database

# Why a subscription rests, before and after the member was told. It is shown in their list either way.
CLOSED = told("Your direct messages are closed to me.")
CLOSED_AND_TOLD = told("Your direct messages were closed to me.")


async def rest(session: AsyncSession, user_id: int) -> None:
    """Let all subscriptions of a member rest, as nothing can be sent to them."""
    await subscriptions.pause_subscriptions(session, user_id, CLOSED)


async def is_to_be_told(database: Database, user_id: int) -> bool:
    """Tell whether a member's subscriptions rest without their knowing; asked again, the answer is no."""
    async with database.read() as session:
        if not await subscriptions.is_paused_for(session, user_id, CLOSED):
            return False
    async with database.write() as session:
        return await subscriptions.change_reason(session, user_id, CLOSED, CLOSED_AND_TOLD) > 0
