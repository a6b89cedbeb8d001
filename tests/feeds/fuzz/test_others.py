"""Whatever the bytes: texts, lists and pages of strangers; `targets` has the feeds themselves."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.feeds.discover import find_feeds
from bot.feeds.opml import OpmlError, read_list
from bot.feeds.reading.clean import one_line, plain_text, title_text

NOW = datetime(2026, 11, 25, tzinfo=UTC)
fuzzed = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@fuzzed
@given(st.text(st.characters(codec=None), max_size=200))
@example("<!--" + "<" * 50)
@example("\u200d" * 20)
def test_texts(text: str) -> None:
    for markup in (True, False, None):
        title = title_text(text, markup)
        assert title == one_line(title)
        assert "\n" not in title
        assert not any("\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" for char in title)
    plain_text(text)


@fuzzed
@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from(
                [
                    b"<opml>",
                    b"<body>",
                    b"<outline ",
                    b"xmlUrl='http://n.example/' ",
                    b">",
                    b"/>",
                    b"</outline>",
                    b"</body></opml>",
                    b"&",
                    b"<!DOCTYPE x [",
                    b"]>",
                ]
            ),
            max_size=30,
        ).map(b"".join),
    )
)
def test_lists(content: bytes) -> None:
    try:
        found = read_list(content)
    except OpmlError as error:
        assert "\n" not in str(error)
    else:
        assert all(feed.url.startswith(("http://", "https://")) for feed in found.feeds)


@fuzzed
@given(st.binary(max_size=300), st.lists(st.text('<>;,="\\ relatrnive/x', max_size=60), max_size=3))
def test_discovery(html: bytes, headers: list[str]) -> None:
    assert all(link.url.startswith("http") for link in find_feeds(html, "https://n.example/", headers, None))
