"""Which characters the bytes of a document mean: BOM, then HTTP, then the declaration, then detection.

The order is that of RFC 7303 (section 3: a BOM is the most certain, then the charset parameter of the
media type) and of XML 1.0, appendix F. A charset that is unknown or does not fit its bytes is passed
over rather than believed.
"""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)

# "<?xm" in the families that are not ASCII-compatible (XML 1.0, appendix F.1), and "<" followed by an
# ASCII letter in UTF-16 and UTF-32 without any declaration.
_SIGNATURES = (
    (b"\x00\x00\x00\x3c", "utf-32-be"),
    (b"\x3c\x00\x00\x00", "utf-32-le"),
    (b"\x00\x3c\x00", "utf-16-be"),
    (b"\x3c\x00", "utf-16-le"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)

_HEAD = 1024  # bytes in which a declaration has to stand
_DECLARED = re.compile(rb"^\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_MARKUP = re.compile(r"<(?:[A-Za-z]|\?x|!-|!D|!d)|\{")
_DECLARATION = re.compile(r"^\s*<\?xml\s[^>]{0,500}\?>")
_WIDE_NAMES = frozenset(
    {"utf-16", "utf16", "utf-32", "utf32", "ucs-2", "ucs-4", "iso-10646-ucs-2", "iso-10646-ucs-4"}
)
# The smaller set's name is met with the larger set's characters (WHATWG Encoding, section 4.2).
_LARGER = {
    "gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "windows-1252", "latin-1": "windows-1252",
    "shift_jis": "cp932", "ks_c_5601-1987": "cp949", "euc-kr": "cp949",
}  # fmt: skip
_HIGH = bytes(range(0x80, 0x100))
_LETTERS_TO_JUDGE = 40  # fewer bytes beyond ASCII say nothing
_NOT_TEXT = frozenset((
    "base64", "bz2", "hex", "quopri", "rot13", "uu", "zip", "zlib", "idna", "punycode", "unicode_escape",
    "raw_unicode_escape", "undefined", "mbcs", "oem",
))  # fmt: skip


def http_charset(content_type: str | None) -> str:
    """Give the charset parameter of a Content-Type field, or ""."""
    for parameter in (content_type or "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'")[:40]
    return ""


def utf8_document(content: bytes, content_type: str | None = None, *, trusting: bool = False) -> bytes:
    """Give the document in UTF-8, without BOM, and without a declaration where that would now be wrong.

    `trusting` leaves bytes that are said to be UTF-8 unread, for readers that check them anyway.
    """
    bom = next((name for mark, name in _BOMS if content.startswith(mark)), "")
    # FF FE 00 00 is UTF-32 LE, unless it is UTF-16 LE text that starts with a NUL, which no feed does.
    if bom:
        content = content[
            next(len(mark) for mark, name in _BOMS if name == bom and content.startswith(mark)) :
        ]
    wide = bom or next((name for mark, name in _SIGNATURES if content.startswith(mark)), "")
    declared = _declared(content, wide)
    named = (bom, http_charset(content_type), declared)
    if wide in ("", "utf-8") and all(name.lower() in ("", "utf-8", "utf8") for name in named):
        if trusting:
            return content
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            return content
    # Bytes that are plainly UTF-16 or 32 are so whatever is said of them: read as UTF-8, they would be
    # text full of NULs, but text.
    sure = wide if wide.startswith(("utf-16", "utf-32")) else ""
    for name in (sure, *named, wide, "utf-8"):
        text = _decoded(content, name)
        if text is not None:
            return _without_declaration(text)
    return _without_declaration(_detected(content))


def _declared(content: bytes, wide: str) -> str:
    head = content[:_HEAD]
    if wide and wide != "utf-8":
        head = head[: len(head) // 4 * 4].decode(wide, "ignore").encode("utf-8")
    match = _DECLARED.match(head)
    name = match.group(1).decode("ascii").lower() if match else ""
    if name in _WIDE_NAMES:
        # Whoever could read this name has already found the width and the order.
        return wide
    return name


def _decoded(content: bytes, name: str) -> str | None:
    name = name.lower()
    for candidate in (_LARGER.get(name, name), name):
        if not candidate:
            return None
        try:
            codec = codecs.lookup(candidate)
            if codec.name.replace("-", "_") in _NOT_TEXT:
                return None
            text = content.decode(candidate)  # refuses what makes no text of bytes
        except (LookupError, UnicodeError, ValueError):
            continue
        # Read in the wrong family (EBCDIC, UTF-16) the bytes are some text, but not a document.
        if isinstance(text, str) and _MARKUP.search(text, 0, 4096):
            return text
    return None


def _detected(content: bytes) -> str:
    """Read bytes that are in none of the named charsets.

    Mostly they are UTF-8 with a few bytes broken (a text cut inside a character); else one of the
    single-byte sets, which charset-normalizer tells apart by the letters, given enough of them.
    """
    text = content.decode("utf-8", "replace")
    foreign = len(content) - len(content.translate(None, _HIGH))
    broken = text.count("\ufffd")
    if broken * 8 < foreign:
        return text
    guess = ""
    if foreign > _LETTERS_TO_JUDGE:
        # Imported here: it costs 20 ms and few feeds need it.
        from charset_normalizer import from_bytes

        best = from_bytes(content[:65_536], steps=4, chunk_size=256).best()
        guess = best.encoding if best else ""
    return _decoded(content, guess) or content.decode("windows-1252", "replace")


def _without_declaration(text: str) -> bytes:
    match = _DECLARATION.match(text[:_HEAD])
    if match:
        text = text[match.end() :]
    return text.encode("utf-8", "replace")
