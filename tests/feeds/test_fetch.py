"""Fetching: what is asked and how, and what hostile servers come to."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from bot.feeds import decode
from bot.feeds.fetch import Fetcher
from bot.feeds.fetch_errors import (
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
from bot.feeds.limits import FeedLimits
from tests.feeds.web import LOOPBACK, Site, certificate, limits, raw_server, serving

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"

# ------------------------------------------------------------------ what is asked


async def test_an_ordinary_answer(site: Site, fetcher: Fetcher) -> None:
    site.say(body="<rss/>", headers={"ETag": '"1"', "Last-Modified": "yesterday"})
    response = await fetcher.fetch(site.url("/feed?a=1#top"))
    assert (response.status, response.body) == (200, b"<rss/>")
    assert (response.etag, response.last_modified) == ('"1"', "yesterday")
    site.say("/empty", body="<rss/>", headers={"ETag": "", "Last-Modified": ""})
    response = await fetcher.fetch(site.url("/empty"))
    assert (response.etag, response.last_modified) == (None, None)
    assert response.content_type == "application/rss+xml"
    asked = site.asked[0]
    assert (asked.method, asked.path) == ("GET", "/feed?a=1")
    assert asked["User-Agent"] == FeedLimits().user_agent
    assert asked["User-Agent"].startswith("Quash/")
    assert "(+https://" in asked["User-Agent"]
    assert "application/atom+xml" in asked["Accept"]
    assert asked["Accept-Encoding"] == "gzip, deflate, br, zstd"
    for never in ("cookie", "referer", "authorization", "if-none-match", "if-modified-since", "range"):
        assert asked[never] is None


async def test_cookies_and_environment_are_ignored(
    site: Site, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    site.say(body="<rss/>", headers={"Set-Cookie": "track=1; Path=/"})
    for _ in range(2):
        await fetcher.fetch(site.url())
    assert [asked["Cookie"] for asked in site.asked] == [None, None]
    assert [asked["Authorization"] for asked in site.asked] == [None, None]


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "raw deflate", "br", "zstd", "br, gzip"])
async def test_every_coding_is_undone(site: Site, fetcher: Fetcher, coding: str) -> None:
    plain = b"<rss>" + b"abc " * 50_000 + b"</rss>"
    raw = zlib.compressobj(wbits=-15)
    body = {
        "gzip": gzip.compress(plain),
        "x-gzip": gzip.compress(plain[:9]) + gzip.compress(plain[9:]),
        "deflate": zlib.compress(plain),
        "raw deflate": raw.compress(plain) + raw.flush(),
        "br": brotli.compress(plain),
        "zstd": zstandard.compress(plain),
        "br, gzip": gzip.compress(brotli.compress(plain)),
    }[coding]
    site.say(body=body, headers={"Content-Encoding": coding.removeprefix("raw ")})
    assert (await fetcher.fetch(site.url())).body == plain


async def test_labels_that_are_not_true_do_no_harm(site: Site, fetcher: Fetcher) -> None:
    for label in ("gzip", "utf-8", "identity", "none"):
        site.say(body="<rss/>", headers={"Content-Encoding": label})
        assert (await fetcher.fetch(site.url())).body == b"<rss/>"


async def test_statuses_come_back_without_a_body(site: Site, fetcher: Fetcher) -> None:
    for status in (204, 304, 400, 401, 403, 404, 410, 418, 429, 500, 503):
        site.say(status=status, body=b"" if status in (204, 304) else b"x" * 200_000)
        response = await fetcher.fetch(site.url())
        assert (response.status, response.body) == (status, b"")
        if status != 304:
            with pytest.raises(StatusError) as failed:
                response.raise_for_status()
            assert str(status) in str(failed.value)


# -------------------------------------------------------------------- redirects


async def test_redirects_are_followed_and_remembered(site: Site, fetcher: Fetcher) -> None:
    site.say("/a", status=301, headers={"Location": "/b#part"})
    site.say("/b", status=308, headers={"Location": site.url("/c d")})
    site.say("/c d", status=302, headers={"Location": "feed?x=1"})
    site.say("/feed", body="<rss/>")
    response = await fetcher.fetch(site.url("/a"), etag='"1"')
    assert response.url == site.url("/feed?x=1")
    assert [hop.status for hop in response.hops] == [301, 308, 302]
    assert response.moved_to == site.url("/c%20d")
    assert {asked["If-None-Match"] for asked in site.asked} == {'"1"'}
    assert {asked["Referer"] for asked in site.asked} == {None}


@pytest.mark.parametrize(
    "location",
    [
        None,
        "",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/",
        "http://[::1]/",
        "http://0x7f000001/",
        "http://２１３０７０６４３３/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "data:text/xml,<rss/>",
        "javascript:alert(1)",
        "http://user:secret@127.0.0.1/",
        "http://[",
        "//",
        "http://" + "x" * 5000,
    ],
)
async def test_redirects_to_where_nothing_is_fetched(
    site: Site, fetcher: Fetcher, location: str | None
) -> None:
    site.say("/a", status=302, headers={} if location is None else {"Location": location})
    with pytest.raises(FetchError) as failed:
        await fetcher.fetch(site.url("/a"))
    assert "\n" not in str(failed.value)
    assert "secret" not in str(failed.value)
    assert len(site.asked) == 1


async def test_circles_and_long_ways_end(site: Site, fetcher: Fetcher) -> None:
    site.say("/a", status=302, headers={"Location": "/b"})
    site.say("/b", status=302, headers={"Location": "/a"})
    with pytest.raises(RedirectError, match="circle"):
        await fetcher.fetch(site.url("/a"))
    assert len(site.asked) == 2
    site.asked.clear()
    for number in range(11):
        site.say(f"/{number}", status=302, headers={"Location": f"/{number + 1}"})
    site.say("/11", body="<rss/>")
    with pytest.raises(RedirectError, match="more than 10"):
        await fetcher.fetch(site.url("/0"))
    assert [asked.path for asked in site.asked] == [f"/{number}" for number in range(11)]
    site.asked.clear()
    assert (await fetcher.fetch(site.url("/1"))).body == b"<rss/>"


async def test_a_name_may_not_lead_inside() -> None:
    def lookup(host: str, port: int) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with serving() as site, Fetcher(FeedLimits(timeout=2), lookup=lookup) as fetcher:
        with pytest.raises(ForbiddenAddressError, match="not public"):
            await fetcher.fetch(f"http://paper.example:{site.port}/feed")
        assert site.asked == []


async def test_a_name_that_changes_its_mind_gains_nothing() -> None:
    """Rebinding: public when first looked up, inside when connected to; every look-up is checked."""
    answers = iter(["127.0.0.1", "10.1.2.3", "10.1.2.3"])

    def lookup(host: str, port: int) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    async with serving() as site, Fetcher(limits(timeout=2), lookup=lookup) as fetcher:
        site.say("/feed", status=302, headers={"Location": f"http://other.example:{site.port}/feed"})
        with pytest.raises(ForbiddenAddressError, match=r"other\.example"):
            await fetcher.fetch(f"http://paper.example:{site.port}/feed")
        assert len(site.asked) == 1


# ---------------------------------------------------------------- hostile servers


async def failing(talk: Talk, *, timeout: float = 1.0, **changes: object) -> tuple[FetchError, float]:
    """Fetch from a server that says what `talk` says; gives the error and how long it took."""
    async with raw_server(talk) as port, Fetcher(limits(timeout=timeout, **changes)) as fetcher:
        started = time.monotonic()
        with pytest.raises(FetchError) as failed:
            await fetcher.fetch(f"http://127.0.0.1:{port}/feed")
    assert "\n" not in str(failed.value)
    return failed.value, time.monotonic() - started


async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def dripping_head(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)
    while True:
        writer.write(b"X")
        await writer.drain()
        await asyncio.sleep(0.05)


async def dripping_body(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def stalled_body(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: 100\r\n\r\n<rss>")
    await asyncio.sleep(60)


async def endless_slow_chunks(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\n \r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def endless_continues(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "talk", [silent, dripping_head, dripping_body, stalled_body, endless_slow_chunks, endless_continues]
)
async def test_no_server_holds_us_longer_than_the_deadline(talk: Talk) -> None:
    error, seconds = await failing(talk)
    assert isinstance(error, DeadlineError)
    assert "within 1 s" in str(error)
    assert error.passing
    assert seconds < 2.5


async def test_the_deadline_covers_names_and_redirects() -> None:
    def slow(host: str, port: int) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
        time.sleep(0.4)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with serving() as site, Fetcher(limits(timeout=1), lookup=slow) as fetcher:
        for number in range(9):
            onward = f"http://name{number + 1}.example:{site.port}/{number + 1}"
            site.say(f"/{number}", status=302, headers={"Location": onward})
        started = time.monotonic()
        with pytest.raises(DeadlineError):
            await fetcher.fetch(f"http://name0.example:{site.port}/0")
        assert time.monotonic() - started < 2.5


async def endless_chunks(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
        await writer.drain()


async def announced_too_large(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: 99999999999\r\n\r\n<rss>")
    await asyncio.sleep(60)


async def endless_without_length(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
    while True:
        writer.write(b" " * 65536)
        await writer.drain()


@pytest.mark.parametrize("talk", [endless_chunks, announced_too_large, endless_without_length])
async def test_no_server_sends_more_than_is_allowed(talk: Talk) -> None:
    error, _ = await failing(talk, timeout=10.0, max_bytes=2_000_000)
    assert isinstance(error, TooLargeError)
    assert "1.91 MB" in str(error)


def _bomb(coding: str) -> bytes:
    """Give 200 MB in a few hundred kB or less."""
    zeros = bytes(200_000_000)
    if coding == "gzip, gzip":
        return gzip.compress(gzip.compress(zeros, 9), 9)
    if coding == "br":
        return brotli.compress(zeros, quality=5)
    if coding == "zstd":
        return zstandard.compress(zeros, 3)
    return zlib.compress(zeros, 9) if coding == "deflate" else gzip.compress(zeros, 9)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "nested"])
async def test_bombs_do_not_go_off(site: Site, coding: str) -> None:
    body = b"x" if coding == "nested" else _bomb(coding)
    label = "gzip, gzip, gzip, gzip" if coding == "nested" else coding
    site.say(body=body, headers={"Content-Encoding": label})
    async with Fetcher(limits(timeout=10)) as fetcher:
        tracemalloc.start()
        try:
            with pytest.raises(FetchError) as failed:
                await fetcher.fetch(site.url())
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert isinstance(failed.value, TooLargeError | BadAnswerError)
    assert most < 30_000_000


async def test_a_large_but_honest_body_passes(site: Site) -> None:
    plain = b"<rss>" + bytes(range(256)) * 16_000 + b"</rss>"
    site.say(body=plain)
    async with Fetcher(limits(timeout=10)) as fetcher:
        assert (await fetcher.fetch(site.url())).body == plain


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
async def test_broken_compression_is_said(site: Site, fetcher: Fetcher, coding: str) -> None:
    plain = b"<rss>" + bytes(range(256)) * 50 + b"</rss>"
    whole = {
        "gzip": gzip.compress(plain),
        "deflate": zlib.compress(plain),
        "br": brotli.compress(plain),
        "zstd": zstandard.ZstdCompressor(write_checksum=True).compress(plain),
    }[coding]
    half, spoiled = whole[: len(whole) // 2], whole[:12] + b"\xff\x00\xff" + whole[15:]
    for body in (half, spoiled):
        site.say(body=body, headers={"Content-Encoding": coding})
        with pytest.raises(FetchError):
            await fetcher.fetch(site.url())


async def huge_header(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"X-Large: " + b"x" * 1_000_000 + b"\r\n\r\n<rss/>")
    await writer.drain()


async def many_headers(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"".join(b"X-%d: y\r\n" % n for n in range(100_000)) + b"\r\n<rss/>")
    await writer.drain()


async def endless_headers(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)
    while True:
        writer.write(b"X-Again: and again\r\n" * 1000)
        await writer.drain()


async def garbage(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x01 nonsense \xff\xfe\r\n\r\n")
    await writer.drain()


async def bad_length(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: -5\r\n\r\n<rss/>")
    await writer.drain()


async def bad_chunk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n")
    await writer.drain()


@pytest.mark.parametrize("talk", [huge_header, many_headers, endless_headers, garbage, bad_length, bad_chunk])
async def test_what_is_no_proper_http_is_said(talk: Talk) -> None:
    error, _ = await failing(talk, timeout=5.0)
    assert isinstance(error, BadAnswerError | CutError)


async def hangs_up(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Close without a word."""


