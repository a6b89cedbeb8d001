"""Finds the demands that an article reports: who asks whom for what about whom, and where it stands.

The sentences are read one by one (`bot.stories.demand_frames`); here their frames are put together:
which of them speak of the same demand (`bot.stories.demand_groups`), who its parties are, which instrument
the article names, and which status is the last (`bot.stories.status`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from bot.record import Notes
from bot.stories.clutter import splices
from bot.stories.demand_article import settle
from bot.stories.demand_fields import deadline_in, instant_in, statute_in, targets_in
from bot.stories.demand_frames import frames_of
from bot.stories.demand_groups import group_frames, matters
from bot.stories.demand_kinds import instrument_of, kind_named
from bot.stories.demand_languages import demands_in, supported
from bot.stories.demand_parties import ordered, parties_of
from bot.stories.demand_reported import has_outcome, names_both
from bot.stories.demand_roles import EXPLICIT, Frame
from bot.stories.demand_rules import holds
from bot.stories.demand_slots import slot_mentions
from bot.stories.demand_status import GIVING, RESISTING, stands
from bot.stories.demand_told import Group
from bot.stories.demand_unable import in_office
from bot.stories.language import READ_AS_ENGLISH
from bot.stories.marks import Marked, judges_in, mark
from bot.stories.model import Demand, Document, Mention
from bot.stories.sought import kinds_sought
from bot.stories.status import StatusEvent, events_of, last_status

MAX_SENTENCES = 150
"""Sentences that are read. A report says what it has to say within them; a book is no report."""

# fmt: off
_DEMANDS = (
    " to ", "subpoena", "summon", "warrant", "order", "demand", "request", "letter", "ask", "hand", "turn",
    "unlock", "decrypt", "refus", "declin", "obtain", "seiz", "acqui", "sought", "seek", "compel", "forc",
    "direct", "instruct", "told", "tell", "give", "gave", "shar", "provid", "bought", "buy", "purchas",
    "sell", "sold", "gag", "block", "takedown", "notice", "unmask", "identif", "reveal", "disclos", "pass",
    "press", "search", "want", "process", "look", "bid", "not ", "n't", "contract", "paid", "contempt",
    "fine", "must", "dump", "appli", "reject", "trap", "register", "remov", "pull", "took", "take",
    "delet", "hid", "withh", "suspend", "restrict", "censor", "disabl", "label", "bann", "bans", "slow",
    "throttl", "shut", "cut", "fight", "battle", "dispute", "lift", "revers", "follow", "another", "one too",
    "one as well", "got one", "received one", "silen", "quiet", "clos", "injunct", "requir",
    "served", "discover", "wrote", "mail", "insist", "decre", "oblig",
)
# fmt: on
"""Letters of which some stand in every sentence that may speak of a demand; the commonest first."""


class Reading:
    """What the rules read in an English article, each part read when it is first asked for."""

    def __init__(self, document: Document, mentions: tuple[Mention, ...]) -> None:
        self._document = document
        self._marker = _Marker(document, (*mentions, *slot_mentions(document, mentions)))
        self._some = self._marker.some(_DEMANDS)
        self.frames: list[Frame] = [frame for item in self._some for frame in frames_of(item)]
        if self.frames:
            self.frames = settle(self.frames, self.marked)
        self.texts = {sentence.index: sentence.text for sentence in document.sentences}
        """The sentences as they stand, by their index (-1: the title)."""
        self.texts[-1] = document.title

    @cached_property
    def marked(self) -> list[Marked]:
        """The title and the sentences, with signs for parties."""
        return self._marker.some()

    @cached_property
    def events(self) -> list[StatusEvent]:
        """What the article says of where demands stand."""
        return _events(self._document, self.marked)

    @cached_property
    def told(self) -> tuple[tuple[Group, Demand], ...]:
        """The demands that the rules hold told, each with the frames that it was read from."""
        found: list[tuple[Group, Demand]] = []
        for group, demand in self._readings():
            if all(demand != other for _, other in found):
                found.append((group, demand))
        return tuple(found)

    def _readings(self) -> Iterator[tuple[Group, Demand]]:
        if not any(frame.weight >= 0.3 for frame in self.frames):
            return
        groups, rest = group_frames(self.frames, self._some, self._document)
        for group in groups:
            demand = self.demand_of(group, groups)
            for each in _by_answer(group, demand, self.events, self.texts) if demand else ():
                yield group, each
        for group in () if groups else rest:
            demand = self.demand_of(group, [group]) if names_both(group) else None
            if demand and has_outcome(group, demand, self._document):
                yield group, demand
                return

    def demand_of(self, group: Group, groups: list[Group]) -> Demand | None:
        """Make a demand of frames; None where they leave too much open. `groups`: all that are told."""
        return _demand(group, groups, self.marked, self.events, self.texts)


def find_demands(document: Document, mentions: tuple[Mention, ...], notes: Notes) -> tuple[Demand, ...]:
    """Find the demands of an article by the rules alone, the main one first, each with its evidence.

    `mentions` are the places that name parties (`bot.stories.parties.find_mentions`). Nothing is found, and
    that is noted, where an article only speaks of what may be, of law in general, or of political summonses.
    """
    if document.language in supported():
        found = demands_in(document, mentions, most=MAX_SENTENCES)
        for each in found:
            notes.note("demand", each.status, _reason(each), evidence=each.evidence)
        return found
    if document.language not in READ_AS_ENGLISH:
        notes.note("demand", "unsupported", f"Demands are not read in the language {document.language!r}.")
        return ()
    told = Reading(document, mentions).told
    for group, demand in told:
        note_demand(notes, demand, round(group.weight, 2))
    if not told:
        notes.note("demand", "none", "No sentence reports a demand as a fact.")
    return tuple(demand for _, demand in told)


def note_demand(notes: Notes, demand: Demand, weight: float) -> None:
    """Write down a demand that was found, and how surely."""
    notes.note("demand", demand.status, _reason(demand), evidence=demand.evidence, weight=weight)


def _by_answer(
    group: Group, demand: Demand, events: list[StatusEvent], texts: dict[int, str]
) -> Iterator[Demand]:
    """Tell the recipients of a demand apart where one gives and another resists."""
    asked = {
        name: max(frame.recipients[name] for frame in group.frames if name in frame.recipients)
        for frame in group.frames
        if frame.weight >= 1.0 or frame.form == "removal"
        for name in frame.recipients
        if frame.slots[name].kind == "company" and not frame.slots[name].generic
    }
    others = {}
    if len(asked) > 1 and group.family in ("data", "content") and not group.campaign:
        for name in (name for name, weight in asked.items() if weight >= EXPLICIT):
            own = [e for e in events if matters(e, group, [group]) and _acts_alone(name, e, demand)]
            answer = last_status([e for e in own if e.status in (*GIVING, *RESISTING)])
            left_out = name not in demand.recipient and demand.status != "issued"
            if answer is not None and (
                _contrary(answer.status, demand.status)
                or (left_out and answer.status in GIVING and demand.status not in GIVING)
            ):
                others[name] = answer
    rest = tuple(name for name in demand.recipient if name not in others)
    if not others or not rest:
        yield demand
        return
    yield replace(demand, recipient=rest)
    for answer in dict.fromkeys(others.values()):
        names = tuple(name for name in others if others[name] == answer)
        said = texts[answer.index]
        fields = [
            (field, text) for field, text in demand.field_evidence if field not in ("recipient", "status")
        ]
        yield replace(
            demand,
            recipient=names,
            status=answer.status,
            evidence=tuple(dict.fromkeys((*demand.evidence[:1], said))),
            field_evidence=(*fields, ("recipient", said), ("status", said)),
        )


def _acts_alone(name: str, event: StatusEvent, demand: Demand) -> bool:
    """Whether it is this firm that does it, by itself or with others that the demand does not name."""
    actors = {actor for actor, _ in event.actors}
    return name in actors and (actors == {name} or not actors & set(demand.recipient))


def _contrary(one: str, other: str) -> bool:
    return (one in GIVING and other in RESISTING) or (one in RESISTING and other in GIVING)


def _up_to_splice(text: str) -> str:
    """The sentence up to where a site's script put other stories' titles into it."""
    found = splices(text)
    return text[: found[0][0]] if found else text


class _Marker:
    """Marks sentences as they are needed, each once."""

    def __init__(self, document: Document, mentions: tuple[Mention, ...]) -> None:
        self._texts = [
            (-1, document.title),
            *((s.index, _up_to_splice(s.text)) for s in document.sentences[:MAX_SENTENCES]),
        ]
        self._mentions: dict[int, list[Mention]] = defaultdict(list)
        for mention in mentions:
            self._mentions[mention.sentence].append(mention)
        self._judges = judges_in((text, self._mentions.get(index, ())) for index, text in self._texts)
        self._marked: dict[int, Marked] = {}

    def some(self, letters: tuple[str, ...] = ()) -> list[Marked]:
        """Give the title and the sentences in which some of `letters` stand; without letters all of them."""
        found = []
        for index, text in self._texts:
            item = self._marked.get(index)
            if item is None:
                if letters and index >= 0 and not holds(text.lower(), letters):
                    continue
                item = self._marked[index] = mark(text, index, self._mentions.get(index, ()), self._judges)
            found.append(item)
        return found


def _events(document: Document, marked: list[Marked]) -> list[StatusEvent]:
    sections = {sentence.index: sentence.section for sentence in document.sentences}
    events: list[StatusEvent] = []
    for item in marked:
        events.extend(events_of(item, sections.get(item.index, 0), place=item.index))
    return events


def _demand(
    group: Group, groups: list[Group], marked: list[Marked], events: list[StatusEvent], texts: dict[int, str]
) -> Demand | None:
    issuers, recipients, named_targets = parties_of(group, marked)
    if not issuers and not recipients:
        return None
    lead = instrument_of(group, issuers)
    named = {name for frame in group.frames for name in frame.issuers}
    if lead[0] in _WARRANTS and not recipients and not named & set(issuers):
        return None  # neither side is told of: a warrant that is only talked about
    official = group.asked_first or (issuers and _in_office(issuers, group, marked))
    if lead[0] == "informal request" and not official:
        return None  # people and firms ask each other for all sorts of things
    if not issuers and group.family == "content" and lead[0] == "takedown order" and not ordered(group):
        return None
    lead, status, event = stands(group, groups, issuers, recipients, lead, marked, events)
    return compose(group, issuers, recipients, named_targets, lead, status, event, texts)


def compose(
    group: Group,
    issuers: tuple[str, ...],
    recipients: tuple[str, ...],
    targets: tuple[str, ...],
    lead: tuple[str, int],
    status: str,
    event: StatusEvent | None,
    texts: dict[int, str],
) -> Demand:
    """Put a demand together, each field with its sentence. `lead`: the instrument, where it is named."""
    strongest = max(group.frames, key=lambda frame: (frame.index >= 0, frame.weight, -frame.index))
    indices = sorted({frame.index for frame in group.frames if frame.weight >= 0.3})
    sought = kinds_sought(" ".join(texts[index].lower() for index in indices))
    targets = targets or targets_in([texts[index] for index in indices])
    fields: list[tuple[str, str]] = []
    if issuers:
        fields.append(("issuer", texts[_where(group, issuers[0], "issuers", strongest)]))
    if recipients:
        fields.append(("recipient", texts[_where(group, recipients[0], "recipients", strongest)]))
    fields.append(("instrument", texts[lead[1]]))
    if event:
        fields.append(("status", texts[event.index]))
    evidence = dict.fromkeys(
        [texts[strongest.index], *([texts[event.index]] if event and event.index >= 0 else [])]
    )
    near = [texts[index] for index in indices if index >= 0]
    return Demand(
        issuer=issuers,
        instrument=kind_named(lead[0], issuers, texts.values()),
        recipient=recipients,
        target=targets,
        sought=sought,
        status=status,
        evidence=tuple(evidence),
        statute=statute_in(near),
        demanded_on=instant_in([texts[strongest.index]]),
        deadline=deadline_in(near),
        field_evidence=tuple(fields),
    )


_WARRANTS = ("foreign intelligence order", "search warrant")


def _in_office(issuers: tuple[str, ...], group: Group, marked: list[Marked]) -> bool:
    """Whether some issuer asks with the weight of an office or a court case."""
    slots = [s for frame in group.frames for s in frame.slots.values()]
    slots += [s for item in marked for s in item.slots.values()]
    return any(
        slot.kind in ("agency", "court") or in_office(slot) for slot in slots if slot.name in issuers
    ) or any(
        frame.form == "attempt"
        or (
            frame.index < 2
            and frame.weight >= 1.0
            and min(max(side.values(), default=0.0) for side in (frame.issuers, frame.recipients)) >= EXPLICIT
        )
        for frame in group.frames
    )


def _where(group: Group, name: str, role: str, otherwise: Frame) -> int:
    """The sentence that gives a party its role most plainly."""
    best = max(
        group.frames,
        key=lambda frame: (getattr(frame, role).get(name, 0.0), frame.index >= 0, frame.weight),
    )
    return best.index if getattr(best, role).get(name) else otherwise.index


def _reason(demand: Demand) -> str:
    who = " and ".join(demand.issuer) or "somebody unnamed"
    whom = ", ".join(demand.recipient) or "somebody unnamed"
    return f"{who} to {whom}: {demand.instrument}, {demand.status}."
