"""Which addresses may be fetched: public ones, whatever notation, name or redirect leads to them.

Two gates. `check_url` looks at the address as written, before anything is asked of anybody: scheme,
credentials, hosts that are numbers in disguise. `socket_factory` looks at the very address that is about
to be connected to, for every connection, so a name that resolves differently the second time (rebinding)
gains nothing.

`ipaddress.is_global` is not enough: on Python 3.11 it holds multicast, NAT64, 6to4, v4-compatible and
site-local addresses for global. Sources: the IANA special-purpose registries (RFC 6890 and its updates).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import re
import socket
import threading
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.errors import told
from bot.feeds.fetch_errors import AddressError, ForbiddenAddressError
from bot.feeds.limits import Network

Address = IPv4Address | IPv6Address
# What getaddrinfo gives: family, type, protocol, canonical name, socket address.
AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
Lookup = Callable[[str, int], list[AddressInfo]]

LONGEST_URL = 4096
_SCHEMES = ("http", "https")
_FULL_STOPS = re.compile("[\u3002\uff0e\uff61]")  # IDNA takes these for "." (RFC 3490 section 3.1)
_NEVER = re.compile(r"[\x00-\x20\x7f\\]")
_PLAIN_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){1,8}")
# An address that stays as it is: nothing to fold, to encode, to resolve or to take off.
_PLAIN_URL = re.compile(r"https?://([a-z0-9.-]{1,200})(?::([1-9][0-9]{3,4}))?(/[A-Za-z0-9_~./-]*)")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")

_REFUSED_V4 = tuple(
    IPv4Network(block)
    for block in (
        "192.0.0.0/24",  # IETF protocol assignments; 192.0.0.192 and others pass as global in ipaddress
        "192.88.99.0/24",  # 6to4 relays, deprecated
    )
)
_UNICAST_V6 = IPv6Network("2000::/3")  # all that IANA has given out for use between networks
_NAT64 = IPv6Network("64:ff9b::/96")
_SIXTOFOUR = IPv6Network("2002::/16")
_REFUSED_V6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # IETF protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation, newer than the tables of Python 3.11
    )
)
# Where an IPv6 address carries an IPv4 address in its last 32 bits.
_LAST_32 = (
    IPv6Network("::/96"),  # v4-compatible
    IPv6Network("::ffff:0:0/96"),  # v4-mapped
    IPv6Network("::ffff:0:0:0/96"),  # v4-translated (RFC 2765)
    _NAT64,
)


class ForbiddenSocketError(PermissionError):
    """Raised inside the connector, where only an `OSError` passes through unharmed."""

    def __init__(self) -> None:
        super().__init__(errno.EACCES, told("the address is not public"))


def embedded(address: Address) -> IPv4Address | None:
    """Give the IPv4 address that an IPv6 address stands for, None where it stands for itself."""
    if isinstance(address, IPv4Address):
        return None
    number = int(address)
    if any(address in block for block in _LAST_32):
        return IPv4Address(number & 0xFFFFFFFF)
    if address in _SIXTOFOUR:
        return IPv4Address(number >> 80 & 0xFFFFFFFF)
    if number >> 32 & 0xFDFFFFFF == 0x00005EFE:  # ISATAP, RFC 5214 section 6.1
        return IPv4Address(number & 0xFFFFFFFF)
    return None


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to the public internet, the one inside it included."""
    inner = embedded(address)
    if inner is not None and not is_public(inner):
        return False
    if isinstance(address, IPv4Address):
        return (
            address.is_global
            and not address.is_multicast
            and not address.is_reserved
            and not any(address in block for block in _REFUSED_V4)
        )
    if address in _NAT64:
        return True  # the address inside is public, as was seen above
    return address in _UNICAST_V6 and not any(address in block for block in _REFUSED_V6)


