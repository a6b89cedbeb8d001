"""Demands that articles tell beside, after or under another one, and in turns that name no instrument."""

from __future__ import annotations

import pytest

from bot.record import Recorder
from bot.stories import parties, text
from bot.stories.demands import find_demands
from bot.stories.model import Article, Demand


def read(title: str, body: str) -> tuple[Demand, ...]:
    document = text.read(Article(title=title, body=body, language="en"), Recorder())
    return find_demands(document, parties.find_mentions(document), Recorder())


@pytest.mark.parametrize(
    "gag",
    [
        "It forbade the company to speak about it for two years.",
        "Dropbox was told to keep it quiet for two years.",
        "The judge barred Dropbox from telling its customer.",
        "The company was gagged for two years.",
        "A nondisclosure requirement came along with it.",
        "Until last week Dropbox was not allowed to tell the customer.",
    ],
)
def test_the_gag_on_a_demand_is_one_more_demand_with_the_same_parties(gag: str) -> None:
    found = read(
        "Dropbox gave prosecutors a councilman's files",
        f"The FBI served Dropbox with a search warrant for the files of a councilman. {gag} "
        "Dropbox turned the files over.",
    )
    assert [(each.instrument, each.issuer, each.recipient) for each in found] == [
        ("search warrant", ("Federal Bureau of Investigation",), ("Dropbox",)),
        ("gag order", ("Federal Bureau of Investigation",), ("Dropbox",)),
    ]


@pytest.mark.parametrize(
    "no_gag",
    [
        "The law forbids the company to disclose user data to advertisers.",
        "A spokesman could not say how many files there were.",
        "The senator said it was no time for gags about privacy.",
    ],
)
def test_what_must_not_be_told_for_other_reasons_is_no_gag(no_gag: str) -> None:
    found = read(
        "Dropbox gave prosecutors a councilman's files",
        f"The FBI served Dropbox with a search warrant for the files of a councilman. {no_gag} "
        "Dropbox turned the files over.",
    )
    assert [each.instrument for each in found] == ["search warrant"]


@pytest.mark.parametrize(
    ("second", "instrument"),
    [
        (
            "An earlier administrative subpoena for the same records was declined by Dropbox.",
            "administrative subpoena",
        ),
        ("Agents then obtained a wiretap order for the account.", "wiretap order"),
        ("A follow-up, this time a geofence warrant, is mentioned in the file.", "geofence warrant"),
    ],
)
def test_what_came_before_or_after_is_told_apart(second: str, instrument: str) -> None:
    found = read(
        "Dropbox asked for a councilman's files",
        "The FBI served Dropbox with a search warrant for the files of a councilman on Monday. "
        f"The files are of 2024. {second} The councilman has not been charged.",
    )
    assert {each.instrument for each in found} == {"search warrant", instrument}
    assert all(each.recipient == ("Dropbox",) for each in found)


def test_an_order_told_twice_is_one() -> None:
    found = read(
        "Dropbox asked for a councilman's files",
        "The FBI served Dropbox with a search warrant for the files of a councilman. "
        "The warrant then went to the legal team. Dropbox turned the files over.",
    )
    assert len(found) == 1


@pytest.mark.parametrize(
    ("body", "recipient"),
    [
        (
            "The communications authority has told internet providers to shut off 14 social networks before "
            "the vote.",
            "Internet service providers",
        ),
        ("A judge in Lima has ordered the suspension of TikTok throughout the country.", "TikTok"),
    ],
)
def test_a_service_that_shall_go_dark_is_a_demand(body: str, recipient: str) -> None:
    found = read("A network goes dark before the vote", body)
    assert [(each.instrument, each.recipient) for each in found] == [("takedown order", (recipient,))]


def test_those_who_carry_a_service_are_asked_something_else_than_the_service_is() -> None:
    found = read(
        "Judge orders TikTok off the air",
        "Peru's regulator told TikTok in May to remove clips of a minister, and TikTok refused. "
        "On Friday the regulator ordered internet providers to block access to the app.",
    )
    assert {each.recipient for each in found} == {("TikTok",), ("Internet service providers",)}
