"""Settings: the environment, or `.env` in the working directory, becomes one frozen `Settings`.

Each setting is one line of `OPTIONS`: its name, its default, how it is read and what is allowed. The
environment wins over `.env`. An empty value stands for the default.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.errors import SettingsError

_MOST_SHARDS = 4096
_ALIKE = 0.75  # how alike a wrong name and a setting's are, from 0 to 1; DISCORD_BOT_TOKEN is so by 0.87

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Address:
    """A place to listen on."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process is configured. Times are seconds, sizes bytes."""

    discord_token: str | None = field(default=None, repr=False)  # a secret: never shown
    discord_api_url: str = "https://discord.com/api/v10"
    database_url: str = field(default="sqlite+aiosqlite:///quash.db", repr=False)  # may hold a password
    feed_interval: int = 3600
    feed_interval_min: int = 300
    feed_interval_max: int = 86400
    fetch_concurrency: int = 64
    fetch_per_host: int = 2
    fetch_timeout: float = 20.0
    fetch_max_bytes: int = 5_242_880
    fetch_allow_networks: tuple[Network, ...] = ()
    fetch_contact: str = "https://github.com/quash-bot/quash"
    log_level: str = "INFO"
    log_format: str = "text"
    http_addr: Address | None = None
    websub_url: str | None = None
    analysis_workers: int = 1
    retention_days: int = 180
    max_feeds_per_guild: int = 200
    shard_ids: tuple[int, ...] | None = None
    shard_count: int | None = None


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        number = int(value)
        if not low <= number <= high:
            raise ValueError
        return number

    return read


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def read(value: str) -> float:
        number = float(value)
        if not low <= number <= high:
            raise ValueError
        return number

    return read


