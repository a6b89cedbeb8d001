"""Several demands in one report, who is on which side of them, and what only looks like one."""

from __future__ import annotations

import pytest

from bot.record import Recorder
from bot.stories import parties, text
from bot.stories.demands import find_demands
from bot.stories.model import Article, Demand


def read(title: str, body: str) -> tuple[Demand, ...]:
    document = text.read(Article(title=title, body=body, language="en"), Recorder())
    return find_demands(document, parties.find_mentions(document), Recorder())


def test_two_firms_that_answer_differently_make_two_demands() -> None:
    found = read(
        "Regulator tells Google and Reddit to remove posts on the mine collapse",
        "The eSafety Commissioner sent a removal notice to Google and Reddit on Monday. "
        "Google complied within hours. Reddit refused to take the posts down.",
    )
    assert {(each.recipient, each.status) for each in found} == {
        (("Google",), "complied"),
        (("Reddit",), "refused"),
    }
    for each in found:
        assert dict(each.field_evidence)["status"] in each.evidence


def test_one_more_of_the_same_kind_is_a_demand_of_its_own() -> None:
    found = read(
        "Apple handed records of two aldermen to prosecutors",
        "Federal prosecutors served Apple with a grand jury subpoena for the records of two aldermen, and "
        "Apple complied. Microsoft received such a subpoena too.",
    )
    assert [(each.recipient, each.instrument, each.issuer) for each in found] == [
        (("Apple",), "grand jury subpoena", found[0].issuer),
        (("Microsoft",), "grand jury subpoena", found[0].issuer),
    ]


def test_a_letter_and_a_warrant_of_two_offices_are_two() -> None:
    found = read(
        "Yahoo copied a sergeant's mailbox before there was a warrant",
        "In March the Secret Service sent Yahoo a preservation request for the account of a sergeant. "
        "Months later the FBI served Yahoo with a search warrant for it, and Yahoo turned the mail over.",
    )
    assert {each.instrument for each in found} == {"preservation request", "search warrant"}


@pytest.mark.parametrize(
    ("title", "body"),
    [
        (
            "Yelp keeps a reviewer's name",
            "A judge granted motions by Yelp and the reviewer and threw out the subpoena of a Reno dentist.",
        ),
        (
            "Sprint had to give call records every night, an order shows",
            "The order of the Foreign Intelligence Surveillance Court to Sprint, published by the Guardian, "
            "covers the records of all calls.",
        ),
        (
            "Impostors tricked Snap",
            "Scammers posing as FBI agents sent Snap an emergency data request for a girl's address.",
        ),
    ],
)
def test_who_moves_publishes_or_is_impersonated_demands_nothing(title: str, body: str) -> None:
    issuers = {name for each in read(title, body) for name in each.issuer}
    assert not issuers & {"Yelp", "The Guardian", "Sprint", "Snap", "Federal Bureau of Investigation"}


def test_a_committee_demands_as_an_agency_does() -> None:
    found = read(
        "House panel wants call logs",
        "The House Intelligence Committee subpoenaed Verizon on Tuesday for the call records of two aides.",
    )
    assert [(each.issuer, each.recipient, each.instrument) for each in found] == [
        (("House Intelligence Committee",), ("Verizon",), "subpoena")
    ]


def test_offices_are_named_by_their_place() -> None:
    found = read(
        "Doorbell clips went to detectives",
        "The police in Tacoma served Amazon with a search warrant for footage of a doorbell on Friday.",
    )
    assert found[0].issuer == ("Tacoma police",)


def test_a_court_that_takes_its_order_back_withdraws_it() -> None:
    found = read(
        "Judge lifts his ban on Telegram",
        "Judge Tomas Vidal ordered on Monday that Telegram be blocked in the whole country. "
        "On Friday Judge Tomas Vidal lifted the ban on Telegram.",
    )
    assert [(each.instrument, each.recipient, each.status) for each in found] == [
        ("takedown order", ("Telegram",), "withdrawn")
    ]


