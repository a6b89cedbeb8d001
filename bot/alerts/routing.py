"""Who gets a story: pure decisions over rules and subscriptions, each with the clause that decided.

A rule is a channel's, a subscription a member's. `route` gives what is due and, for every rule and
subscription that was asked, a `Verdict` that says which clauses passed or which one stopped it; the first
clause that stops ends the questions. One channel gets a story once, whichever of its rules match; so
does one member.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.alerts import clauses
from bot.alerts.clauses import Clause, RoutedStory
from bot.alerts.timing import PERIODS
from bot.errors import told
from bot.record import Notes
from db.case_status import moves_on

_TOLD = re.compile(r"rule (\d{1,18}): (.*)", re.DOTALL)

WHEN = ("now", *PERIODS)  # when a wish is met, the soonest first

TargetKind = Literal["channel", "user"]
DeliveryKind = Literal["card", "update", "report", "edit", "digest", "review", "decided"]


@dataclass(frozen=True, slots=True)
class Destination:
    """A place that messages go to: a channel, or a member by direct message. `id` is Discord's."""

    target: TargetKind
    id: int


@dataclass(frozen=True, slots=True)
class Condition:
    """What makes a story special: any of these statuses, or at least so much relevance. Empty: nothing."""

    statuses: tuple[str, ...] = ()
    relevance: float | None = None

    def __bool__(self) -> bool:
        return bool(self.statuses) or self.relevance is not None

    @classmethod
    def of(cls, words: Iterable[str]) -> Condition:
        """Read a condition as it is stored: statuses and a figure ("quashed", "0.9")."""
        said = list(words)
        figures = [float(word) for word in said if word[:1].isdigit()]
        return cls(tuple(word for word in said if not word[:1].isdigit()), min(figures, default=None))

    @property
    def words(self) -> tuple[str, ...]:
        """The condition as it is stored."""
        return self.statuses if self.relevance is None else (*self.statuses, f"{self.relevance:g}")

    def why(self, story: RoutedStory) -> str | None:
        """Say what makes a story special, None when nothing does."""
        if story.status in self.statuses:
            return told("status {status}", status=story.status)
        if self.relevance is not None and story.relevance >= self.relevance:
            return told("relevance {number}", number=f"{story.relevance:.2f}")
        return None


@dataclass(frozen=True, slots=True)
class Review:
    """That moderators look at a rule's stories first: in which channel, for how many hours, and what becomes
    ("post", "drop") of a story that nobody has decided on by then."""

    channel_id: int
    hours: int
    at_end: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What goes to a channel. Empty lists stand for "any". See `db.tables.RuleRow` for the fields."""

    id: int
    guild_id: int
    channel_id: int
    topics: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    min_relevance: float = 0.5
    ping_role: int | None = None
    ping_when: Condition = Condition()
    urgent: Condition = Condition()
    when: str = "now"
    daily_limit: int | None = None
    style: str = "full"
    thread: str = "off"
    paused: bool = False
    exclude_sources: tuple[str, ...] = ()
    review_channel: int | None = None
    review_hours: int = 12
    review_then: str = "drop"
    countries: tuple[str, ...] = ()

    @property
    def review(self) -> Review | None:
        """What comes before a post, None for nothing."""
        if self.review_channel is None:
            return None
        return Review(self.review_channel, self.review_hours, self.review_then)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a member wants by direct message: `kind` is topic, party, case or search."""

    id: int
    user_id: int
    guild_id: int
    kind: str
    value: str
    delivery: str = "now"
    paused: bool = False
    pause_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule or a subscription said of a story; the clause that stopped it is the last one.

    What follows if the story is wanted: the `review` that comes before, `when` it comes, the `ping_role` that
    it mentions, whether it is `urgent` (passes quiet hours), and the rest of what the rule says of posts.
    `others`: further wishes of the same destination that would have it as soon (`chosen`).
    """

    destination: Destination
    guild_id: int
    rule_id: int | None
    subscription_id: int | None
    clauses: tuple[Clause, ...]
    when: str = "now"
    urgent: bool = False
    ping_role: int | None = None
    style: str = "full"
    thread: str = "off"
    daily_limit: int | None = None
    review: Review | None = None
    others: tuple[Verdict, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the story is wanted."""
        return all(clause.passed for clause in self.clauses)

    @property
    def outcome(self) -> str:
        """The decision in short, for the record: "passed", or "stopped by" a clause."""
        return "passed" if self.passed else f"stopped by {self.clauses[-1].name}"

    @property
    def told(self) -> str:
        """The decision as a line of the record; `read_told` reads it back."""
        return f"rule {self.rule_id}: {self.reason}"

    @property
    def reason(self) -> str:
        """The decision in words: the clause that stopped the story, or all that it passed."""
        stopped = [clause.reason for clause in self.clauses if not clause.passed]
        return stopped[0] if stopped else "; ".join(clause.reason for clause in self.clauses)


