"""The gateway: websockets, sessions, and what each session is told.

Source: https://docs.discord.com/developers/events/gateway
"""

from __future__ import annotations

import asyncio
import json
import math
import secrets
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from bot.sandbox.discord import payloads
from bot.sandbox.discord.errors import Json
from bot.sandbox.discord.model import MESSAGE_CONTENT, Event
from bot.sandbox.discord.state import State

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE_STATE, RESUME, RECONNECT = 0, 1, 2, 3, 4, 6, 7
REQUEST_MEMBERS, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 8, 9, 10, 11

UNKNOWN_OPCODE, DECODE_ERROR, NOT_AUTHENTICATED, AUTHENTICATION_FAILED, ALREADY_AUTHENTICATED = range(
    4001, 4006
)
INVALID_SEQ, RATE_LIMITED, SESSION_TIMED_OUT, INVALID_SHARD, SHARDING_REQUIRED = 4007, 4008, 4009, 4010, 4011
INVALID_INTENTS, DISALLOWED_INTENTS = 4013, 4014

ALL_INTENTS = (1 << 26) - 1
MAX_GUILDS_A_SHARD = 2500
SENDS_A_MINUTE = 120
SECONDS_BETWEEN_STARTS = 5.0
REPLAY = 2000
_ZSTD_HEAD = b"\x28\xb5\x2f\xfd\x00\x38"  # magic number, no content size, window of 128 KiB
_ZSTD_BLOCK = 1 << 17


class Encoder:
    """Writes payloads in the transport compression that a client asked for.

    `zlib-stream` compresses. `zstd-stream` sends a valid Zstandard stream of raw blocks (RFC 8878, 3.1.1.2):
    the client decodes as it would in earnest, without a compressor being needed here.
    """

    def __init__(self, kind: str) -> None:
        self._deflate = zlib.compressobj() if kind == "zlib-stream" else None
        self._zstd = kind == "zstd-stream"
        self._begun = False

    def encode(self, text: str) -> str | bytes:
        """Give one payload as a text or binary frame."""
        if self._deflate is not None:
            return self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        if not self._zstd:
            return text
        data = text.encode()
        out = b"" if self._begun else _ZSTD_HEAD
        self._begun = True
        for start in range(0, len(data), _ZSTD_BLOCK):
            block = data[start : start + _ZSTD_BLOCK]
            out += (len(block) << 3).to_bytes(3, "little") + block
        return out


@dataclass(slots=True, eq=False)
class Connection:
    """One websocket; `session` once it identified or resumed."""

    socket: web.WebSocketResponse
    transport: asyncio.BaseTransport | None
    encoder: Encoder
    outgoing: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    session: Session | None = None
    dropped: bool = False
    sends: deque[float] = field(default_factory=lambda: deque(maxlen=SENDS_A_MINUTE))

    def send(self, payload: Json) -> None:
        """Put a payload into the queue."""
        self.outgoing.put_nowait(_text(payload))


@dataclass(slots=True, eq=False)
class Session:
    """What one shard of the bot is told, kept for a while when its connection breaks."""

    id: str
    intents: int
    shard: tuple[int, int]
    connection: Connection | None = None
    seq: int = 0
    sent: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=REPLAY))
    left_at: float | None = None

    def dispatch(self, name: str, data: Json) -> None:
        """Tell an event, now or at the next resume."""
        self.seq += 1
        text = _text({"op": DISPATCH, "t": name, "s": self.seq, "d": data})
        self.sent.append((self.seq, text))
        if self.connection is not None:
            self.connection.outgoing.put_nowait(text)

    def sees(self, guild_id: int | None) -> bool:
        """Say whether this shard is the one for a guild; DMs go to shard 0."""
        return ((guild_id or 0) >> 22) % self.shard[1] == self.shard[0]


def _text(payload: Json) -> str:
    return json.dumps(payload, separators=(",", ":"))


