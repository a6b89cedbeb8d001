"""Who speaks where a page says "we": the company whose own page it is.

A provider that tells of a demand tells it of itself: "we received a subpoena", "it forbade us to say so". Who
that is stands in the page's source (a feed's title, a site's name or host) and often nowhere in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from bot.stories.gazetteer import Entry, load
from bot.stories.model import Document, Mention

_LEAST = 2  # times that a page speaks of itself before it is taken to be somebody's own
_WE = re.compile(r"\b(?:[Ww]e|us)\b")
_OWN = re.compile(r"\b(?:[Ww]e|us|[Oo]urs?|ourselves)\b")
_MARK = re.compile('["“”]')
_ALIKE = re.compile(r"[^\W_]+")
_PARTS = re.compile(r"[()|:»>–—]+| - ")
_ABOUT = re.compile(
    r"the|blogs?|newsroom|news|official|policy|press|releases?|statements?|company|team|engineering|security|"
    r"transparency|legal|updates|about|www|com|org|net|io|me|co|uk|us|eu|ch|de|fr|nl|ca|au|se|inc|ltd|llc|gmbh"
)
"""What a source's name or host says beside whose it is."""
_HOUSES = re.compile(r"medium|blogger|blogspot|wordpress|substack|tumblr|reddit|youtube|facebook|linkedin")
"""Where anybody publishes: theirs is what their own blog says."""
_OWN_BLOG = re.compile(r"\bblogs?\b|newsroom|press|official|statement", re.IGNORECASE)

_KINDS = ("company", "organisation")
_SERVICES = frozenset(("tech", "telecom", "platform", "finance", "messenger", "broker"))
"""Who is asked for what it holds; a rights group or a paper that says "we" tells of what others are asked."""


def speaking(document: Document, mentions: Sequence[Mention]) -> tuple[Mention, ...]:
    """Give the places where "we" and "us" stand for the one whose page it is, outside quotations."""
    if document.language != "en" or not document.source:
        return ()
    spoken = list(_outside_quotations(document))
    if sum(len(_OWN.findall(text)) for _, _, text in spoken) < _LEAST:
        return ()
    author = _author(document, mentions)
    if author is None:
        return ()
    name, kind = author
    return tuple(
        Mention(name, kind, index, start + m.start(), start + m.end(), m.group(), "coreference")
        for index, start, text in spoken
        for m in _WE.finditer(text)
    )


def _outside_quotations(document: Document) -> Iterator[tuple[int, int, str]]:
    """Give what stands outside quotation marks: the sentence, where in it a piece starts, the piece."""
    paragraph, quoted = -1, False
    for sentence in document.sentences:
        if sentence.paragraph != paragraph:
            paragraph, quoted = sentence.paragraph, False
        start = 0
        for mark in _MARK.finditer(sentence.text):
            if not quoted:
                yield sentence.index, start, sentence.text[start : mark.start()]
            quoted = not quoted if mark.group() == '"' else mark.group() == "“"
            start = mark.end()
        if not quoted:
            yield sentence.index, start, sentence.text[start:]


def _author(document: Document, mentions: Sequence[Mention]) -> tuple[str, str] | None:
    """Say whose page it is, name and kind; None where the source does not tell, or it is no service's."""
    keys = set(map(_key, (document.source, *_PARTS.split(document.source))))
    if not _OWN_BLOG.search(document.source):
        keys = {key for key in keys if not _HOUSES.fullmatch(key)}
    for key in sorted(keys):
        entry = _known().get(key)
        if entry is not None:
            return (entry.name, entry.kind) if entry.sort in _SERVICES else None
    for mention in mentions:
        if mention.kind == "company" and _key(mention.name) in keys:
            return mention.name, mention.kind
    return None


def _key(name: str) -> str:
    words = _ALIKE.findall(name.lower())
    return "".join(word for word in words if not _ABOUT.fullmatch(word))


@cache
def _known() -> dict[str, Entry]:
    """The companies and organisations of the gazetteer, by what their names and hosts have in common."""
    entries = [entry for entry in load().entries.values() if entry.kind in _KINDS]
    aliases = [alias for alias in load().aliases() if alias.entry.kind in _KINDS]
    found = {_key(" ".join(alias.words)): alias.entry for alias in reversed(aliases)}
    found |= {_key(entry.name): entry for entry in entries}  # before what others are also called
    found.pop("", None)
    return found
