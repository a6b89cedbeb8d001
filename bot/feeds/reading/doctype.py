"""Taking off the document type declaration: feeds need none, and attacks are made of it.

Small texts declared in it (`<!ENTITY copy "&#169;">`) and HTML's names for characters keep their meaning;
entities made of entities, parameter entities and everything external have none here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.entities import html5
from typing import Final

_MOST_ENTITIES: Final = 300
_MOST_EXPANDED: Final = 1024 * 1024  # bytes that all references to declared entities may become
_MOST_STEPS: Final = 1000  # declarations, comments and instructions before the root
_SUBSET_END: Final = re.compile(rb"\]\s{0,100}>")
_ENTITY: Final = re.compile(
    rb"<!ENTITY\s+([A-Za-z_][\w.-]{0,40})\s+(?:\"([^\"&%<]{0,200}|&#\w{1,8};)\"|'([^'&%<]{0,200}|&#\w{1,8};)')\s*>"
)
_REFERENCE: Final = re.compile(rb"&([A-Za-z_][\w.-]{0,40});")
_XML_OWN: Final = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))


def without_doctype(document: bytes) -> bytes:
    """Give the document without its DOCTYPE, with the references to what it declared filled in."""
    head_end = _first_element(document)
    start = document.find(b"<!DOCTYPE", 0, head_end)
    if start == -1:
        start = document.find(b"<!doctype", 0, head_end)
    if start == -1:
        return document
    declaration = document[start:head_end]
    entities: dict[bytes, bytes] = {}
    for match in _ENTITY.finditer(declaration):
        if len(entities) >= _MOST_ENTITIES:
            break
        entities.setdefault(match.group(1), match.group(2) or match.group(3) or b"")
    return named_characters(document[:start] + document[head_end:], entities)


def _first_element(document: bytes) -> int:
    """Give where the root's start tag begins; a declaration before it is stepped over whole."""
    position = 0
    for _ in range(_MOST_STEPS):
        position = document.find(b"<", position)
        if position == -1:
            return len(document)
        following = document[position + 1 : position + 2]
        if following == b"?":
            end = document.find(b"?>", position)
            step = 2
        elif document.startswith(b"<!--", position):
            end = document.find(b"-->", position)
            step = 3
        elif following == b"!":
            end = _declaration_end(document, position)
            step = 1
        elif following.isalpha() or following == b"_" or following >= b"\x80":
            return position
        else:
            end, step = position, 1
        if end == -1:
            return len(document)
        position = end + step
    return len(document)


def _declaration_end(document: bytes, start: int) -> int:
    """Find the ">" of a declaration that may hold others in brackets."""
    end = document.find(b">", start)
    bracket = document.find(b"[", start, end if end != -1 else None)
    if bracket == -1:
        return end
    closing = _SUBSET_END.search(document, bracket)
    return closing.end() - 1 if closing else -1


def named_characters(document: bytes, declared: Mapping[bytes, bytes] | None = None) -> bytes:
    """Replace references by name that XML does not know: declared ones, and those of HTML.

    Other names lose their "&", so that they stand there as they are written.
    """
    names = set(_REFERENCE.findall(document)) - _XML_OWN
    expanded = 0
    for name in sorted(names)[:_MOST_ENTITIES]:
        reference = b"&" + name + b";"
        value = (declared or {}).get(name)
        if value is not None:
            expanded += document.count(reference) * len(value)
            if expanded > _MOST_EXPANDED:
                value = b""
        else:
            known = html5.get(name.decode("ascii", "replace") + ";")
            value = (
                "".join(f"&#{ord(char)};" for char in known).encode("ascii")
                if known
                else b"&amp;" + name + b";"
            )
        document = document.replace(reference, value)
    return document
