"""How strict and how patient the stand-in is; every value may be changed while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Settings:
    """Numbers that Discord keeps to, in seconds unless said otherwise.

    `enforce_limits`: answer 429 past a limit, and hold IDENTIFY to its budget; off, the headers are still
    sent but no bucket runs dry. `nonce_seconds`: how long a nonce is remembered. `answer_seconds`: how long
    an interaction may stay without a first answer. `token_seconds`: how long its token serves after it.
    `old_edits`: edits an hour and channel of messages older than an hour (Discord publishes no number).
    """

    enforce_limits: bool = False
    nonce_seconds: float = 180.0
    answer_seconds: float = 3.0
    token_seconds: float = 900.0
    upload_bytes: int = 10 * 1024 * 1024
    heartbeat_seconds: float = 41.25
    resume_seconds: float = 180.0
    shards: int = 1
    max_concurrency: int = 1
    session_starts: int = 1000
    global_per_second: int = 50
    invalid_per_ten_minutes: int = 10_000
    command_creates_per_day: int = 200
    old_edits: int = 30
