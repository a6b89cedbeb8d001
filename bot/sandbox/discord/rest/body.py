"""Reads request bodies: JSON, or multipart with `payload_json` and files."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import BodyPartReader, web

from bot.sandbox.discord.messages import Upload

BAD_JSON = object()


async def read(request: web.Request) -> tuple[bytes, Any, list[Upload]]:
    """Read a body: its raw bytes (of a multipart one, `payload_json`), its JSON (or BAD_JSON), its files."""
    if not request.content_type.startswith("multipart/"):
        raw = await request.read()
        return raw, _json(raw), []
    raw, uploads = b"", {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        content = bytes(await part.read())
        name = part.name or ""
        if name == "payload_json":
            raw = content
        elif name.startswith("files["):
            kind = part.headers.get("Content-Type", "application/octet-stream")
            uploads[int(name[6:-1])] = Upload(part.filename or name, content, kind)
    return raw, _json(raw), [uploads[index] for index in sorted(uploads)]


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return BAD_JSON