class _Close(Exception):  # noqa: N818 - an end, not always an error
    """Ends a connection with one of the gateway's close codes."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Gateway:
    """Serves the websockets of one stand-in and tells its sessions what happens in the world.

    `log` holds the ops that clients sent (`("identify", session id)`, ...), for tests to read.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.sessions: dict[str, Session] = {}
        self.connections: set[Connection] = set()
        self.log: list[tuple[str, str]] = []
        self.refusing = False
        self._last_start: dict[int, float] = {}
        state.world.listeners.append(self.tell)

    @property
    def connected(self) -> list[Session]:
        """The sessions with a live connection."""
        return [each for each in self.sessions.values() if each.connection is not None]

    # What a test may do to it.

    async def drop(self, code: int = 1001) -> None:
        """Close every connection; the sessions can be resumed."""
        for connection in list(self.connections):
            connection.dropped = True
            await connection.socket.close(code=code)

    def abort(self) -> None:
        """Break every connection without a close frame, as a failing network does."""
        for connection in list(self.connections):
            if isinstance(connection.transport, asyncio.Transport):
                connection.transport.abort()

    def ask_reconnect(self) -> None:
        """Ask every client to reconnect and resume (op 7)."""
        for connection in self.connections:
            connection.send({"op": RECONNECT, "d": None})

    def invalidate(self, *, resumable: bool = False) -> None:
        """Tell every client that its session is invalid (op 9); unless `resumable`, forget the sessions."""
        for connection in self.connections:
            connection.send({"op": INVALID_SESSION, "d": resumable})
        if not resumable:
            self.sessions.clear()

    # Telling.

    def tell(self, event: Event) -> None:
        """Pass an event on to the sessions that may know of it."""
        for session in list(self.sessions.values()):
            if session.sees(event.guild_id) and self._may_know(session, event):
                session.dispatch(event.name, self._data(session, event))
        self._state.changes.notify()

    def _may_know(self, session: Session, event: Event) -> bool:
        world = self._state.world
        if event.intents and not session.intents & event.intents:
            return False
        if event.guild_id is not None and event.name != "GUILD_DELETE":
            guild = world.guilds.get(event.guild_id)
            if guild is None or world.bot_id not in guild.members:
                return False
        if event.channel_id is None or event.channel_id not in world.channels:
            return True
        return bool(world.permissions_in(world.channels[event.channel_id], world.bot_id))

    def _data(self, session: Session, event: Event) -> Json:
        world = self._state.world
        if event.name == "GUILD_CREATE" and event.guild_id is not None:
            return payloads.guild_create_json(world, world.guilds[event.guild_id], session.intents)
        if event.author_id is not None and "content" in event.data:
            allowed = bool(session.intents & MESSAGE_CONTENT)
            return payloads.hide_content(world, event.data, event.author_id, allowed=allowed)
        return event.data

    # Serving.

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one websocket from HELLO to its end."""
        if self.refusing:
            return web.Response(status=503, text="upstream connect error")
        socket = web.WebSocketResponse(max_msg_size=64 * 1024, compress=False)
        await socket.prepare(request)
        connection = Connection(socket, request.transport, Encoder(request.query.get("compress", "")))
        self.connections.add(connection)
        writer = asyncio.create_task(self._write(connection))
        interval = int(self._state.settings.heartbeat_seconds * 1000)
        connection.send({"op": HELLO, "d": {"heartbeat_interval": interval, "_trace": []}})
        try:
            await self._read(connection)
        except _Close as close:
            await socket.close(code=close.code, message=str(close).encode())
        finally:
            self.connections.discard(connection)
            writer.cancel()
            session = connection.session
            if session is not None and session.connection is connection:
                session.connection = None
                session.left_at = self._state.world.now()
                if socket.close_code in (1000, 1001) and not connection.dropped:
                    # A client that leaves of its own will ends its session.
                    self.sessions.pop(session.id, None)
            self._state.changes.notify()
        return socket

    async def _write(self, connection: Connection) -> None:
        while True:
            text = await connection.outgoing.get()
            frame = connection.encoder.encode(text)
            try:
                if isinstance(frame, bytes):
                    await connection.socket.send_bytes(frame)
                else:
                    await connection.socket.send_str(frame)
            except ConnectionError:
                return

    async def _read(self, connection: Connection) -> None:
        patience = self._state.settings.heartbeat_seconds * 1.5
        while True:
            try:
                message = await connection.socket.receive(timeout=patience)
            except TimeoutError:
                raise _Close(SESSION_TIMED_OUT, "Session timed out.") from None
            if message.type is not WSMsgType.TEXT:
                return
            self._limit_sends(connection)
            try:
                payload = json.loads(message.data)
                op, data = payload["op"], payload.get("d")
            except (ValueError, KeyError, TypeError):
                raise _Close(DECODE_ERROR, "Error while decoding payload.") from None
            self._take(connection, op, data)

    def _limit_sends(self, connection: Connection) -> None:
        now = asyncio.get_running_loop().time()
        if len(connection.sends) == SENDS_A_MINUTE and connection.sends[0] > now - 60:
            raise _Close(RATE_LIMITED, "You are sending too many payloads.")
        connection.sends.append(now)

    def _take(self, connection: Connection, op: int, data: object) -> None:
        if op == HEARTBEAT:
            connection.send({"op": HEARTBEAT_ACK, "d": None})
            return
        known: dict[int, Callable[[Connection, Json], None]] = {
            IDENTIFY: self._identify,
            RESUME: self._resume,
            PRESENCE: self._ignore,
            VOICE_STATE: self._ignore,
            REQUEST_MEMBERS: self._request_members,
        }
        if op not in known:
            raise _Close(UNKNOWN_OPCODE, "Unknown opcode.")
        if not isinstance(data, dict):
            raise _Close(DECODE_ERROR, "Error while decoding payload.")
        known[op](connection, data)

    def _identify(self, connection: Connection, data: Json) -> None:
        state = self._state
        if connection.session is not None:
            raise _Close(ALREADY_AUTHENTICATED, "Already authenticated.")
        shard_id, shards = data.get("shard") or (0, 1)
        self._check_identify(data, shard_id, shards)
        now = state.world.now()
        if state.settings.enforce_limits and not self._may_start(now, shard_id):
            # Discord would also reset the token at the end of the daily budget.
            connection.send({"op": INVALID_SESSION, "d": False})
            return
        state.starts.used.append(now)
        # A shard that identifies anew takes the place of its former session.
        for old in [each for each in self.sessions.values() if each.shard == (shard_id, shards)]:
            if old.connection is None:
                del self.sessions[old.id]
        session = Session(secrets.token_hex(16), data["intents"], (shard_id, shards), connection)
        self.sessions[session.id] = connection.session = session
        self.log.append(("identify", session.id))
        session.dispatch("READY", self._ready(session))
        for guild in list(state.world.guilds.values()):
            if session.sees(guild.id) and state.world.bot_id in guild.members and not guild.unavailable:
                session.dispatch(
                    "GUILD_CREATE", payloads.guild_create_json(state.world, guild, session.intents)
                )
        state.changes.notify()

    def _check_identify(self, data: Json, shard_id: int, shards: int) -> None:
        world = self._state.world
        if data.get("token") != self._state.token:
            raise _Close(AUTHENTICATION_FAILED, "Authentication failed.")
        if not 0 <= shard_id < shards:
            raise _Close(INVALID_SHARD, "Invalid shard.")
        mine = sum(
            world.bot_id in each.members and (each.id >> 22) % shards == shard_id
            for each in world.guilds.values()
        )
        if mine > MAX_GUILDS_A_SHARD:
            raise _Close(SHARDING_REQUIRED, "Sharding required.")
        intents = data.get("intents")
        if not isinstance(intents, int) or intents & ~ALL_INTENTS:
            raise _Close(INVALID_INTENTS, "Invalid intent(s).")
        application = world.application
        forbidden = (
            (0 if application.members_intent else 1 << 1)
            | (0 if application.presence_intent else 1 << 8)
            | (0 if application.content_intent else 1 << 15)
        )
        if intents & forbidden:
            raise _Close(DISALLOWED_INTENTS, "Disallowed intent(s).")

    def _may_start(self, now: float, shard_id: int) -> bool:
        key = shard_id % self._state.settings.max_concurrency
        last = self._last_start.get(key, -math.inf)
        self._last_start[key] = now
        return self._state.starts.left(now) > 0 and now - last >= SECONDS_BETWEEN_STARTS

    def _ready(self, session: Session) -> Json:
        world = self._state.world
        guilds = [
            each for each in world.guilds.values() if session.sees(each.id) and world.bot_id in each.members
        ]
        application = payloads.application_json(world)
        return {
            "v": 10,
            "user": payloads.own_user_json(world.users[world.bot_id]),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "private_channels": [],
            "relationships": [],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": f"{self._state.gateway_url}/resume",
            "shard": list(session.shard),
            "application": {"id": application["id"], "flags": application["flags"]},
        }

    def _resume(self, connection: Connection, data: Json) -> None:
        if data.get("token") != self._state.token:
            raise _Close(AUTHENTICATION_FAILED, "Authentication failed.")
        session = self.sessions.get(str(data.get("session_id")))
        now, seq = self._state.world.now(), data.get("seq")
        if session is None or not isinstance(seq, int) or self._too_old(session, now, seq):
            connection.send({"op": INVALID_SESSION, "d": False})
            return
        if seq > session.seq:
            raise _Close(INVALID_SEQ, "Invalid seq.")
        self.log.append(("resume", session.id))
        session.connection, session.left_at, connection.session = connection, None, session
        for number, text in session.sent:
            if number > seq:
                connection.outgoing.put_nowait(text)
        session.dispatch("RESUMED", {"_trace": []})
        self._state.changes.notify()

    def _too_old(self, session: Session, now: float, seq: int) -> bool:
        lost = bool(session.sent) and session.sent[0][0] > seq + 1
        return lost or (
            session.left_at is not None and now - session.left_at > self._state.settings.resume_seconds
        )

    def _ignore(self, connection: Connection, data: Json) -> None:
        if connection.session is None:
            raise _Close(NOT_AUTHENTICATED, "Not authenticated.")

    def _request_members(self, connection: Connection, data: Json) -> None:
        session, world = connection.session, self._state.world
        if session is None:
            raise _Close(NOT_AUTHENTICATED, "Not authenticated.")
        guild = world.guilds.get(int(data.get("guild_id") or 0))
        if guild is None:
            return
        asked = data.get("user_ids")
        asked = [asked] if isinstance(asked, str | int) else asked
        wanted = [int(each) for each in asked] if asked else list(guild.members)
        query, limit = data.get("query"), data.get("limit") or 0
        members = [guild.members[each] for each in wanted if each in guild.members]
        if query:
            members = [each for each in members if world.users[each.user_id].name.startswith(query)]
        chunk = {
            "guild_id": str(guild.id),
            "members": [
                payloads.member_json(world, each) for each in (members[:limit] if limit else members)
            ],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [str(each) for each in wanted if each not in guild.members],
        }
        session.dispatch(
            "GUILD_MEMBERS_CHUNK", chunk | ({"nonce": data["nonce"]} if data.get("nonce") else {})
        )