async def half_a_body(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: 100\r\n\r\n<rss>")
    await writer.drain()


async def half_a_chunk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n64\r\n<rss>")
    await writer.drain()


async def half_a_head(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK[:20])
    await writer.drain()


@pytest.mark.parametrize("talk", [hangs_up, half_a_body, half_a_chunk, half_a_head])
async def test_cut_connections_are_said_and_never_taken_for_a_whole_feed(talk: Talk) -> None:
    error, _ = await failing(talk)
    assert isinstance(error, CutError)
    assert error.passing


async def redirect_with_endless_body(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: /next\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b" " * 4096 + b"\r\n")
        await writer.drain()


async def test_a_redirects_own_body_is_not_read() -> None:
    error, seconds = await failing(redirect_with_endless_body)
    assert isinstance(error, RedirectError)
    assert seconds < 1


async def test_nobody_there(fetcher: Fetcher) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConnectError, match="cannot be reached"):
        await fetcher.fetch(f"http://127.0.0.1:{port}/")


async def test_a_name_that_does_not_exist() -> None:
    def lookup(host: str, port: int) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with Fetcher(FeedLimits(timeout=2), lookup=lookup) as fetcher:
        with pytest.raises(DnsError, match=r"nowhere\.example"):
            await fetcher.fetch("https://nowhere.example/feed")