class Guard:
    """Says no. `allow` are blocks that may be connected to although they are not public."""

    def __init__(self, allow: Iterable[Network] = ()) -> None:
        self._allow = tuple(allow)
        # What a host is does not change; where its name leads is looked at for every connection.
        self._host = lru_cache(4096)(self._checked_host)

    def allows(self, address: Address) -> bool:
        """Tell whether a connection to this address may be made."""
        if self._allow:
            inner = embedded(address)
            if any(address in block or (inner is not None and inner in block) for block in self._allow):
                return True
        return is_public(address)

    def allows_text(self, text: str) -> bool:
        """The same for an address as the socket layer writes it; what is no address is refused."""
        try:
            return self.allows(ipaddress.ip_address(text.partition("%")[0]))
        except ValueError:
            return False

    def is_allowed_block(self, host: str) -> bool:
        """Tell whether `host` is a literal address that only the operator's own list lets through."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return self.allows(address) and not is_public(address)

    def socket_factory(self, info: AddressInfo) -> socket.socket:
        """Make the socket for an address that is about to be connected to, or refuse."""
        family, kind, protocol, _, target = info
        if not self.allows_text(str(target[0])):
            raise ForbiddenSocketError
        return socket.socket(family, kind, protocol)

    def check_url(self, text: str) -> URL:
        """Give the address as it will be asked for: host in ASCII, no fragment.

        Raises `AddressError` for what may not be asked for at all, `ForbiddenAddressError` for a literal
        address that is not public. Names are checked later, when it is known where they lead.
        """
        plain = _PLAIN_URL.fullmatch(text) if len(text) <= LONGEST_URL else None
        if plain and "/." not in plain[3] and int(plain[2] or 0) < 65536 and self._host(plain[1]) == plain[1]:
            return URL(text, encoded=True)
        parts = _split(text)
        host = self._host(parts.hostname or "")
        try:
            url = URL(text.strip()).with_host(host).with_fragment(None)
            return url if parts.path else url.with_path("/", keep_query=True)
        except ValueError as error:
            raise AddressError(told("{address} is no web address.", address=shown_url(text))) from error

    def _checked_host(self, host: str) -> str:
        """Give a host as it is asked for, in ASCII. Raises as `check_url` does."""
        host = _ascii_host(host)
        try:
            literal: Address | None = ipaddress.ip_address(host)
        except ValueError:
            literal = None
            if _ends_in_number(host):
                raise AddressError(
                    told(
                        "The host {host} is a number in disguise; write the address with its name.",
                        host=shown_host(host),
                    )
                ) from None
        if literal is not None and not self.allows(literal):
            raise ForbiddenAddressError(
                told("{host} is not a public address and is never fetched.", host=host), host=host
            )
        return host


def _split(text: str) -> SplitResult:
    """Take an address apart and refuse what is none, with the reason."""
    text = text.strip()
    if len(text) > LONGEST_URL:
        raise AddressError(told("The address is longer than {number} characters.", number=LONGEST_URL))
    if _NEVER.search(text):
        raise AddressError(told("The address contains blanks, control characters or backslashes."))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise AddressError(told("{address} is no web address.", address=shown_url(text))) from None
    if parts.scheme.lower() not in _SCHEMES:
        raise AddressError(told("Only http and https are fetched, not {address}.", address=shown_url(text)))
    if parts.username is not None or parts.password is not None:
        raise AddressError(
            told("An address with a user name or password in it is not fetched; leave them out.")
        )
    if not parts.hostname or port == 0:
        raise AddressError(told("{address} is no web address: it names no server.", address=shown_url(text)))
    return parts


def _ascii_host(host: str) -> str:
    """Fold a host the way resolvers and browsers do: %XX, full-width and circled forms, IDNA."""
    if len(host) < 200 and _PLAIN_HOST.fullmatch(host) and "xn--" not in host:
        return host  # nothing to fold
    host = unicodedata.normalize("NFKC", unquote(host))
    host = _FULL_STOPS.sub(".", host).lower()
    if "%" in host or any(c.isspace() or c in "/?#@:\\" for c in host if ":" not in host):
        raise AddressError(told("The host {host} is not one that can be asked.", host=shown_host(host)))
    if ":" in host:
        return host
    try:
        built = URL.build(scheme="http", host=host)
        # Its readable form is asked for with every request: what cannot be decoded ("xn--a") is refused here.
        ascii_host = (built.raw_host or "") if built.host else ""
    except ValueError:
        ascii_host = ""
    bare = ascii_host.rstrip(".")
    if not bare or len(bare) > 253 or any(not label or len(label) > 63 for label in bare.split(".")):
        raise AddressError(told("The host {host} is not one that can be asked.", host=shown_host(host)))
    return ascii_host


def _ends_in_number(host: str) -> bool:
    """Tell whether a host is read as an IPv4 number somewhere (WHATWG URL, "ends in a number")."""
    return _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) is not None


# What stands in no address as it is (RFC 3986), and would make a link, a mention or code of it on Discord.
_SIGNS = str.maketrans({sign: f"%{ord(sign):02X}" for sign in '[]<>"`\\^{}|'})
_IPV6 = re.compile(r"\[[0-9A-Fa-f:.]+\](:[0-9]*)?")


def shown_host(host: str) -> str:
    """Make a stranger's host fit to stand in a sentence."""
    return "".join(c if c.isprintable() else "\ufffd" for c in host).translate(_SIGNS)[:100] or "(none)"


