"""Feeds that are not well-formed: every entry that can be read is read."""

from __future__ import annotations

import pytest

from bot.feeds.reading.salvage import salvage
from tests.feeds.documents import NOW, WHERE, atom, ordinary_rss, parsed, rss


def titles(content: bytes) -> list[str]:
    return [entry.title for entry in parsed(content).entries]


ONE = "<item><title>One</title><link>https://n.example/1</link></item>"


@pytest.mark.parametrize(
    "content",
    [
        b"\n\n" + rss(ONE),
        b"<br />\n<b>Warning</b>: no such file in line 3\n" + rss(ONE),
        b"\xef\xbb\xbf\xef\xbb\xbf" + rss(ONE),
        rss(ONE) + b"<script>track()</script>",
        rss(ONE) + b"\n<!-- cached in 3 ms --> trailing words",
        rss(ONE.replace("One", "O\x0cne".replace("\x0c", "\x08"))),
        rss(ONE + "<description>a & b &nbsp; &bogus; c</description>"),
        rss(ONE).replace(b'version="2.0"', b"version=2.0"),
        rss(ONE).removesuffix(b"</channel></rss>"),
        rss(ONE).replace(b"</link>", b""),
        rss(ONE).replace(b"</item>", b"<description><p>un<br>closed</description></item>"),
        rss(ONE).replace(b"</item>", b"<x:y>undeclared</x:y></item>"),
        rss(ONE).replace(b"<?xml", b"<?xml?xml"),
        rss(ONE).replace(b"<title>One", b"<title><![CDATA[One]]>"),
    ],
)
def test_one_entry_whatever_is_broken(content: bytes) -> None:
    assert titles(content) == ["One"]


def test_a_tag_closed_by_another_costs_no_more_than_itself() -> None:
    feed = parsed(rss(ONE.replace("</title>", "</titel>") + ONE))
    assert [entry.url for entry in feed.entries] == ["https://n.example/1"] * 2
    assert feed.entries[1].title == "One"


def test_undeclared_prefixes_mean_what_they_usually_mean() -> None:
    feed = parsed(
        b"<rss version='2.0'><channel><title>D</title><item><title>One</title><dc:creator>Jo</dc:creator>"
        b"<content:encoded>Full</content:encoded></item></channel></rss>"
    )
    assert (feed.entries[0].authors, feed.entries[0].content) == (("Jo",), "Full")


def test_a_feed_cut_in_the_middle_keeps_the_entries_before_and_not_the_half_of_one() -> None:
    content = rss(ONE + ONE.replace("One", "Two") + ONE.replace("One", "Three"))
    cut = parsed(content[: content.index(b"Three") + 2])
    assert ([entry.title for entry in cut.entries], cut.cut) == (["One", "Two"], True)
    alone = parsed(content[: content.index(b"</item>")])
    assert ([entry.title for entry in alone.entries], alone.cut) == (["One"], True)
    assert not parsed(content).cut
    assert not parsed(content.removesuffix(b"</channel></rss>")).cut, "nothing of it is missing"


def test_where_reading_ends_in_an_entry_of_a_long_broken_feed_that_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With each look it was another, and half of it an entry of its own or an edit."""
    content = rss("<x>a & b</x>" + ONE + ONE.replace("One", "Two") + ONE.replace("One", "Three"))
    monkeypatch.setattr("bot.feeds.parse.MAX_MENDED_BYTES", content.index(b"Three") + 2)
    feed = parsed(content)
    assert ([entry.title for entry in feed.entries], feed.cut) == (["One", "Two"], False)


def test_one_broken_entry_spoils_no_other_in_a_long_feed() -> None:
    content = ordinary_rss(60, 6000)
    broken = content.replace(b"Order no. 30 ", b"Order <no. 30 <b & ", 1).replace(b"</guid>", b"</gid>", 1)
    found = parsed(broken).entries
    assert len(found) == 60
    assert sum(entry.title.startswith("Order no.") for entry in found) >= 58
    assert all(entry.content for entry in found[1:30])


def test_salvage_reads_entries_apart() -> None:
    content = atom(
        "<title>D</title>"
        "<entry><title>One</title><id>1</id></entry><entry><title>Two<id>2</entry>"
        "<entry><title>Three</title><id>3</id></entry>"
    )
    feed = salvage(content, WHERE, NOW)
    assert feed is not None
    assert feed.title == "D"
    assert [entry.id for entry in feed.entries][::2] == ["1", "3"]


def test_an_item_in_a_cdata_section_is_text() -> None:
    content = rss(
        f"<item><title>One</title><description><![CDATA[<item><title>Not</title></item>]]></description></item>{ONE}<x>"
    )
    assert titles(content) == ["One", "One"]