@pytest.mark.parametrize(
    ("title", "body"),
    [
        (
            "Facebook and its rules",
            "Facebook removed a page on Monday that broke its rules. It also deleted two groups. "
            "The senator called the company biased.",
        ),
        (
            "Microsoft helps out",
            "Microsoft provided a repair of its software to the army before others had it. The key was safe.",
        ),
        (
            "More subpoenas may follow",
            "It is not a subpoena that Google got, the chairman said, and subpoenas may follow next year.",
        ),
    ],
)
def test_what_is_done_of_ones_own_accord_or_is_to_come_is_no_demand(title: str, body: str) -> None:
    assert read(title, body) == ()


def test_a_contract_that_ended_is_told_when_the_report_is_about_it() -> None:
    body = (
        "The sheriff's contract with Fog Data Science for phone locations ended on Friday. "
        "The county had bought the data for two years."
    )
    assert [each.status for each in read("County ends contract with Fog Data Science", body)] == ["withdrawn"]
    assert [each.status for each in read("Phones were tracked", "Deputies tracked phones. " + body)] == [
        "complied"
    ]


def test_a_request_and_the_warrant_that_followed_are_two_demands() -> None:
    found = read(
        "Deputies got a warrant after Lyft said no",
        "The Pima County sheriff's office sent Lyft an emergency request for a driver's location. "
        "Lyft refused. "
        "The sheriff's office came back with a search warrant and Lyft gave the location up.",
    )
    assert {each.instrument for each in found} == {"emergency request", "search warrant"}
    assert {each.recipient for each in found} == {("Lyft",)}


def test_orders_to_other_firms_stand_where_they_stand() -> None:
    found = read(
        "Court in Ankara tells Telegram to delete channels",
        "A court in Ankara ordered Telegram on Monday to delete nine channels, and Telegram removed them. "
        "It also ordered Apple and Google to remove posts of the party. That order was withdrawn on Friday.",
    )
    assert {each.recipient for each in found} == {("Telegram",), ("Apple", "Google")}


def test_another_office_that_follows_with_one_of_its_own() -> None:
    found = read(
        "Ohio wants the files of Media Matters",
        "Ohio Attorney General Dave Yost sent Media Matters a civil investigative demand in May for "
        "its e-mails. "
        "The Attorney General of Iowa followed with one of her own.",
    )
    assert len(found) == 2
    assert {each.recipient for each in found} == {("Media Matters",)}
    assert found[0].issuer != found[1].issuer


@pytest.mark.parametrize(
    ("title", "body", "recipient", "instrument"),
    [
        (
            "Detectives search a weekly",
            "Sheriff's deputies walked into the newsroom of the Alder Gazette on Friday and took "
            "two laptops. "
            "A judge had signed the warrant an hour before.",
            "Alder Gazette",
            "search warrant",
        ),
        (
            "Reporter stopped at the border",
            "A customs officer told Imran Qadir, a reporter, to unlock his phone at the airport. He refused.",
            "Imran Qadir",
            "informal request",
        ),
        (
            "Forum fined",
            "The regulator Ofcom has fined the forum Bluegate because it would not answer its "
            "questions about "
            "how it finds illegal posts.",
            "Bluegate",
            "informal request",
        ),
        (
            "Teacher fights subpoena",
            "Prosecutors want to know who filmed the raid. A grand jury subpoena that went to his provider, "
            "Astound, asks for the records of a teacher.",
            "Astound",
            "grand jury subpoena",
        ),
    ],
)
def test_demands_told_by_deeds(title: str, body: str, recipient: str, instrument: str) -> None:
    found = read(title, body)
    assert [(each.recipient, each.instrument) for each in found] == [((recipient,), instrument)]


def test_a_warrant_that_a_long_column_quarrels_over_is_no_demand() -> None:
    talk = " ".join(f"The hearing went on into its {n}th hour, and nobody gave way." for n in range(4, 20))
    found = read(
        "The memo and its enemies",
        f"Republicans waved the memo about on Monday. {talk} The memo says that the FBI obtained a "
        f"FISA warrant "
        "on Carter Page with a dossier. Democrats say that this leaves out the rest.",
    )
    assert found == ()


def test_what_the_asked_side_pleads_is_no_ruling() -> None:
    found = read(
        "Firm fights order for logs",
        "A federal judge in Reno ordered Pinebox to hand the FBI the logs of a customer. Pinebox's "
        "lawyers held "
        "that the order was unconstitutional and appealed.",
    )
    assert [each.status for each in found] == ["challenged"]
