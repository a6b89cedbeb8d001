"""Undoing Content-Encoding (RFC 9110 section 8.4) with a bound on what comes out.

Sizes count after decompression, piece by piece: 195 KB of brotli can hold 3 GB.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import brotli

from bot.errors import told
from bot.feeds.fetch_errors import BadAnswerError, TooLargeError

ACCEPT_ENCODING = "gzip, deflate, br, zstd"

_PIECE = 64 * 1024
_ZSTD_PIECE = 128
_MOST_CODINGS = 3
_MOST_MEMBERS = 100  # of one file; each costs time without giving bytes
_ZSTD_WINDOW = 8 * 1024 * 1024  # RFC 9659: the most that a sender may ask for
# Real feeds shrink to a twentieth, repetitive ones to a sixtieth; bombs to a thousandth and less.
_MOST_RATIO = 200
_RATIO_COUNTS_FROM = 1024 * 1024

_ALIASES = {"x-gzip": "gzip", "gzip": "gzip", "deflate": "deflate", "br": "br", "zstd": "zstd"}


def codings(header: str) -> tuple[str, ...]:
    """Give the codings that were applied, in order; names that nobody knows stand for none at all."""
    names = (_ALIASES.get(part.strip().lower()) for part in header.split(","))
    return tuple(name for name in names if name)


def decompress(body: bytes, applied: tuple[str, ...], *, max_bytes: int) -> bytes:
    """Undo the codings, last first. Raises `TooLargeError`, `BadAnswerError`. CPU work."""
    if len(applied) > _MOST_CODINGS:
        raise BadAnswerError(
            told(
                "The answer is compressed {number} times over, which no honest server does.",
                number=len(applied),
            )
        )
    for coding in reversed(applied):
        body = _bounded(body, coding, max_bytes)
    return body


def _bounded(body: bytes, coding: str, max_bytes: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in _PIECES[coding](body):
            size += len(piece)
            if size > max_bytes:
                raise TooLargeError(
                    told("The answer is larger than {size} once decompressed.", size=shown_size(max_bytes))
                )
            if size > _RATIO_COUNTS_FROM and size > _MOST_RATIO * len(body):
                raise TooLargeError(
                    told(
                        "The answer grows more than {number} times when decompressed, as no real feed does.",
                        number=_MOST_RATIO,
                    )
                )
            pieces.append(piece)
    except (zlib.error, brotli.error, EOFError) as error:
        raise BadAnswerError(
            told("The answer is not the {coding} data that it says it is.", coding=coding)
        ) from error
    return b"".join(pieces)


def _gunzip(body: bytes) -> Iterator[bytes]:
    if body[:2] != b"\x1f\x8b":  # a common misconfiguration: labelled and never compressed
        yield body
        return
    members = 0
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    for start in range(0, len(body), _PIECE):
        data = body[start : start + _PIECE]
        while data:
            if decoder.eof:
                members += 1
                _refuse_many(members)
                if not data.strip(b"\0"):
                    break  # padding
                decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
            yield decoder.decompress(data, _PIECE)
            data = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
    yield from _rest(decoder)


def _inflate(body: bytes) -> Iterator[bytes]:
    # "deflate" means the zlib format; some servers send the bare stream (RFC 9110 section 8.4.1.2).
    framed = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    decoder = zlib.decompressobj(zlib.MAX_WBITS if framed else -zlib.MAX_WBITS)
    for start in range(0, len(body), _PIECE):
        data = body[start : start + _PIECE]
        while data and not decoder.eof:
            yield decoder.decompress(data, _PIECE)
            data = decoder.unconsumed_tail
    yield from _rest(decoder)


def _rest(decoder: zlib._Decompress) -> Iterator[bytes]:
    """What the decoder still holds after its last input."""
    while not decoder.eof:
        piece = decoder.decompress(b"", _PIECE)
        if not piece:
            raise EOFError
        yield piece


def _unbrotli(body: bytes) -> Iterator[bytes]:
    decoder = brotli.Decompressor()
    data = body
    while not decoder.is_finished():
        piece = decoder.process(data, output_buffer_limit=_PIECE)
        data = b""
        if not piece and not decoder.is_finished():
            raise EOFError
        yield piece


def _unzstd(body: bytes) -> Iterator[bytes]:
    import zstandard  # few servers send it, and each start would wait for it

    # This decoder has no bound on what one call gives, so it is fed little at a time: a block of four
    # bytes can stand for 128 KB.
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    decoder = decompressor.decompressobj()
    members = 0
    for start in range(0, len(body), _ZSTD_PIECE):
        data = body[start : start + _ZSTD_PIECE]
        while data:
            if decoder.eof:
                members += 1
                _refuse_many(members)
                decoder = decompressor.decompressobj()
            try:
                piece = decoder.decompress(data)
            except zstandard.ZstdError as error:
                raise EOFError from error
            yield piece
            data = decoder.unused_data if decoder.eof else b""
    if not decoder.eof:
        raise EOFError


def _refuse_many(members: int) -> None:
    if members > _MOST_MEMBERS:
        raise BadAnswerError(told("The answer is compressed in far too many parts."))


_PIECES = {"gzip": _gunzip, "deflate": _inflate, "br": _unbrotli, "zstd": _unzstd}


def shown_size(size: int) -> str:
    """Give a size for people: "5 MB", "300 kB"."""
    return f"{size / 1048576:.3g} MB" if size >= 1048576 else f"{size / 1024:.3g} kB"
