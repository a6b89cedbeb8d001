"""A second demand beside the first: asked kindly before it was ordered, one more like it, other firms."""

# ruff: noqa: E501 - sentences stand whole

from __future__ import annotations

import pytest

from bot.record import Recorder
from bot.stories import parties, text
from bot.stories.analyse import analyse
from bot.stories.demands import find_demands
from bot.stories.model import Article, Demand


def read(title: str, body: str) -> tuple[Demand, ...]:
    document = text.read(Article(title=title, body=body, language="en"), Recorder())
    return find_demands(document, parties.find_mentions(document), Recorder())


def asked(found: tuple[Demand, ...]) -> set[tuple[tuple[str, ...], str]]:
    return {(each.recipient, each.instrument) for each in found}


@pytest.mark.parametrize(
    "before",
    [
        "It had asked Reddit in March to hand over the same names.",
        "The FBI first asked Reddit to hand over the names, and got no answer.",
        "Three weeks before, the FBI had asked Reddit to identify them.",
        "Agents asked Reddit twice, politely, to hand over the names.",
    ],
)
def test_who_orders_in_the_end_and_asked_before_makes_two_demands(before: str) -> None:
    found = read(
        "FBI subpoenas Reddit over a moderator's posts",
        f"The FBI served Reddit with a subpoena for the names of two moderators. {before} "
        "Reddit is going to court over the subpoena.",
    )
    assert asked(found) == {(("Reddit",), "subpoena"), (("Reddit",), "informal request")}


@pytest.mark.parametrize(
    "same",
    [
        "The subpoena asks Reddit to hand over names and addresses.",
        "The FBI asked Reddit to answer it by Friday.",
        "The demand was first reported by a local newspaper.",
    ],
)
def test_what_is_said_of_the_order_itself_is_no_second_demand(same: str) -> None:
    found = read(
        "FBI subpoenas Reddit over a moderator's posts",
        f"The FBI served Reddit with a subpoena for the names of two moderators. {same} "
        "Reddit is going to court over the subpoena.",
    )
    assert asked(found) == {(("Reddit",), "subpoena")}


def test_a_request_before_the_order_is_of_whoever_ordered() -> None:
    story = analyse(
        Article(
            "Court makes Google name a dentist's critic",
            "A federal court has ordered Google to hand over to surgeon Maria Feld the name of a user who wrote a "
            "review of her clinic. She had asked Google in June to take it down. The company declined.",
        )
    )
    assert any(each.instrument == "informal request" and "Google" in each.recipient for each in story.demands)


@pytest.mark.parametrize(
    "also",
    [
        "Meta, which got one as well, took the clips down within the hour.",
        "Meta complied with a similar notice.",
        "Meta said it received one on Tuesday.",
        "Meta obeyed the same order.",
    ],
)
def test_one_more_like_it_for_content_too(also: str) -> None:
    found = read(
        "Regulator tells TikTok to remove clips of the stabbing",
        f"The eSafety Commissioner issued a removal notice to TikTok on Monday over clips of the stabbing. {also} "
        "TikTok has not answered.",
    )
    assert {each.recipient for each in found} == {("TikTok",), ("Meta",)}


def test_the_same_instrument_to_another_firm_in_another_sentence() -> None:
    found = read(
        "Chevron's subpoenas for critics' mail",
        "Chevron served Microsoft with a subpoena for the mail records of thirty critics. A judge let it stand on "
        "Thursday. Another court has yet to rule on the subpoena to Yahoo.",
    )
    assert {each.recipient for each in found} == {("Microsoft",), ("Yahoo",)}


def test_the_same_instrument_to_another_hospital_in_another_sentence() -> None:
    found = read(
        "Justice Department wants patients' files",
        "The Justice Department served Mercy Lake Children's Hospital with an administrative subpoena for patients' "
        "records. A judge threw it out in June. In May the department served a subpoena on Saint Brendan Hospital.",
    )
    assert len({each.recipient for each in found}) == 2


def test_two_firms_named_together_once_stay_one_demand() -> None:
    found = read(
        "Prosecutors subpoena Google and Yahoo",
        "Prosecutors served Google and Yahoo with a subpoena for the records of a councilman. "
        "The subpoena to Yahoo covers two years.",
    )
    assert [set(each.recipient) for each in found] == [{"Google", "Yahoo"}]


def test_a_summons_told_by_its_verb_after_a_pronoun() -> None:
    found = read(
        "Tax service wants a trader's records from two exchanges",
        "The Internal Revenue Service served Coinbase with an administrative summons for the records of a trader. "
        "A year later it summoned Kraken, the exchange in San Francisco, for everything about him.",
    )
    assert any(
        each.recipient == ("Kraken",) and each.instrument == "administrative summons" for each in found
    )


def test_who_is_summoned_to_speak_is_asked_for_no_data() -> None:
    assert not read(
        "Meta has to explain an outage",
        "The minister summoned Meta on Tuesday to explain why the network was down.",
    )


@pytest.mark.parametrize("what", ["casino", "motel", "library", "pharmacy"])
def test_a_place_of_business_without_a_name_is_asked(what: str) -> None:
    found = read(
        "Detectives want a week of guests' footage",
        f"The Marlow County Sheriff's Office served the {what} with a search warrant for a week of camera footage. "
        f"The {what} has handed over two days.",
    )
    assert [each.recipient for each in found] == [(what,)]


def test_a_name_beside_the_kind_of_shop_is_a_party() -> None:
    found = read(
        "Agents subpoena wire-transfer records",
        "Homeland Security Investigations subpoenaed a money-transfer shop, Envios Perla, for the names of customers.",
    )
    assert [each.recipient for each in found] == [("Envios Perla",)]
