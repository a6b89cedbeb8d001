"""The values that the stories room speaks in: an article comes in, a `Story` goes out.

All of them are frozen. The closed lists (topics, kinds, roles, instruments, statuses) are those of the
domain; a value outside them is a defect, which `tests/stories/test_model.py` looks for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.record import Finding

TOPICS: tuple[str, ...] = (
    "legal-demands",
    "surveillance",
    "data-brokers",
    "biometrics",
    "spyware",
    "encryption",
    "anonymity",
    "free-speech",
    "platform-moderation",
    "privacy-law",
    "transparency",
)

INSTRUMENTS: tuple[str, ...] = (
    "administrative subpoena",
    "administrative summons",
    "grand jury subpoena",
    "civil subpoena",
    "subpoena",
    "search warrant",
    "geofence warrant",
    "keyword warrant",
    "wiretap order",
    "pen register order",
    "court order",
    "national security letter",
    "foreign intelligence order",
    "gag order",
    "preservation request",
    "emergency request",
    "technical capability notice",
    "takedown order",
    "informal request",
    "purchase",
)

STATUSES: tuple[str, ...] = (
    "issued",
    "challenged",
    "refused",
    "complied",
    "partly complied",
    "withdrawn",
    "quashed",
    "upheld",
    "unknown",
)

KINDS: tuple[str, ...] = ("agency", "company", "organisation", "court", "person", "account")

ROLES: tuple[str, ...] = ("issuer", "recipient", "target", "counsel", "critic", "vendor", "buyer", "other")


@dataclass(frozen=True, slots=True)
class Article:
    """What is known of an article before it is read: its words and where they came from.

    `body` is plain text, or a whole HTML page when `is_html`. `published` is aware and UTC.
    `language` is what the source claims (a BCP 47 tag), a hint only.
    """

    title: str
    body: str
    url: str = ""
    source: str = ""
    published: datetime | None = None
    is_html: bool = False
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, verbatim as it stands in the article (white space folded to single blanks).

    `index` counts sentences of the whole document, `paragraph` paragraphs; both from 0.
    `section` counts dated update blocks: 0 is the newest (or the only) one, see `Document`.
    `is_heading`: a line of its own without a closing mark (sub-headings): it may give context, but it
    is no evidence and no part of a summary. `as_stands`: False where markup had to be taken out of the
    middle of the sentence, so that it does not stand letter for letter in what came in.
    """

    text: str
    index: int
    paragraph: int
    section: int = 0
    is_heading: bool = False
    as_stands: bool = True


@dataclass(frozen=True, slots=True)
class Document:
    """An article made ready for reading: clutter gone, sentences split, language known.

    `sentences` never holds the title. `language` is an ISO 639-1 code ("en", "de", ...), "und" when
    too little text says so. `removed` lists the clutter lines that were dropped, for explanations.
    """

    title: str
    sentences: tuple[Sentence, ...]
    language: str
    url: str = ""
    source: str = ""
    published: datetime | None = None
    removed: tuple[str, ...] = ()
    canonical_url: str | None = None

    @property
    def text(self) -> str:
        """The cleaned text, a paragraph a line."""
        lines: list[str] = []
        last = -1
        for sentence in self.sentences:
            if sentence.paragraph == last:
                lines[-1] += " " + sentence.text
            else:
                lines.append(sentence.text)
                last = sentence.paragraph
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Mention:
    """One place where a party is named, by whatever words.

    `sentence` is the index into `Document.sentences`, or -1 for the title; `start` and `end` are
    offsets in that sentence's text (or in the title). `surface` is what stands there ("the agency"),
    `name` the canonical name it stands for. `by` tells how it was found: "gazetteer", "pattern" or
    "coreference".
    """

    name: str
    kind: str
    sentence: int
    start: int
    end: int
    surface: str
    by: str = "gazetteer"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that the story is about, how surely (0 to 1), and the sentences that show it."""

    topic: str
    score: float
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who takes part. `name` is canonical, `mentions` counts the places that name them."""

    name: str
    kind: str
    role: str
    mentions: int
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Demand:
    """One act by which an issuer asks a recipient for something about a target.

    Empty tuples stand for what the article does not name. `evidence` are verbatim sentences;
    `field_evidence` maps a field ("issuer", "status", ...) to the sentence it rests on.
    """

    issuer: tuple[str, ...]
    instrument: str
    recipient: tuple[str, ...]
    target: tuple[str, ...]
    sought: tuple[str, ...]
    status: str
    evidence: tuple[str, ...]
    statute: str | None = None
    demanded_on: str | None = None  # as the article says it ("in March", "2017-03-14")
    deadline: str | None = None
    field_evidence: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Relevance:
    """Whether a story is worth an alert, how surely (0 to 1), and the sentences that decide it."""

    relevant: bool
    score: float
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a story is recognised by when its case is looked for.

    `terms` are (term, weight) with the weight a measure of rarity; a term is namespaced by its kind:
    "party:Twitter", "account:@alt_uscis", "docket:3:17-cv-01916", "word:firehose", "pair:...".
    `published` bounds how far apart two reports of one matter may lie.
    """

    terms: tuple[tuple[str, float], ...]
    published: datetime | None


@dataclass(frozen=True, slots=True)
class Story:
    """All that Quash makes of one article, each claim with its sentence."""

    title: str
    url: str
    source: str
    published: datetime | None
    language: str
    relevance: Relevance
    topics: tuple[Topic, ...]
    parties: tuple[Party, ...]
    demands: tuple[Demand, ...]
    summary: tuple[str, ...]
    text: str
    fingerprint: Fingerprint
    case_title: str = ""
    findings: tuple[Finding, ...] = field(default=(), compare=False)

    @property
    def relevant(self) -> bool:
        """Whether the story is worth an alert."""
        return self.relevance.relevant

    @property
    def status(self) -> str | None:
        """Where the story's first demand stands, or None when it reports none."""
        return self.demands[0].status if self.demands else None


def _name_or_list(names: tuple[str, ...]) -> str | list[str] | None:
    if not names:
        return None
    return names[0] if len(names) == 1 else list(names)


def story_to_json(story: Story, *, id: str | int, case: str | None) -> dict[str, Any]:
    """Give the `--json` object of a story; names and shape are fixed for scripts that read it."""
    published = story.published.strftime("%Y-%m-%dT%H:%M:%SZ") if story.published else None
    return {
        "id": id,
        "url": story.url or None,
        "title": story.title,
        "published": published,
        "source": story.source or None,
        "language": story.language,
        "relevant": story.relevant,
        "relevance": round(story.relevance.score, 3),
        "topics": [
            {"topic": t.topic, "score": round(t.score, 3), "evidence": list(t.evidence)} for t in story.topics
        ],
        "parties": [
            {"name": p.name, "kind": p.kind, "role": p.role, "mentions": p.mentions} for p in story.parties
        ],
        "demands": [
            {
                "issuer": _name_or_list(d.issuer),
                "instrument": d.instrument,
                "recipient": _name_or_list(d.recipient),
                "target": _name_or_list(d.target),
                "sought": list(d.sought),
                "status": d.status,
                "statute": d.statute,
                "date": d.demanded_on,
                "deadline": d.deadline,
                "evidence": list(d.evidence),
            }
            for d in story.demands
        ],
        "summary": list(story.summary),
        "case": case,
    }
