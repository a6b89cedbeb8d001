"""The bounds that the feeds room keeps to; `bot.settings` maps the environment to them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from bot import __version__

Network = IPv4Network | IPv6Network

# Where somebody who sees us in their log can read what we are; an operator may put their own page here.
HOME = "https://github.com/quash-bot/quash"


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """Times in seconds, sizes in bytes after decompression.

    `interval` is the pause for a feed that says and shows nothing of its rhythm, `interval_min` and
    `interval_max` bound every pause (failures of over 30 days and Retry-After may pass the latter).
    `allow_networks` are blocks that are not public and may be fetched all the same. `contact` is the
    address in the User-Agent.
    """

    interval: float = 3600
    interval_min: float = 300
    interval_max: float = 86400
    concurrency: int = 64
    per_host: int = 2
    timeout: float = 20.0
    max_bytes: int = 5242880
    allow_networks: tuple[Network, ...] = ()
    contact: str = HOME

    @property
    def user_agent(self) -> str:
        """The one honest name under which every request is made."""
        return f"Quash/{__version__} (+{self.contact})"
