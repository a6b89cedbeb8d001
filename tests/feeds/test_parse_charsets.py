"""Which characters the bytes mean: BOM, HTTP, declaration, detection."""

from __future__ import annotations

import codecs

import pytest

from tests.feeds.documents import only, parsed

GREEK = "Το δικαστήριο ζήτησε από την υπηρεσία τα στοιχεία των πολιτών και η υπηρεσία αρνήθηκε. " * 3


def document(title: str, declared: str | None = None) -> str:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    item = f"<item><title>{title}</title></item>"
    return f"{declaration}<rss version='2.0'><channel><title>D</title>{item}</channel></rss>"


@pytest.mark.parametrize(
    "name",
    [
        "utf-8",
        "iso-8859-1",
        "windows-1252",
        "iso-8859-15",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "cp037",
        "cp500",
        "macintosh",
    ],
)
def test_declared(name: str) -> None:
    assert only(document("Café", name).encode(name)).title == "Café"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("euc-kr", "한국어"),
        ("shift_jis", "日本語"),
        ("big5", "中文"),
        ("gb2312", "中文"),
        ("koi8-r", "Привет"),
        ("windows-1251", "Привет"),
    ],
)
def test_declared_beyond_latin(name: str, title: str) -> None:
    assert only(document(title, name).encode(name)).title == title


def test_http_goes_before_the_declaration() -> None:
    content = document("Привет", "iso-8859-1").encode("koi8-r")
    assert only(content, "application/rss+xml; charset=KOI8-R").title == "Привет"


def test_a_bom_goes_before_all() -> None:
    content = codecs.BOM_UTF8 + document("Café", "iso-8859-1").encode()
    assert only(content, "text/xml; charset=iso-8859-1").title == "Café"


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/xml",
        "text/xml; charset=us-ascii",
        'text/xml; charset="nonsense"',
        "text/xml; charset=base64",
    ],
)
def test_a_charset_that_does_not_fit_is_passed_over(content_type: str | None) -> None:
    assert only(document("Café", "utf-8").encode(), content_type).title == "Café"
    assert only(document("Café", "utf-8").encode("windows-1252"), content_type).title == "Café"


def test_utf_16_that_calls_itself_utf_8() -> None:
    assert only(document("Café", "utf-8").encode("utf-16-le")).title == "Café"


def test_undeclared_is_detected() -> None:
    assert only(document(GREEK).encode("iso-8859-7")).title == GREEK.strip()


def test_a_broken_byte_spoils_one_character() -> None:
    content = document("Größe und Wörter über Straßen").encode().replace("ß".encode(), b"\xc3", 1)
    title = only(content).title
    assert title.startswith("Grö")
    assert title.endswith("Wörter über Straßen")


def test_windows_characters_in_latin_1() -> None:
    assert only(document("It’s – “so”", "iso-8859-1").encode("windows-1252")).title == "It’s – “so”"
    assert parsed(document("x", "iso-8859-1").encode("latin-1")).title == "D"


@pytest.mark.parametrize("name", ["rot13", "zlib", "hex", "idna", "undefined", "unicode_escape", "x" * 5000])
def test_a_codec_that_is_no_charset_is_passed_over(name: str) -> None:
    assert only(document("Café").encode(), f"text/xml; charset={name}").title == "Café"
    assert only(document("Café", name).encode()).title == "Café"