def read_told(line: str) -> tuple[int, str] | None:
    """Give the rule that a line of the record is about, and what it says; None for other lines."""
    found = _TOLD.fullmatch(line)
    return (int(found[1]), found[2]) if found else None


@dataclass(frozen=True, slots=True)
class Routed:
    """The outcome: who gets the story, whose moderators look at it first, and every verdict in the order in
    which they were given."""

    due: tuple[Verdict, ...]
    reviewed: tuple[Verdict, ...]
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a destination has already: `served`, a message about this very story; of the story's case no
    card, one that `waits` to be posted or one that is `posted`; an edit of it that waits; and where the
    case stood in what it was told so far (None: not known, or told by something newer than the story)."""

    served: bool = False
    card: Literal["none", "waits", "posted"] = "none"
    edit_waits: bool = False
    stood: str | None = None


def route(
    story: RoutedStory,
    rules: Iterable[Rule],
    subscriptions: Iterable[Subscription],
    *,
    notes: Notes | None = None,
) -> Routed:
    """Decide who gets the story. Of the wishes of one destination `chosen` decides about all else."""
    verdicts = [ask_rule(story, rule) for rule in rules]
    verdicts += [ask_subscription(story, wish) for wish in subscriptions]
    if notes is not None:
        for verdict in verdicts:
            if verdict.rule_id is not None:  # what members want is nobody's to read
                notes.note("rule", verdict.outcome, verdict.told)
    due = chosen(verdict for verdict in verdicts if verdict.review is None)
    return Routed(due, to_review(verdicts, due), tuple(verdicts))


def to_review(verdicts: Iterable[Verdict], due: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Give the wishes that moderators decide about: not where another one has the story posted as soon."""
    asked = [verdict for verdict in verdicts if verdict.passed and verdict.review is not None]
    if not asked:
        return ()
    when = {verdict.destination: WHEN.index(verdict.when) for verdict in due}
    return tuple(
        verdict for verdict in asked if WHEN.index(verdict.when) < when.get(verdict.destination, len(WHEN))
    )