async def test_certificates_are_checked(tmp_path: Path) -> None:
    context, trusting = await certificate(tmp_path, "DNS:paper.example")

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"Content-Length: 6\r\n\r\n<rss/>")
        await writer.drain()

    def lookup(host: str, port: int) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with raw_server(talk, context) as port:
        async with Fetcher(limits(timeout=5), lookup=lookup, tls=trusting) as fetcher:
            assert (await fetcher.fetch(f"https://paper.example:{port}/")).body == b"<rss/>"
            with pytest.raises(TlsError, match=r"certificate of other\.example"):
                await fetcher.fetch(f"https://other.example:{port}/")
        async with Fetcher(limits(timeout=5), lookup=lookup) as fetcher:
            with pytest.raises(TlsError, match="self-signed"):
                await fetcher.fetch(f"https://paper.example:{port}/")
    async with serving() as site, Fetcher(limits(timeout=5)) as fetcher:
        with pytest.raises(FetchError):
            await fetcher.fetch(f"https://127.0.0.1:{site.port}/")


async def test_from_https_nothing_leads_back_to_http(tmp_path: Path, site: Site) -> None:
    context, trusting = await certificate(tmp_path, "IP:127.0.0.1")

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 301 Moved\r\nLocation: {site.url()}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    async with raw_server(talk, context) as port, Fetcher(limits(timeout=5), tls=trusting) as fetcher:
        with pytest.raises(RedirectError, match="unprotected"):
            await fetcher.fetch(f"https://127.0.0.1:{port}/")
    assert site.asked == []