def shown_url(url: str) -> str:
    """Make an address fit for people, logs and sentences on Discord: no credentials, no query (it may hold a
    key), one line, no signs that an address does not have."""
    head = url.strip().partition("#")[0].partition("?")[0]
    scheme, mark, rest = head.partition("://")
    if mark:
        authority, slash, path = rest.partition("/")
        host = authority.rpartition("@")[2]
        host = host if _IPV6.fullmatch(host) else host.translate(_SIGNS)
        head = f"{scheme.translate(_SIGNS)}://{host}{slash}{path.translate(_SIGNS)}"
    else:
        head = head.translate(_SIGNS)
    asked = "?…" if "?" in url else ""
    return "".join(c if c.isprintable() else "\ufffd" for c in head)[:200] + asked


def _lookup(host: str, port: int) -> list[AddressInfo]:
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


class GuardedResolver(AbstractResolver):
    """Resolves names, leaving out what may not be connected to.

    Each look-up has a thread of its own that dies with the process: the loop's pool has few threads, and
    one dead name server would keep them all, and the exit of the process, waiting.
    """

    def __init__(self, guard: Guard, lookup: Lookup = _lookup) -> None:
        self._guard = guard
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give the allowed addresses of a name. Raises `ForbiddenSocketError` where there are others only.

        Never gives none: aiohttp takes that for a fault of the program.
        """
        infos = [
            info
            for info in await _in_thread(self._lookup, host, port)
            if family in (socket.AF_UNSPEC, info[0])
        ]
        allowed = [info for info in infos if self._guard.allows_text(str(info[4][0]))]
        if not infos:
            raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
        if not allowed:
            raise ForbiddenSocketError
        return [
            ResolveResult(
                hostname=host,
                host=str(info[4][0]),
                port=port,
                family=info[0],
                proto=info[2],
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for info in allowed
        ]

    async def close(self) -> None:
        """Nothing to close."""


async def _in_thread(lookup: Lookup, host: str, port: int) -> list[AddressInfo]:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[AddressInfo]] = loop.create_future()

    def settle(result: list[AddressInfo] | OSError | UnicodeError) -> None:
        if answer.done():
            return
        if isinstance(result, list):
            answer.set_result(result)
        else:
            answer.set_exception(result)

    def run() -> None:
        result: list[AddressInfo] | OSError | UnicodeError
        try:
            result = lookup(host, port)
        except (OSError, UnicodeError) as error:
            result = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=run, name=f"resolve {host}", daemon=True).start()
    return await answer


def connector(guard: Guard, *, concurrency: int, lookup: Lookup | None = None) -> aiohttp.TCPConnector:
    """Give the one connector through which everything leaves."""
    return aiohttp.TCPConnector(
        resolver=GuardedResolver(guard, lookup or _lookup),
        socket_factory=guard.socket_factory,
        limit=concurrency * 2,
        ttl_dns_cache=60,
        keepalive_timeout=10,
    )
