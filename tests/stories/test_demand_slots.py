"""Parties that no list holds are found by their place in a demand."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.record import Recorder
from bot.stories import parties, text
from bot.stories.demand_slots import slot_mentions
from bot.stories.demands import find_demands
from bot.stories.model import Article, Demand


def _names(body: str, title: str = "") -> set[str]:
    document = text.read(Article(title=title, body=body), Recorder())
    return {mention.name for mention in slot_mentions(document, parties.find_mentions(document))}


def _demands(body: str, title: str = "") -> tuple[Demand, ...]:
    document = text.read(Article(title=title, body=body), Recorder())
    return find_demands(document, parties.find_mentions(document), Recorder())


@pytest.mark.parametrize(
    "body",
    [
        "The FBI served a search warrant on Tangleweed for the messages of one user.",
        "A subpoena from the FBI to Tangleweed asks for the addresses of two users.",
        "Tangleweed handed over the data of two users after a subpoena from the FBI.",
        "Tangleweed is fighting a subpoena from the FBI for the names of two users.",
    ],
)
def test_an_unknown_company_is_asked(body: str) -> None:
    (demand,) = _demands(body)
    assert demand.recipient == ("Tangleweed",)
    assert demand.issuer == ("Federal Bureau of Investigation",)


def test_an_unknown_company_asks() -> None:
    (demand,) = _demands("Brightwater Foods has subpoenaed Yelp for the names of four reviewers.")
    assert demand.issuer == ("Brightwater Foods",)
    assert demand.instrument == "civil subpoena"


def test_a_lone_x_is_the_platform_and_malcolm_x_is_not() -> None:
    (demand,) = _demands("A judge ordered X to identify eight users.")
    assert demand.recipient == ("Twitter",)
    assert _names("Malcolm X told a crowd of an order that nobody gave.") == set()


def test_a_country_acts_for_its_government() -> None:
    (demand,) = _demands("Turkey ordered Twitter to remove 65 posts.")
    assert demand.issuer == ("Turkey",)
    assert _names("The order was read in Turkey on Monday.") == set()


def test_words_that_only_open_a_sentence_are_no_names() -> None:
    assert (
        _names("Nobody refused the order. Lawyers told the court so. However, records were turned over.")
        == set()
    )


def test_a_removal_rests_on_the_authority_of_the_next_sentence() -> None:
    (demand,) = _demands("Google blocked 250 accounts. The Indian government had demanded it.")
    assert (demand.instrument, demand.status) == ("takedown order", "complied")
    assert demand.issuer == ("Indian government",)


def test_a_removal_by_the_platforms_own_rules_is_no_demand() -> None:
    assert (
        _demands("Facebook removed 200 posts for breaking its own rules. Officials ordered schools to close.")
        == ()
    )


def test_the_court_that_orders_is_no_enforcer_of_an_order_of_its_own() -> None:
    (demand,) = _demands(
        "A judge has ordered NSO Group to give WhatsApp its code. It need not name its customers."
    )
    assert (demand.recipient, demand.instrument, demand.status) == (("NSO Group",), "court order", "issued")


def test_who_is_only_opposed_is_no_target() -> None:
    (demand,) = _demands("CBP issued a summons to Twitter for records of an anti-Trump account, @ALT_USCIS.")
    assert demand.target == ("@ALT_USCIS",)
    (demand,) = _demands("CBP issued a summons to Twitter for the name of an anonymous Donald Trump critic.")
    assert demand.target == ("anonymous Donald Trump critic",)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=3_000))
def test_any_text_gives_names(body: str) -> None:
    _names(body, body[:80])


@pytest.mark.parametrize(
    "piece", ["Turkey ", "X refused ", "subpoena to the A-", "City of A ", "A'a ", "blocked at the order of "]
)
def test_long_monsters_are_read_in_time(piece: str) -> None:
    began = time.process_time()
    _demands(piece * 10_000)
    assert time.process_time() - began < 2.0