def _one_of(*allowed: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        for name in allowed:
            if value.casefold() == name.casefold():
                return name
        raise ValueError

    return read


def _word(value: str) -> str:
    if " " in value or not value.isprintable():  # no header could carry it
        raise ValueError
    return value


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    if "@" in parts.netloc:  # a password: some of these are shown, none could send it
        raise ValueError
    return value.rstrip("/")


def _networks(value: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(block.strip()) for block in value.split(",") if block.strip())


def _numbers(value: str) -> tuple[int, ...]:
    numbers: set[int] = set()
    for part in value.split(","):
        first, _, last = part.partition("-")
        low, high = int(first), int(last or first)
        if not 0 <= low <= high < _MOST_SHARDS:
            raise ValueError
        numbers.update(range(low, high + 1))
    return tuple(sorted(numbers))


def _address(value: str) -> Address:
    host, colon, port = value.rpartition(":")
    number = int(port)
    if not colon or not host or "/" in host or not 0 <= number <= 65535:
        raise ValueError
    return Address(host.strip("[]"), number)


@dataclass(frozen=True, slots=True)
class Option:
    """One setting: variable, default as written in `.env`, reader, what is allowed, what it means."""

    variable: str
    default: str
    read: Callable[[str], Any]
    allowed: str
    meaning: str

    @property
    def name(self) -> str:
        """The field of `Settings`."""
        return self.variable.lower()


OPTIONS: tuple[Option, ...] = (
    Option("DISCORD_TOKEN", "", _word, "one word", "the bot's token; needed by `quash run` alone"),
    Option(
        "DISCORD_API_URL",
        "https://discord.com/api/v10",
        _url,
        "an http or https address without ? and #, such as https://discord.com/api/v10",
        "REST base; for a REST proxy",
    ),
    Option(
        "DATABASE_URL",
        "sqlite+aiosqlite:///quash.db",
        str,
        "sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER@HOST/NAME",
        "where everything is stored",
    ),
    Option(
        "FEED_INTERVAL",
        "3600",
        _whole(1, 604_800),
        "a whole number of seconds from 1 to 604800",
        "seconds between two checks of a feed that has shown no rhythm of its own",
    ),
    Option(
        "FEED_INTERVAL_MIN",
        "300",
        _whole(1, 604_800),
        "a whole number of seconds from 1 to 604800",
        "the shortest pause between two checks of a feed",
    ),
    Option(
        "FEED_INTERVAL_MAX",
        "86400",
        _whole(1, 2_592_000),
        "a whole number of seconds from 1 to 2592000",
        "the longest pause between two checks of a feed that works",
    ),
    Option(
        "FETCH_CONCURRENCY",
        "64",
        _whole(1, 1024),
        "a whole number from 1 to 1024",
        "requests under way at once, in all",
    ),
    Option(
        "FETCH_PER_HOST",
        "2",
        _whole(1, 64),
        "a whole number from 1 to 64",
        "requests under way at once, to one host",
    ),
    Option(
        "FETCH_TIMEOUT",
        "20",
        _seconds(0.1, 600),
        "a number of seconds from 0.1 to 600",
        "seconds for one whole request",
    ),
    Option(
        "FETCH_MAX_BYTES",
        "5242880",
        _whole(1024, 1_073_741_824),
        "a whole number of bytes from 1024 to 1073741824",
        "a response's size after decompression; past it the fetch stops",
    ),
    Option(
        "FETCH_ALLOW_NETWORKS",
        "",
        _networks,
        "CIDR blocks separated by commas, such as 10.1.0.0/16",
        "networks that are not public and may be fetched all the same",
    ),
    Option(
        "FETCH_CONTACT",
        "https://github.com/quash-bot/quash",
        _url,
        "an http or https address without ? and #, such as https://quash.example.org",
        "where a site's owner reads who fetches; it stands in the User-Agent, so name a page of yours",
    ),
    Option(
        "LOG_LEVEL",
        "INFO",
        _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
        "DEBUG, INFO, WARNING or ERROR",
        "how much is logged, on standard error",
    ),
    Option("LOG_FORMAT", "text", _one_of("text", "json"), "text or json", "the form of a log line"),
    Option(
        "HTTP_ADDR",
        "",
        _address,
        "HOST:PORT, such as 127.0.0.1:8080",
        "where /healthz, /readyz and /metrics answer; off when empty",
    ),
    Option(
        "WEBSUB_URL",
        "",
        _url,
        "an http or https address without ? and #, such as https://quash.example.org",
        "public address that leads to HTTP_ADDR, where hubs send what is new (WebSub) below /websub/; "
        "off when empty",
    ),
    Option(
        "ANALYSIS_WORKERS",
        "1",
        _whole(1, 64),
        "a whole number from 1 to 64",
        "processes that read articles",
    ),
    Option(
        "RETENTION_DAYS",
        "180",
        _whole(7, 36_500),
        "a whole number of days from 7 to 36500",
        "how long texts, entries and deliveries are kept; cases, demands, titles and summaries stay",
    ),
    Option(
        "MAX_FEEDS_PER_GUILD",
        "200",
        _whole(1, 10_000),
        "a whole number from 1 to 10000",
        "feeds that one server may watch",
    ),
    Option(
        "SHARD_COUNT",
        "",
        _whole(1, _MOST_SHARDS),
        f"a whole number from 1 to {_MOST_SHARDS}",
        "shards in all, the same in all gateways; as many as Discord recommends when empty",
    ),
    Option(
        "SHARD_IDS",
        "",
        _numbers,
        "numbers below SHARD_COUNT, such as 0-3,8",
        "the shards of this gateway; shared out among all gateways when empty",
    ),
)

# What a wrong value may be repeated of: a secret is never shown, not even a wrong one.
_SECRET = frozenset({"DISCORD_TOKEN", "DATABASE_URL"})


def load(
    environ: Mapping[str, str], folder: Path | None = None, warn: Callable[[str], None] = lambda _: None
) -> Settings:
    """Read the settings from `environ` and from `folder`/.env.

    `warn` is told of a name in .env that looks like a setting's and is none. Raises `SettingsError` that
    names each variable that has a wrong value, the fault of that and what is allowed.
    """
    written = _dotenv(folder)
    for name in written:
        if meant := _meant(name):
            warn(f".env: {name[:60]} is no setting and does nothing; {meant} is one.")
    given = {**written, **environ}
    values: dict[str, Any] = {}
    faults: list[str] = []  # all are told at once: who mends one is not sent on to the next
    for option in OPTIONS:
        text = given.get(option.variable, "").strip()
        if not text:
            continue
        try:
            values[option.name] = option.read(text)
        except ValueError:
            hidden = option.variable in _SECRET or "@" in text  # behind which a password may stand
            shown = "its value" if hidden else f"{text[:100]!r}"
            faults.append(f"{option.variable}: {shown} is not allowed; allowed is {option.allowed}.")
    if faults:
        raise SettingsError(" ".join(faults))
    settings = Settings(**values)
    if settings.websub_url is not None and settings.http_addr is None:
        raise SettingsError(
            "WEBSUB_URL: it needs HTTP_ADDR, where this process listens for what hubs send; set HTTP_ADDR to "
            "HOST:PORT, such as 127.0.0.1:8080, or leave WEBSUB_URL empty."
        )
    if settings.shard_ids is not None and max(settings.shard_ids) >= (settings.shard_count or 0):
        raise SettingsError(
            "SHARD_IDS: it names a shard that SHARD_COUNT does not have; set SHARD_COUNT to the number of "
            "all shards, the same in all gateways."
        )
    if not settings.feed_interval_min <= settings.feed_interval <= settings.feed_interval_max:
        settings = _bounds_around(settings, values)
    return settings


def _meant(name: str) -> str | None:
    """Give the setting that a name which is none may be meant for; other programs' may stand there, too."""
    known = [option.variable for option in OPTIONS]
    if name in known:
        return None
    return next(iter(get_close_matches(name.upper(), known, 1, _ALIKE)), None)


def _bounds_around(settings: Settings, given: dict[str, Any]) -> Settings:
    """Refuse bounds that contradict each other, but let one that was not given follow the others."""
    from dataclasses import replace

    if "feed_interval" not in given and settings.feed_interval_min <= settings.feed_interval_max:
        middle = min(max(settings.feed_interval, settings.feed_interval_min), settings.feed_interval_max)
        return replace(settings, feed_interval=middle)
    if "feed_interval_min" not in given and settings.feed_interval <= settings.feed_interval_max:
        return replace(settings, feed_interval_min=settings.feed_interval)
    if "feed_interval_max" not in given and settings.feed_interval >= settings.feed_interval_min:
        return replace(settings, feed_interval_max=settings.feed_interval)
    raise SettingsError(
        f"FEED_INTERVAL: {settings.feed_interval} does not lie between FEED_INTERVAL_MIN "
        f"({settings.feed_interval_min}) and FEED_INTERVAL_MAX ({settings.feed_interval_max}); "
        "allowed is a value between the two."
    )


def _dotenv(folder: Path | None) -> dict[str, str]:
    path = (folder or Path()) / ".env"
    try:
        if not path.is_file():
            return {}
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f".env: cannot be read ({type(error).__name__}); allowed is a text file in UTF-8."
        ) from error
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    for line in parse_stream(StringIO(text)):
        if line.error or (line.key is not None and line.value is None):  # left out, it would be the default
            blank = len(line.original.string) - len(line.original.string.lstrip())
            number = line.original.line + line.original.string.count("\n", 0, blank)
            raise SettingsError(f".env: line {number} is not understood; allowed is NAME=VALUE.")
    return {name: value for name, value in dotenv_values(stream=StringIO(text)).items() if value is not None}


def env_example() -> str:
    """Give the text of `.env.example`: every variable with its default and what it means."""
    lines = ["# Settings of Quash. Copy to .env and change what differs; the environment wins over .env.", ""]
    for option in OPTIONS:
        lines += [f"# {option.meaning} ({option.allowed})", f"{option.variable}={option.default}", ""]
    return "\n".join(lines)
