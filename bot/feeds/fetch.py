"""Fetching over HTTP: conditional, polite, bounded, public addresses only.

Everything that leaves for a feed, a page, an icon, goes through `Fetcher.fetch`. What comes back is a
`Response` whatever the final status, or a `FetchError` of a named kind.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self
from urllib.parse import urljoin

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from bot.errors import told
from bot.feeds import decode
from bot.feeds.fetch_errors import (
    AddressError,
    BadAnswerError,
    ConnectError,
    CutError,
    DeadlineError,
    DnsError,
    FetchError,
    ForbiddenAddressError,
    RedirectError,
    StatusError,
    TlsError,
    TooLargeError,
)
from bot.feeds.guard import ForbiddenSocketError, Guard, Lookup, connector, shown_host, shown_url
from bot.feeds.limits import FeedLimits

FEED_TYPES = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, text/html;q=0.3, */*;q=0.1"
)
PAGE_TYPES = "text/html, application/xhtml+xml, text/plain;q=0.5, */*;q=0.1"

MOST_REDIRECTS = 10
PERMANENT = frozenset({301, 308})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD = frozenset({307, 308})
_WITH_BODY = frozenset({200, 203})
_LONGEST_LINE = 16 * 1024
_MOST_HEADERS = 200
_LARGE_BLOCK = 1024 * 1024  # bytes
_INLINE = 32 * 1024  # compressed bytes that are undone on the event loop; more goes to a thread

_Came = tuple[int, CIMultiDictProxy[str], bytes]  # status, headers, decompressed body of a full answer


@dataclass(frozen=True, slots=True)
class Hop:
    """One redirect that was followed: its status and the address it led to."""

    status: int
    url: str


class Response(NamedTuple):
    """A server's final answer. `body` is decompressed, and empty unless `status` is 200 or 203."""

    asked: str
    url: str
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes = b""
    hops: tuple[Hop, ...] = ()

    @property
    def has_body(self) -> bool:
        """Whether this is a full answer (200)."""
        return self.status in _WITH_BODY

    @property
    def not_modified(self) -> bool:
        """Whether what we have is still what the server has (304)."""
        return self.status == 304

    @property
    def content_type(self) -> str | None:
        """The Content-Type as sent, parameters included."""
        return self.headers.get("Content-Type")

    @property
    def etag(self) -> str | None:
        """The entity tag, byte for byte; None where there is none that could be sent back."""
        return _validator(self.headers.get("ETag"))

    @property
    def last_modified(self) -> str | None:
        """Last-Modified, byte for byte, however malformed."""
        return _validator(self.headers.get("Last-Modified"))

    @property
    def moved_to(self) -> str | None:
        """Where permanent redirects alone led, None when the first hop was none such."""
        target = None
        for hop in self.hops:
            if hop.status not in PERMANENT:
                break
            target = hop.url
        return target

    def raise_for_status(self) -> None:
        """Raise `StatusError` unless this is a full answer or a 304."""
        if not self.has_body and not self.not_modified:
            host = URL(self.url).host or ""
            raise StatusError(describe_status(self.status, host), host=host, status=self.status)


def describe_status(status: int, host: str) -> str:
    """Say in one sentence what a status without content means for the one who wants a feed."""
    host = shown_host(host)
    known = {
        401: told("{host} wants a log-in (401); only public addresses can be read.", host=host),
        403: told(
            "{host} refuses us (403); it may block programs, or this address is not public.", host=host
        ),
        404: told("{host} has nothing at this address (404); check the address.", host=host),
        410: told("{host} says that this address is gone for good (410).", host=host),
        429: told("{host} asks for fewer requests (429).", host=host),
        451: told("{host} withholds this for legal reasons (451).", host=host),
    }
    if status in known:
        return known[status]
    if status >= 500:
        return told("{host} has a fault of its own ({status}); it may pass.", host=host, status=status)
    return told("{host} answered with status {status} and no content.", host=host, status=status)


def _validator(value: str | None) -> str | None:
    """Drop a value that could not be sent back as it came (bytes that are no UTF-8 arrive as surrogates)."""
    if not value:
        return None
    if value.isascii():
        return value
    return None if any("\ud800" <= c <= "\udfff" for c in value) else value


