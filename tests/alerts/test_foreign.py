"""Text from outside is plain words in a message, whatever it holds."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.alerts.foreign import BREAK, clean, host, link, plain_text, safe_text, safe_url, width
from tests.alerts.markdown import read, starts_block, tokens

# Pieces that mean something to Discord, in any mixture with any characters.
PIECES = st.sampled_from(
    [
        "](http://evil.example)",
        "[x](http://evil.example)",
        "[",
        "]",
        "(",
        ")",
        "](",
        "<@1>",
        "<@&1>",
        "<@!1>",
        "@everyone",
        "@here",
        "<#1>",
        "</ban:1>",
        "<t:0:R>",
        "<id:customize>",
        "<a:x:1>",
        "<:x:1>",
        "<",
        ">",
        "@",
        "http://evil.example/x",
        "https://",
        "HTTPS://EVIL.example",
        "://",
        "discord.gg/abc",
        "discord.com/invite/x",
        "**",
        "*",
        "__",
        "_",
        "~~",
        "||",
        "|",
        "`",
        "```",
        "\\",
        "\\\\",
        "# ",
        "-# ",
        "> ",
        ">>> ",
        "- ",
        "1. ",
        "\u202e",
        "\u200b",
        "\u2066",
        "\x00",
        "\x1b[31m",
        "\x85",
        "\ud800",
        "\udfff",
        "\U000e0041",
        "\u2028",
        "\n",
        "\r\n",
        "\t",
        "e\u0301",
        "a" + "\u0301" * 30,
        "👨‍👩‍👧‍👦",
        "🇩🇪",
        "#️⃣",
        "word",
        " ",
        "(paren)",
    ]
)
NASTY = st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=12).map("".join)
URLS = st.one_of(
    NASTY,
    NASTY.map(lambda s: "https://news.example/" + s),
    NASTY.map(lambda s: "http://news.example/?q=" + s + "#" + s),
    NASTY.map(lambda s: "https://" + s),
    st.sampled_from(
        ["https://a.example/x", "http://[::1]/", "https://münchen.example/ä", "ftp://a.example/"]
    ),
)


@given(NASTY, st.integers(1, 300))
@example("discord.gg/abc", 100)
@example("d\u0131scord.gg/abc", 100)  # letters that are "i" to whoever ignores case
@example("D\u0130SCORD.GG/abc", 100)
@example("\u0d4e@everyone", 100)  # a letter that joins the next character to its own grapheme
def test_a_text_is_plain_words_however_it_is_cut(text: str, limit: int) -> None:
    made = safe_text(text, limit)
    assert width(made) <= limit
    assert all(piece.kind == "text" for piece in read(made)), made
    assert tokens(made) == []
    assert not starts_block(made)


@given(NASTY)
def test_nothing_visible_is_lost(text: str) -> None:
    shown = "".join(piece.text for piece in read(safe_text(text, 10_000)))
    assert shown.replace(BREAK, "") == clean(text)


@given(NASTY)
def test_what_cannot_be_seen_is_gone(text: str) -> None:
    for character in clean(text):
        assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"), ascii(character)
    assert clean(text) == clean(clean(text))
    clean(text).encode("utf-8")  # no lone surrogate is left


@given(NASTY, URLS, st.integers(1, 300))
def test_a_link_goes_where_it_says_and_nowhere_else(text: str, url: str, limit: int) -> None:
    made = link(text, url, limit)
    address = safe_url(url)
    pieces = read(made)
    if address is None:
        assert all(piece.kind == "text" for piece in pieces)
    else:
        assert [piece.kind for piece in pieces] == ["link"], made
        assert pieces[0].target == address
        assert all(piece.kind == "text" for piece in read(pieces[0].text))
        assert not set(pieces[0].text.replace("\\", "")) & set("[]()")
    assert tokens(made) == []


@given(URLS)
def test_an_address_is_ascii_web_and_without_credentials_or_it_is_none(url: str) -> None:
    made = safe_url(url)
    if made is not None:
        assert made.isascii() and len(made) <= 600
        assert made.startswith(("http://", "https://"))
        assert not set(made) & set(" <>()[]@\\\"'`*|^{}")
        assert safe_url(made) == made


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://www.eff.org/deeplinks", "eff.org"),
        ("https://müller.example/x", "müller.example"),
        ("https://xn--mller-kva.example/", "müller.example"),
        ("https://аррӏе.example/", "xn--80ak6aa92e.example"),  # Cyrillic letters that look like "apple"
        ("https://ex\u200bample.org/", ""),
        ("http://user:secret@news.example/", "news.example"),
        ("javascript:alert(1)", ""),
        ("nonsense", ""),
    ],
)
def test_a_host_is_shown_so_that_it_passes_for_no_other(url: str, shown: str) -> None:
    if "\u200b" in url:
        assert safe_url(url) is None
    else:
        assert host(url) == shown


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "ftp://a.example/", "https://user@a.example/",
     "https://user:pw@a.example/", "//a.example/", "https://", "https://a.example:99999/", "https://[::1/",
     "https://a.example/\x00", "https://a.example/" + "x" * 700],
)  # fmt: skip
def test_no_other_address_is_linked(url: str) -> None:
    assert safe_url(url) is None
    assert read(link("words", url, 100))[0].kind == "text"


def test_readable_text_stays_readable() -> None:
    assert (
        safe_text("CBP's summons (2017): “unmask” 5 users?", 100) == "CBP's summons (2017): “unmask” 5 users?"
    )
    assert safe_text("x" * 50, 10) == "xxxxxxxxx…"
    assert plain_text("  two\n words ", 100) == "two words"


def test_a_cut_never_splits_what_people_see_as_one_character() -> None:
    flags = "🇩🇪🇫🇷🇪🇸"
    assert safe_text(flags, 9) == "🇩🇪🇫🇷…"
    assert safe_text("e\u0301" * 5, 6) == "e\u0301" * 2 + "…"
