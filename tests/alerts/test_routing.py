"""Who gets a story, and the clause that decided."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.clauses import RoutedStory
from bot.alerts.routing import (
    Condition,
    Destination,
    Rule,
    Standing,
    Subscription,
    as_owed,
    ask_rule,
    ask_subscription,
    messages,
    route,
)
from bot.record import Recorder

GUILD, OTHER = 1, 2
STORY = RoutedStory(
    id=17,
    title="Twitter pulls its lawsuit after the government withdraws its demand",
    summary=("Customs officers had asked for the owner of @ALT_USCIS.",),
    text="The summons of March is withdrawn. Users' privacy was at stake.",
    relevance=0.8,
    topics=frozenset({"legal-demands", "anonymity"}),
    parties=frozenset({"twitter", "customs and border protection"}),
    case_id=42,
    adds="new",
    guilds=frozenset({GUILD}),
    status="withdrawn",
    language="en",
    source="The Example News",
    url="https://www.news.example/17",
    countries=("United States",),
)
RULE = Rule(id=1, guild_id=GUILD, channel_id=100)


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({}, None),
        ({"topics": ("spyware", "anonymity")}, None),
        ({"topics": ("spyware",)}, "topics"),
        ({"parties": ("TWITTER",)}, None),
        ({"parties": ("Meta",)}, "parties"),
        ({"keywords": ("summons",)}, None),
        ({"keywords": ("Summon*",)}, None),
        ({"keywords": ("summon",)}, "keywords"),  # whole words
        ({"keywords": ("demand withdraws",)}, "keywords"),  # a phrase, in its order
        ({"keywords": ("government withdraws",)}, None),
        ({"keywords": ("@alt_uscis",)}, None),
        ({"exclude": ("privacy",)}, "exclude"),
        ({"exclude": ("priv",)}, None),
        ({"min_relevance": 0.8}, None),
        ({"min_relevance": 0.81}, "relevance"),
        ({"paused": True}, "paused"),
        ({"when": "daily"}, None),
        ({"statuses": ("quashed", "withdrawn")}, None),
        ({"statuses": ("quashed",)}, "statuses"),
        ({"countries": ("Germany", "United States")}, None),
        ({"countries": ("Germany",)}, "countries"),
        ({"languages": ("de", "en")}, None),
        ({"languages": ("de",)}, "languages"),
        ({"sources": ("the example news",)}, None),
        ({"sources": ("example.org", "News.Example")}, None),
        ({"sources": ("https://www.news.example/feed.xml",)}, None),
        ({"exclude_sources": ("www.news.example",)}, "exclude_sources"),
        ({"sources": ("ews.example",)}, "sources"),
        ({"sources": ("example",)}, None),  # all of that domain
        ({"guild_id": OTHER}, "feed"),
    ],
)
def test_a_rule_lets_pass_what_it_asks_for_and_says_what_stopped_the_rest(
    change: dict[str, object], clause: str | None
) -> None:
    verdict = ask_rule(STORY, replace(RULE, **change))  # type: ignore[arg-type]  # parametrised fields
    assert verdict.passed == (clause is None)
    if clause:
        assert verdict.clauses[-1].name == clause
        assert verdict.reason == verdict.clauses[-1].reason


def test_two_feeds_of_one_name_are_named_once() -> None:
    twice = replace(STORY, titles={RULE.guild_id: ("The Paper", "", "The Paper")})
    assert (
        "its source (The Paper) is none of Times" in ask_rule(twice, replace(RULE, sources=("Times",))).reason
    )


@pytest.mark.parametrize(
    ("kind", "value", "passed"),
    [
        ("topic", "anonymity", True),
        ("topic", "spyware", False),
        ("party", "twitter", True),
        ("party", "meta", False),
        ("case", "42", True),
        ("case", "43", False),
        ("search", "summons march", True),
        ("search", "summons april", False),
    ],
)
def test_a_subscription_lets_pass_what_it_is_about(kind: str, value: str, passed: bool) -> None:
    wish = Subscription(id=1, user_id=7, guild_id=GUILD, kind=kind, value=value)
    assert ask_subscription(STORY, wish).passed is passed
    assert not ask_subscription(STORY, replace(wish, paused=True)).passed
    assert not ask_subscription(STORY, replace(wish, guild_id=OTHER)).passed


def test_history_of_a_feed_alerts_nobody() -> None:
    silent = replace(STORY, alert=False)
    wish = Subscription(id=1, user_id=7, guild_id=GUILD, kind="topic", value="anonymity")
    routed = route(silent, [RULE], [wish])
    assert routed.due == ()
    assert [verdict.clauses[-1].name for verdict in routed.verdicts] == ["alert", "alert"]


def test_one_channel_gets_it_once_by_its_first_rule_and_every_rule_is_noted() -> None:
    notes = Recorder()
    rules = [
        replace(RULE, id=1, topics=("spyware",), ping_role=5),
        replace(RULE, id=2, ping_role=6),
        replace(RULE, id=3, ping_role=7),
        replace(RULE, id=4, channel_id=200),
    ]
    routed = route(STORY, rules, (), notes=notes)
    assert [(d.destination.id, d.rule_id, d.ping_role) for d in routed.due] == [(100, 2, 6), (200, 4, None)]
    assert [(f.stage, f.outcome, f.reason.split(":")[0]) for f in notes.findings] == [
        ("rule", "stopped by topics", "rule 1"),
        ("rule", "passed", "rule 2"),
        ("rule", "passed", "rule 3"),
        ("rule", "passed", "rule 4"),
    ]


def test_one_member_gets_it_once_and_the_record_says_nothing_of_members() -> None:
    notes = Recorder()
    wishes = [
        Subscription(id=1, user_id=7, guild_id=GUILD, kind="topic", value="anonymity"),
        Subscription(id=2, user_id=7, guild_id=GUILD, kind="case", value="42"),
        Subscription(id=3, user_id=8, guild_id=GUILD, kind="case", value="42"),
    ]
    routed = route(STORY, (), wishes, notes=notes)
    assert [(d.destination, d.subscription_id) for d in routed.due] == [
        (Destination("user", 7), 1),
        (Destination("user", 8), 3),
    ]
    assert notes.findings == []


@pytest.mark.parametrize(
    ("adds", "standing", "kinds"),
    [
        ("new", Standing(), ("card",)),
        ("source", Standing(), ("card",)),  # the first that this destination hears of the case
        ("update", Standing(), ("card",)),
        ("source", Standing(card="posted"), ("edit",)),
        ("source", Standing(card="posted", edit_waits=True), ()),  # one edit tells all sources
        ("source", Standing(card="waits"), ()),  # the card will tell it when it is posted
        ("update", Standing(card="posted"), ("update", "edit")),
        ("update", Standing(card="posted", edit_waits=True), ("update",)),
        ("update", Standing(card="waits"), ("update",)),
        ("new", Standing(served=True), ()),
        ("update", Standing(served=True, card="posted"), ()),
    ],
)
def test_what_a_destination_gets(adds: str, standing: Standing, kinds: tuple[str, ...]) -> None:
    assert messages(replace(STORY, adds=adds), standing) == kinds


def test_a_story_without_a_case_is_always_a_card() -> None:
    assert messages(replace(STORY, case_id=None, adds="source"), Standing(card="posted")) == ("card",)


@given(st.text(max_size=40), st.text(max_size=200))
def test_any_keyword_and_any_text_give_an_answer(keyword: str, text: str) -> None:
    story = replace(STORY, text=text)
    kept = ask_rule(story, replace(RULE, keywords=(keyword,)))
    dropped = ask_rule(story, replace(RULE, exclude=(keyword,)))
    # What is said is either wanted or unwanted by the same word, never both, never neither.
    assert kept.passed != dropped.passed


def test_a_role_is_mentioned_where_a_rule_without_one_posts_in_the_same_channel() -> None:
    general, special = replace(RULE, id=1), replace(RULE, id=2, ping_role=6)
    for rules in ((general, special), (special, general)):
        (wish,) = route(STORY, rules, ()).due
        assert (wish.rule_id, wish.ping_role) == (rules[0].id, 6)
        assert [other.rule_id for other in wish.others] == [rules[1].id]
    (wish,) = route(STORY, (general, replace(special, when="daily")), ()).due
    assert wish.ping_role is None, "its readers are mentioned in their digest"
    wish = as_owed([ask_rule(STORY, rule) for rule in (special, general)], 1)
    assert (wish.rule_id, wish.ping_role) == (1, 6), "past the limit of the first"


@pytest.mark.parametrize(
    ("ping_when", "urgent", "role", "is_urgent"),
    [
        (Condition(), Condition(), 9, False),  # no condition: every post pings, nothing is urgent
        (Condition(("withdrawn",)), Condition(("withdrawn",)), 9, True),
        (Condition(("quashed", "upheld")), Condition(("quashed",)), None, False),
        (Condition((), 0.8), Condition((), 0.8), 9, True),
        (Condition((), 0.81), Condition((), 0.81), None, False),
        (Condition(("quashed",), 0.7), Condition(("quashed",), 0.7), 9, True),  # any of them
    ],
)
def test_a_rule_pings_and_passes_quiet_hours_by_condition_and_says_why(
    ping_when: Condition, urgent: Condition, role: int | None, is_urgent: bool
) -> None:
    rule = replace(RULE, ping_role=9, ping_when=ping_when, urgent=urgent)
    verdict = ask_rule(STORY, rule)
    assert verdict.passed
    assert (verdict.ping_role, verdict.urgent) == (role, is_urgent)
    assert ("mentions" in verdict.reason) is bool(ping_when)
    assert ("urgent:" in verdict.reason) is is_urgent


def test_of_a_channels_rules_the_soonest_decides_and_an_urgent_one_before_others() -> None:
    weekly, daily, now, urgent = (
        replace(RULE, id=1, when="weekly"),
        replace(RULE, id=2, when="daily"),
        replace(RULE, id=3),
        replace(RULE, id=4, urgent=Condition(("withdrawn",))),
    )
    for rules, first in (
        ((weekly, daily), 2),
        ((weekly, daily, now), 3),
        ((now, urgent), 4),
        ((daily, weekly), 2),
    ):
        (due,) = route(STORY, rules, ()).due
        assert due.rule_id == first


@pytest.mark.parametrize("adds", ["new", "update", "source"])
def test_what_is_for_later_is_gathered_and_a_card_that_stands_tells_it_too(adds: str) -> None:
    story = replace(STORY, adds=adds)
    assert messages(story, Standing(), when="daily") == ("digest",)
    assert messages(story, Standing(card="posted"), when="daily") == ("digest", "edit")
    assert messages(story, Standing(card="waits"), when="daily") == ("digest",)
    assert messages(story, Standing(served=True), when="daily") == ()
