"""The program's end of a socket to a parser process: what comes is read where it lies, without a copy."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from bot.feeds.wire import LENGTH, value_of

_LARGEST_FRAME: Final = 64 * 1024 * 1024
_ROOM: Final = 256 * 1024  # bytes: most answers whole


class Conversation(asyncio.BufferedProtocol):
    """Takes frames (`bot.feeds.wire`) one after the other: `await conversation.frame()`."""

    def __init__(self) -> None:
        self._room = bytearray(_ROOM)
        self._filled = 0
        self._wanted = LENGTH.size  # bytes that make the next step possible
        self._came: asyncio.Future[None] | None = None
        self._over = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is needed to hold the other end up."""
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Give the room that is left."""
        return memoryview(self._room)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Wake who waits; a full room takes no more until something was taken out."""
        self._filled += nbytes
        if self._transport is not None and self._filled == len(self._room):
            self._transport.pause_reading()
        if self._filled >= self._wanted:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let nobody wait for what will not come."""
        self._over = True
        self._wake()

    def _wake(self) -> None:
        if self._came is not None and not self._came.done():
            self._came.set_result(None)

    async def frame(self) -> Any:
        """Give the next value. Raises `EOFError` when the other end is gone or sends nonsense."""
        await self._have(LENGTH.size)
        (length,) = LENGTH.unpack_from(self._room)
        if length > _LARGEST_FRAME:
            raise EOFError
        end = LENGTH.size + length
        await self._have(end)
        value = value_of(memoryview(self._room)[LENGTH.size : end])
        self._make_room(self._room[end : self._filled], _ROOM)
        return value

    async def _have(self, size: int) -> None:
        """Wait until so many bytes are there, in a larger room where it takes one."""
        if size > len(self._room):
            self._make_room(self._room[: self._filled], size)
        while self._filled < size:
            if self._over:
                raise EOFError
            self._wanted = size
            self._came = asyncio.get_running_loop().create_future()
            await self._came

    def _make_room(self, kept: bytearray, size: int) -> None:
        """Have room for so many bytes, begun with what is kept, and let more come."""
        if len(self._room) != max(size, len(kept)):
            self._room = bytearray(max(size, len(kept)))
        self._filled = len(kept)
        self._room[: self._filled] = kept
        if self._transport is not None and not self._over:
            self._transport.resume_reading()