class Fetcher:
    """One HTTP client for the process: `async with Fetcher(limits) as fetcher`.

    `lookup` (a getaddrinfo) and `tls` are for tests that need a name server or authority of their own.
    """

    def __init__(
        self, limits: FeedLimits, *, lookup: Lookup | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.limits = limits
        self.guard = Guard(limits.allow_networks)
        self._lookup = lookup
        self._tls: ssl.SSLContext | bool = tls or True
        self._all = asyncio.Semaphore(limits.concurrency)
        self._hosts: dict[str, _HostSlots] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        _keep_blocks()
        self._session = aiohttp.ClientSession(
            connector=connector(self.guard, concurrency=self.limits.concurrency, lookup=self._lookup),
            headers={
                "User-Agent": self.limits.user_agent,
                "Accept-Encoding": decode.ACCEPT_ENCODING,
            },
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(),  # none of its own: one deadline covers everything
            auto_decompress=False,
            trust_env=False,
            max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_LINE,
            max_headers=_MOST_HEADERS,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        accept: str = FEED_TYPES,
        seconds: float | None = None,
    ) -> Response:
        """GET an address, following redirects; each hop is checked anew.

        `seconds`, at most `FeedLimits.timeout` (the default), bounds the whole of it, names and redirects
        included; only waiting for a turn (`per_host`, `concurrency`) does not count. Raises `FetchError`.
        """
        headers = {"Accept": accept}
        if etag is not None:
            headers["If-None-Match"] = etag
        if last_modified is not None:
            headers["If-Modified-Since"] = last_modified
        return await self._follow_all(url, headers, _REDIRECTS, seconds=seconds)

    async def post(self, url: str, form: Mapping[str, str]) -> Response:
        """POST a form, with the guards and bounds of `fetch`. Raises `FetchError`.

        Only redirects that keep the method are followed (RFC 9110 section 15.4.8); the others are answers.
        """
        return await self._follow_all(url, {"Accept": "*/*"}, _KEEPS_METHOD, form)

    async def _follow_all(
        self,
        url: str,
        headers: dict[str, str],
        redirects: frozenset[int],
        form: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Response:
        target = self.guard.check_url(url)
        left = self.limits.timeout if seconds is None else min(seconds, self.limits.timeout)
        hops: list[Hop] = []
        seen = {target}
        while True:
            (status, received, body), took = await self._in_turn(target, headers, left, form)
            left -= took
            if status not in redirects:
                return Response(url, str(target), status, received, body, tuple(hops))
            target = self._follow(target, received.get("Location"))
            hops.append(Hop(status, str(target)))
            if target in seen:
                raise RedirectError(
                    told("{host} redirects in a circle.", host=_host(target)), host=target.host or ""
                )
            if len(hops) > MOST_REDIRECTS:
                raise RedirectError(
                    told(
                        "{host}: more than {number} redirects in a row.",
                        host=_host(target),
                        number=MOST_REDIRECTS,
                    ),
                    host=target.host or "",
                )
            seen.add(target)

    def _follow(self, source: URL, location: str | None) -> URL:
        """Give the address that a redirect leads to, or say why it is not followed."""
        host = source.host or ""
        if not location:
            raise RedirectError(
                told("{host} redirects without saying where to.", host=_host(source)), host=host
            )
        try:
            target = self.guard.check_url(urljoin(str(source), location.strip().replace(" ", "%20")))
        except (AddressError, ForbiddenAddressError) as error:
            raise type(error)(
                told(
                    "{host} redirects to where nothing is fetched: {error}", host=_host(source), error=error
                ),
                host=host,
            ) from error
        except ValueError as error:
            raise RedirectError(
                told("{host} redirects to what is no address.", host=_host(source)), host=host
            ) from error
        if source.scheme == "https" and target.scheme == "http":
            raise RedirectError(
                told(
                    "{host} redirects from https to unprotected http ({address}), which is not followed.",
                    host=_host(source),
                    address=shown_url(str(target)),
                ),
                host=host,
            )
        return target

    async def _in_turn(
        self, target: URL, headers: dict[str, str], seconds: float, form: Mapping[str, str] | None
    ) -> tuple[_Came, float]:
        """Wait until a host, and then the whole, has room for one request more, and make it.

        Gives what came, and the seconds that it took without the waiting.
        """
        host = target.host or ""
        slots = self._hosts.get(host)
        if slots is None:
            slots = self._hosts[host] = _HostSlots(asyncio.Semaphore(self.limits.per_host))
        slots.users += 1
        try:
            async with slots.semaphore, self._all:
                started = asyncio.get_running_loop().time()
                answer = await self._once(target, headers, seconds, form)
                return answer, asyncio.get_running_loop().time() - started
        finally:
            slots.users -= 1
            if not slots.users:
                del self._hosts[host]

    async def _once(
        self, target: URL, headers: dict[str, str], seconds: float, form: Mapping[str, str] | None
    ) -> _Came:
        """Make one request, a POST where there is a form.

        Gives status, headers and, for a full answer, the decompressed body.
        """
        if self._session is None:
            raise RuntimeError("use `async with Fetcher(...)`")
        try:
            async with (
                asyncio.timeout(max(seconds, 0)),
                self._session.request(
                    "GET" if form is None else "POST",
                    target,
                    data=form,
                    headers=headers,
                    allow_redirects=False,
                    ssl=self._tls,
                ) as answer,
            ):
                body = await self._body(answer) if answer.status in _WITH_BODY else b""
                return answer.status, answer.headers, body
        except FetchError as error:
            error.host = error.host or target.host or ""
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise self._explain(error, target) from error

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        limit = self.limits.max_bytes
        announced = answer.content_length
        if announced is not None and announced > limit:
            raise TooLargeError(told("The answer is larger than {size}.", size=decode.shown_size(limit)))
        pieces: list[bytes] = []
        size = 0
        while piece := await answer.content.readany():
            size += len(piece)
            if size > limit:
                raise TooLargeError(told("The answer is larger than {size}.", size=decode.shown_size(limit)))
            pieces.append(piece)
        body = b"".join(pieces)
        applied = decode.codings(",".join(answer.headers.getall("Content-Encoding", ())))
        if not applied or not body:
            return body
        if len(body) <= _INLINE:
            return decode.decompress(body, applied, max_bytes=limit)
        return await asyncio.to_thread(decode.decompress, body, applied, max_bytes=limit)

    def _explain(self, error: Exception, target: URL) -> FetchError:
        """Turn what the library raised into a named kind with one sentence."""
        host, name = target.host or "", _host(target)
        cause = getattr(error, "os_error", error)
        if isinstance(cause, ForbiddenSocketError):
            return ForbiddenAddressError(
                told("{name} leads to an address that is not public, which is never fetched.", name=name),
                host=host,
            )
        match error:
            case TimeoutError():
                return DeadlineError(
                    told(
                        "{name} did not finish its answer within {time} s.",
                        name=name,
                        time=f"{self.limits.timeout:g}",
                    ),
                    host=host,
                )
            case aiohttp.ClientConnectorDNSError():
                return DnsError(
                    told("The name {name} cannot be found; check its spelling.", name=name), host=host
                )
            case aiohttp.ClientConnectorCertificateError():
                found = getattr(error.certificate_error, "verify_message", "")
                why = found.rstrip(".") or told("it is not trusted")
                return TlsError(
                    told("The certificate of {name} is not valid: {why}.", name=name, why=why), host=host
                )
            case aiohttp.ClientSSLError() | ssl.SSLError():
                return TlsError(told("No secure connection to {name} can be made.", name=name), host=host)
            case aiohttp.ClientConnectorError():
                # By its number: asyncio writes the address into its own words for it.
                number = getattr(cause, "errno", None)
                why = os.strerror(number).lower() if number else told("no connection")
                return ConnectError(
                    told("{name} cannot be reached: {why}.", name=name, why=shown_host(why)), host=host
                )
            case aiohttp.ClientResponseError():
                return BadAnswerError(
                    told("What {name} sends is not proper HTTP, or its headers are too large.", name=name),
                    host=host,
                )
            case aiohttp.InvalidURL():
                return AddressError(
                    told("{address} is no web address.", address=shown_url(str(target))), host=host
                )
            case aiohttp.ClientError() | OSError():
                return CutError(told("{name} broke off in the middle of its answer.", name=name), host=host)
            case _:
                return BadAnswerError(told("What {name} sends is not proper HTTP.", name=name), host=host)


def _keep_blocks() -> None:
    """Have the blocks that sockets are read into taken from the heap, not mapped anew each time.

    asyncio reads into 256 KiB and keeps what came. glibc maps blocks from 128 KiB on, which costs three calls
    and new pages each time, until one is given back that was larger (mallopt(3), M_MMAP_THRESHOLD).
    """
    bytes(_LARGE_BLOCK)


class _HostSlots:
    """The room that one host has, and how many use or wait for it."""

    __slots__ = ("semaphore", "users")

    def __init__(self, semaphore: asyncio.Semaphore) -> None:
        self.semaphore = semaphore
        self.users = 0


def _host(url: URL) -> str:
    return shown_host(url.host or "")
