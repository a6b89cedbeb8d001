"""Logging on standard error, as text or JSON lines, with secrets and forged lines kept out."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

# Foreign text can hold anything; in a log it must stay on its line and must not drive a terminal.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]*@")

# These narrate every step; what matters of them is said by the rooms themselves.
_NARRATORS = ("aiohttp.access", "aiosqlite", "alembic", "apscheduler", "asyncio", "discord", "trafilatura")


class _Clean:
    """Takes secrets and control characters out of what is logged."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = [s for s in secrets if s]

    def __call__(self, message: str) -> str:
        for secret in self._secrets:
            message = message.replace(secret, "[secret]")
        message = _CREDENTIALS.sub("[secret]@", message)
        return UNPRINTABLE.sub(lambda m: f"\\x{ord(m.group()):02x}", message)


class _Text(logging.Formatter):
    def __init__(self, clean: _Clean) -> None:
        super().__init__()
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        line = f"{at} {record.levelname:<7} {record.name}: {self._clean(record.getMessage())}"
        return line + self.trouble(record)

    def trouble(self, record: logging.LogRecord) -> str:
        """Give the exception in a few words; with its frames at level DEBUG only."""
        if not record.exc_info or record.exc_info[1] is None:
            return ""
        error = record.exc_info[1]
        line = self._clean(f" ({type(error).__name__}: {error})")
        if logging.getLogger().isEnabledFor(logging.DEBUG):
            frames = self.formatException(record.exc_info).splitlines()
            line += "".join("\n    " + self._clean(frame) for frame in frames)
        return line


class _Json(_Text):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": self._clean(record.getMessage()),
        }
        if trouble := self.trouble(record).strip():
            line["error"] = trouble
        return json.dumps(line, ensure_ascii=False)


def set_up(level: str, form: str, secrets: Iterable[str] = ()) -> None:
    """Log to standard error from now on. `secrets` (the token, a password) never appear in any line."""
    clean = _Clean(secrets)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json(clean) if form == "json" else _Text(clean))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _NARRATORS:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