# ----------------------------------------------------------------- many at once


async def test_one_host_has_a_share_and_waiting_costs_no_time_of_its_own(site: Site) -> None:
    site.say(body="<rss/>")
    site.pause = 0.1
    async with Fetcher(limits(timeout=0.5, per_host=2)) as fetcher:
        await asyncio.gather(*(fetcher.fetch(site.url()) for _ in range(20)))  # 1 s in all
    assert site.most_under_way == 2
    assert len(site.asked) == 20


async def test_all_together_have_a_limit() -> None:
    async with serving("127.0.0.1") as site, Fetcher(limits(concurrency=3, per_host=10)) as fetcher:
        site.say(body="<rss/>")
        site.pause = 0.02
        await asyncio.gather(*(fetcher.fetch(site.url()) for _ in range(12)))
        assert site.most_under_way == 3


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "br", "zstd"]))
def test_no_bytes_make_a_decoder_stumble(body: bytes, coding: str) -> None:
    for start in (b"", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd", b"\x78\x9c"):
        try:
            plain = decode.decompress(start + body, (coding,), max_bytes=100_000)
        except FetchError:
            continue
        assert len(plain) <= 100_000


def test_a_file_of_a_thousand_empty_parts_is_refused() -> None:
    with pytest.raises(BadAnswerError):
        decode.decompress(gzip.compress(b"") * 100_000, ("gzip",), max_bytes=5_000_000)


def test_loopback_is_what_these_tests_allow() -> None:
    assert [str(network) for network in LOOPBACK] == ["127.0.0.0/8"]