def chosen(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Give for each destination the wish by which it gets the story: the soonest, an urgent one before
    others, the first of equals; with the `others` that would have it as soon, for one whose daily limit is
    reached.

    Where that one mentions nobody, it mentions the role of the first other that would have the story as soon:
    what a rule says of mentions holds beside a rule for the same channel.
    """
    due: dict[Destination, Verdict] = {}
    choose_among(due, verdicts)
    return tuple(due.values())


def choose_among(due: dict[Destination, Verdict], verdicts: Iterable[Verdict]) -> None:
    """Let further wishes take part in what `chosen` decides; `due` holds what each destination has so far."""
    for verdict in verdicts:
        if not verdict.passed:
            continue
        best = due.get(verdict.destination)
        if best is None or _rank(verdict) < _rank(best):
            best, other = verdict, best
        else:
            other = verdict
        if other is not None and best.when == other.when and best.rule_id is not None:
            others = (*best.others, *other.others, replace(other, others=()))
            best = replace(best, ping_role=best.ping_role or other.ping_role, others=others)
        due[verdict.destination] = best


def as_owed(wishes: Sequence[Verdict], rule_id: int | None) -> Verdict:
    """Give the wish by which a destination gets what it is owed by a rule, of those that hold by now: another
    than the first where the daily limit of that one was reached, so that it counts for that other's."""
    (wish,) = chosen(wishes)
    by_rule = next((one for one in wish.others if one.rule_id == rule_id), None)
    return wish if by_rule is None else replace(by_rule, ping_role=by_rule.ping_role or wish.ping_role)


def _rank(verdict: Verdict) -> tuple[int, bool]:
    return WHEN.index(verdict.when), not verdict.urgent


def messages(
    story: RoutedStory, standing: Standing, *, when: str = "now", thread: str = "off"
) -> tuple[DeliveryKind, ...]:
    """Decide what a destination gets that the story is for.

    "card" is a first post, "update" answers the destination's first card of the case, "edit" lets that
    card tell a further source or the new status; "report" tells a further source in the case's thread,
    where the rule wants threads; "digest" takes the place of the first two where the wish
    is for later. A card that is not posted yet needs no edit: it will tell what is known when it is
    posted; nor does one whose edit waits already. What changed where the case stands for everybody may have
    come by a feed that is not used here, or is not wanted there: then the first report of it that is for
    the destination is its update.
    """
    if standing.served:
        return ()
    if story.case_id is None or standing.card == "none":
        return ("card",) if when == "now" else ("digest",)
    edit: tuple[DeliveryKind, ...] = ()
    if standing.card == "posted" and not standing.edit_waits:
        edit = ("edit",)
    if when != "now":
        return ("digest", *edit)
    if story.adds == "update" or (standing.stood is not None and moves_on(standing.stood, story.status)):
        return ("update", *edit)
    return ("report", *edit) if thread == "case" else edit


def ask_rule(story: RoutedStory, rule: Rule) -> Verdict:
    """Put a rule's questions to a story, one after the other until one stops it."""
    questions = (
        lambda: clauses.alert(story),
        lambda: clauses.feed(story, rule.guild_id),
        lambda: clauses.pause(rule.paused, told("the rule")),
        lambda: clauses.when(rule.when),
        lambda: clauses.topics(story, rule.topics),
        lambda: clauses.parties(story, rule.parties),
        lambda: clauses.keywords(story, rule.keywords),
        lambda: clauses.exclude(story, rule.exclude),
        *((lambda: clauses.statuses(story, rule.statuses),) if rule.statuses else ()),
        *((lambda: clauses.countries(story, rule.countries),) if rule.countries else ()),
        *((lambda: clauses.languages(story, rule.languages),) if rule.languages else ()),
        *((lambda: clauses.sources(story, rule.sources, rule.guild_id),) if rule.sources else ()),
        *(
            (lambda: clauses.exclude_sources(story, rule.exclude_sources, rule.guild_id),)
            if rule.exclude_sources
            else ()
        ),
        lambda: clauses.relevance(story, rule.min_relevance),
    )
    answers = _until_stopped(questions)
    pings, urgent = _pings(story, rule), _urgent(story, rule)
    if answers[-1].passed:
        answers += tuple(clause for _, clause in (pings, urgent) if clause is not None)
    return Verdict(
        destination=Destination("channel", rule.channel_id),
        guild_id=rule.guild_id,
        rule_id=rule.id,
        subscription_id=None,
        clauses=answers,
        when=rule.when,
        urgent=urgent[0],
        ping_role=rule.ping_role if pings[0] else None,
        style=rule.style,
        thread=rule.thread,
        daily_limit=rule.daily_limit,
        review=rule.review,
    )


def _pings(story: RoutedStory, rule: Rule) -> tuple[bool, Clause | None]:
    """Tell whether a rule's role is mentioned, and say why where the rule has a condition for it."""
    if rule.ping_role is None or not rule.ping_when:
        return rule.ping_role is not None, None
    why = rule.ping_when.why(story)
    return why is not None, Clause(
        "ping", True, told("mentions the role: {why}", why=why) if why else told("mentions nobody")
    )


def _urgent(story: RoutedStory, rule: Rule) -> tuple[bool, Clause | None]:
    """Tell whether a story passes quiet hours, and say why."""
    why = rule.urgent.why(story)
    return why is not None, Clause("urgent", True, told("urgent: {why}", why=why)) if why else None


def ask_subscription(story: RoutedStory, wish: Subscription) -> Verdict:
    """Put a subscription's questions to a story, one after the other until one stops it."""
    questions = (
        lambda: clauses.alert(story),
        lambda: clauses.feed(story, wish.guild_id),
        lambda: clauses.pause(wish.paused, told("the subscription")),
        lambda: clauses.when(wish.delivery),
        lambda: clauses.subscribed(story, wish.kind, wish.value),
    )
    answers = _until_stopped(questions)
    return Verdict(
        Destination("user", wish.user_id), wish.guild_id, None, wish.id, answers, when=wish.delivery
    )


def _until_stopped(questions: Iterable[Callable[[], Clause]]) -> tuple[Clause, ...]:
    answers: list[Clause] = []
    for question in questions:
        answers.append(question())
        if not answers[-1].passed:
            break
    return tuple(answers)


def nonce_of(story: str, destination: Destination, kind: DeliveryKind) -> str:
    """Give what a message is recognised by, at Discord (25 characters at most) and in a channel's history.

    A hash of the story's identity, the destination and the kind, and so the same however often the row
    is made: after a restored backup, too, a post that is there already can be recognised.
    """
    said = f"{story}\n{destination.target}\n{destination.id}\n{kind}".encode()
    return "q" + base64.b32encode(hashlib.sha256(said).digest()[:14]).decode().rstrip("=").lower()
