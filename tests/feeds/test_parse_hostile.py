"""Documents made to hurt: a clear sentence or a bounded feed, within 5 s of computing and bounded memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.feeds.errors import ParseError
from bot.feeds.model import Feed
from bot.feeds.reading.limits import MAX_BYTES, MAX_ENTRIES, MAX_TEXT
from tests.feeds.documents import parsed

SECONDS = 5.0  # of the processor, so that a busy machine does not make the test fail


def rss(inner: bytes) -> bytes:
    return b'<?xml version="1.0"?><rss version="2.0"><channel><title>D</title>' + inner + b"</channel></rss>"


ITEM = b"<item><title>x</title></item>"
ATTRIBUTES = b" ".join(b'a%d="x"' % number for number in range(100_000))


def billion_laughs() -> bytes:
    declared = b'<!ENTITY l0 "lol">' + b"".join(
        b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10)
    )
    return b"<!DOCTYPE r [" + declared + b"]><rss><channel><item><title>&l9;</title></item></channel></rss>"


CASES: dict[str, Callable[[], bytes]] = {
    "one tag, 100,000 attributes": lambda: rss(b"<item " + ATTRIBUTES + b"><title>t</title></item>"),
    "the same, ill-formed": lambda: rss(b"<item " + ATTRIBUTES + b"><title>t</title></item><x>"),
    "one attribute 100,000 times": lambda: rss(b"<item " + b'a="x" ' * 100_000 + b"><title>t</title></item>"),
    "billion laughs": billion_laughs,
    "quadratic blow-up": lambda: (
        b'<!DOCTYPE r [<!ENTITY a "' + b"A" * 190 + b'">]><rss><channel><title>' + b"&a;" * 1_000_000
    ),
    "nested 100,000 deep": lambda: rss(ITEM + b"<a>" * 100_000 + b"</a>" * 100_000),
    "nested and open": lambda: rss(ITEM + b"<a>" * 100_000),
    "nested inside a text": lambda: rss(
        b"<item><description>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</description></item>"
    ),
    "a small document, nested": lambda: rss(b"<item><description>" + b"<a>" * 30_000),
    "500,000 entries": lambda: rss(ITEM * 500_000),
    "1,000,000 empty entries": lambda: rss(b"<item/>" * 1_000_000),
    "1,000,000 open entries": lambda: rss(b"<item>" * 1_000_000),
    "entries inside entries with bases": lambda: rss(b"<item xml:base='x/'>" * 9_000),
    "15 MB in one text": lambda: rss(b"<item><description>" + b"A" * 15_000_000 + b"</description></item>"),
    "3,900,000 tags in one entry": lambda: rss(b"<item>" + b"<a/>" * 3_900_000 + b"</item>"),
    "the same in a text": lambda: rss(
        b"<item><description>" + b"<a/>" * 3_900_000 + b"</description></item>"
    ),
    "the same, open": lambda: rss(b"<item><description>" + b"<a>" * 3_900_000),
    "10,000,000 ampersands": lambda: rss(b"<item><title>" + b"&" * 10_000_000 + b"</title></item>"),
    "1,000,000 HTML names": lambda: rss(b"<item><title>" + b"&eacute;" * 1_000_000 + b"</title></item>"),
    "NULs only": lambda: b"\0" * 5_000_000,
    "brackets only": lambda: b"<" * 5_000_000,
    "brackets in a feed": lambda: b"<rss><channel><item><title>" + b"<" * 2_000_000,
    "half tags": lambda: b"<rss><channel><item><title>" + b"<a " * 60_000,
    "open CDATA sections": lambda: rss(b"<item><title>" + b"<![CDATA[" * 1_000_000),
    "open comments": lambda: rss(b"<!--" * 60_000),
    "an endless declaration": lambda: b"<!DOCTYPE x [" + b"]" * 3_000_000,
    "1,000,000 declarations": lambda: b"<!DOCTYPE x [" + b"<!ENTITY " * 1_000_000 + b"><rss>",
    "declared encodings": lambda: b"<?xml " + b"encoding=" * 200_000 + b"?>",
    "100,000 namespaces": lambda: rss(
        b"".join(b'<x%d:a xmlns:x%d="u%d"/>' % (n, n, n) for n in range(100_000))
    ),
    "dates that are none": lambda: rss(
        (b"<item><title>t</title><pubDate>" + b"1 a" * 25 + b"</pubDate></item>") * 4_000
    ),
    "a title of half tags": lambda: rss(b"<item><title>" + b"&lt;b " * 2_000_000 + b"</title></item>"),
    "white space": lambda: b" " * 10_000_000,
    "JSON, nested": lambda: b'{"items":' + b"[" * 1_000_000,
    "JSON, 1,000,000 items": lambda: b'{"items":[' + b"{}," * 999_999 + b"{}]}",
    "JSON, a number of 1,000,000 digits": lambda: b'{"items":[{"id":' + b"9" * 1_000_000 + b"}]}",
    "random bytes": lambda: os.urandom(1_000_000),
    "ill-formed HTML": lambda: rss(b"<item><title>t</titel><description>" + b"<p>a<b>" * 17_000),
    "ill-formed addresses": lambda: rss(
        b"<item><title>t</titel><author>" + b"a@b." * 25_000 + b"</author></item>"
    ),
}  # fmt: skip


def bounded(feed: Feed) -> bool:
    return len(feed.entries) <= MAX_ENTRIES and all(
        len(entry.summary) <= MAX_TEXT and len(entry.content) <= MAX_TEXT for entry in feed.entries
    )


@pytest.mark.parametrize("name", CASES)
def test_in_bounded_time(name: str) -> None:
    content = CASES[name]()
    started = time.process_time()
    try:
        feed = parsed(content)
    except ParseError as error:
        assert len(str(error)) < 300
        assert "\n" not in str(error)
    else:
        assert bounded(feed)
    assert time.process_time() - started < SECONDS


def test_what_is_too_large_is_told() -> None:
    with pytest.raises(ParseError, match="16 MB"):
        parsed(rss(b"<item><description>" + b"A" * 50_000_000 + b"</description></item>"))
    assert len(b"x" * (MAX_BYTES + 1)) > MAX_BYTES


@pytest.mark.parametrize("reference", ["file:///etc/passwd", "http://127.0.0.1:1/x"])
def test_external_entities_are_nothing(reference: str) -> None:
    feed = parsed(
        f'<!DOCTYPE r [<!ENTITY x SYSTEM "{reference}"><!ENTITY % y SYSTEM "{reference}"> %y;]>'
        f"<rss><channel><title>D</title><item><title>a&x;b</title></item></channel></rss>".encode()
    )
    assert "root:" not in feed.entries[0].title
    assert feed.entries[0].title.startswith("a")


@pytest.mark.parametrize(
    "name",
    [
        "the same in a text",
        "the same, open",
        "15 MB in one text",
        "10,000,000 ampersands",
        "1,000,000 HTML names",
    ],
)
def test_in_bounded_memory(name: str) -> None:
    """Each in a process of its own, the document included: the peak stays under 300 MB."""
    script = (
        "import sys\n"
        "from tests.feeds.test_parse_hostile import CASES, ParseError, parsed\n"
        "try: parsed(CASES[sys.argv[1]]())\n"
        "except ParseError: pass\n"
        # Not ru_maxrss: that of a child begins with what its parent held.
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM:'))\n"
        "print(int(peak.split()[1]) // 1024)\n"
    )
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(
        [sys.executable, "-c", script, name],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert int(run.stdout) < 300
