"""Subpoenas of suits, of legislatures and attorneys general: who sues and asks, and who is asked."""

# ruff: noqa: E501 - sentences stand whole

from __future__ import annotations

import pytest

from bot.stories.analyse import analyse
from bot.stories.model import Article, Demand


def read(title: str, body: str) -> tuple[Demand, ...]:
    return analyse(Article(title=title, body=body)).demands


def first(title: str, body: str) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    found = read(title, body)
    assert found, "no demand was found"
    return found[0].issuer, found[0].recipient, found[0].instrument


def test_the_unknown_speaker_neither_demands_nor_is_asked() -> None:
    issuer, recipient, _ = first(
        "Roofer may learn who wrote three bad reviews on Yelp",
        "Marlow Roofing sued John Does and served Yelp with a subpoena for the names of three reviewers. "
        "The reviewers, who call themselves Doe 1 and Doe 2 in court papers, asked a judge to quash the subpoena. "
        "The judge refused, and Yelp must hand over the names.",
    )
    assert issuer == ("Marlow Roofing",)
    assert recipient == ("Yelp",)


def test_who_is_only_asked_does_not_demand() -> None:
    issuer, recipient, _ = first(
        "Subpoena for a chat forum's records",
        "Lawyers let nobody know how they found an anonymous critic's platform, but a subpoena went to Reddit for the account's records. "
        "Reddit has objected to the subpoena.",
    )
    assert "platform" not in " ".join(issuer)
    assert recipient == ("Reddit",)


@pytest.mark.parametrize(
    "asking",
    [
        "Velt Dental sued seven reviewers. It served Glassdoor to get their names.",
        "Velt Dental sued seven reviewers and served Glassdoor for their names and addresses.",
        "Velt Dental, which runs nine clinics, sued in May. It served Glassdoor with a subpoena for the names of seven reviewers.",
    ],
)
def test_papers_are_served_for_names_without_a_word_for_them(asking: str) -> None:
    issuer, recipient, instrument = first("Dentists want the names of reviewers", asking)
    assert (issuer, recipient) == (("Velt Dental",), ("Glassdoor",))
    assert "subpoena" in instrument


def test_who_serves_customers_demands_nothing() -> None:
    assert not read(
        "A cleaner of data centers",
        "Velt Cleaning has served Google for ten years. It served Google for years with cleaning of data centers and keeps records of it.",
    )


@pytest.mark.parametrize(
    "asking",
    [
        "Crown Outdoor petitioned the district court in Denver to make GitHub identify the person who posted the files.",
        "Crown Outdoor asked a federal judge to make GitHub identify the person who posted the files.",
        "Crown Outdoor got a federal court to order GitHub to identify the person who posted the files.",
    ],
)
def test_who_asks_a_court_to_order_is_the_one_that_demands(asking: str) -> None:
    issuer, recipient, _ = first("Company wants to know who posted its files", asking)
    assert (issuer, recipient) == (("Crown Outdoor",), ("GitHub",))


def test_orders_of_equity_to_name_a_wrongdoer_are_court_orders() -> None:
    found = first(
        "Dentists win order against Google",
        "Velt Dental sought a Norwich Pharmacal order against Google for the names of three reviewers. A judge granted it.",
    )
    assert found == (("Velt Dental",), ("Google",), "court order")


def test_served_with_a_subpoena_is_whoever_is_named_between() -> None:
    found = read(
        "Studio wants reporter's messages and sources",
        "Halvorsen Films served a freelance reporter, Paul Orrin, with a subpoena for his messages and the names of his sources. "
        "Orrin has asked a judge to quash the subpoena.",
    )
    assert [(each.issuer, each.recipient) for each in found] == [(("Halvorsen Films",), ("Paul Orrin",))]


def test_a_clause_about_the_one_that_demands_names_no_other() -> None:
    issuer, recipient, _ = first(
        "Party chair wants names of two Reddit users",
        "Mary Olsen, who chairs the Linn County Democratic Central Committee, subpoenaed Reddit for the names of two users.",
    )
    assert (issuer, recipient) == (("Mary Olsen",), ("Reddit",))


def test_a_candidate_for_an_office_is_not_the_office() -> None:
    issuer, recipient, _ = first(
        "Sheriff candidate subpoenas reporter's calls",
        "Rick Barlow, a county sheriff candidate, has sued a newspaper. Barlow sent a subpoena to AT&T for the calls and texts of a reporter.",
    )
    assert (issuer, recipient) == (("Rick Barlow",), ("AT&T",))


def test_officials_and_chambers_are_not_asked() -> None:
    for each in read(
        "Attorney general may see shelter's records",
        "Officials of the attorney general's office handed the shelter a request to examine its records of residents. "
        "The House argued over it, and the attorney general sued.",
    ):
        assert not {"Officials", "House of Representatives"} & set(each.recipient)


def test_the_committee_of_january_6_is_one_however_it_is_written() -> None:
    issuer, recipient, _ = first(
        "Jan. 6 select committee subpoenas T-Mobile",
        "The Jan. 6 select committee subpoenaed T-Mobile for the call records of a party chair. She has sued to block the subpoena.",
    )
    assert (issuer, recipient) == (("House January 6 Committee",), ("T-Mobile",))
