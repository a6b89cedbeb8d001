"""Of whom a demand is, where those whose calls or words are taken are not the ones who are asked."""

from __future__ import annotations

import pytest

from bot.stories.analyse import analyse
from bot.stories.model import Article, Story


def _story(title: str, *paragraphs: str) -> Story:
    return analyse(Article(title=title, body="\n\n".join(paragraphs), language="en"))


def test_a_paper_whose_phone_records_are_taken_is_not_asked_for_them() -> None:
    story = _story(
        "Justice Department took Associated Press phone records",
        "The Justice Department secretly subpoenaed two months of Associated Press phone records, the news "
        "agency said Monday. The subpoena covered twenty lines of reporters and editors.",
        "Prosecutors are looking for whoever told the agency of a foiled plot.",
    )
    (demand,) = story.demands
    assert demand.issuer == ("Department of Justice",)
    assert demand.recipient == ()
    assert demand.target[0] == "Associated Press"


def test_whom_a_warrant_lets_agents_listen_to_is_not_asked() -> None:
    story = _story(
        "F.B.I. got a secret order on a campaign adviser",
        "The F.B.I. obtained a Foreign Intelligence Surveillance Act warrant to monitor the communications "
        "of Harold Tasker, an adviser to a candidate for governor, two officials said.",
        "The secret court granted the warrant last summer, and Mr. Tasker has not been accused of a crime.",
    )
    (demand,) = story.demands
    assert (demand.issuer, demand.recipient) == (("Federal Bureau of Investigation",), ())
    assert "Harold Tasker" in demand.target


@pytest.mark.parametrize(
    "sentence",
    [
        "Prosecutors served a subpoena on Harold Tasker for his phone records, and he refused to give them.",
        "A grand jury subpoenaed Harold Tasker, and Tasker's phone records are what it wants from him.",
    ],
)
def test_who_is_asked_for_what_is_their_own_stays_the_one_who_is_asked(sentence: str) -> None:
    story = _story("Adviser subpoenaed for records of his calls", sentence, "The grand jury sits in Boston.")
    assert [demand.recipient for demand in story.demands] == [("Harold Tasker",)]


def test_a_firm_whose_records_are_taken_is_asked_for_them() -> None:
    story = _story(
        "ICE subpoenas T-Mobile call records",
        "Immigration and Customs Enforcement subpoenaed T-Mobile's call records of forty immigrants, court "
        "papers show. The company handed them over in March.",
    )
    assert [demand.recipient for demand in story.demands] == [("T-Mobile",)]


def test_whom_a_demand_is_about_is_no_word_for_anybody() -> None:
    story = _story(
        "Mail provider gives user data to police",
        "Proton was ordered by a Swiss court to hand over user data, and complied. Several users say that "
        "they were not told.",
    )
    assert [demand.target for demand in story.demands] in ([()], [("users",)])


def test_an_article_of_an_order_to_watch_somebody_tells_a_demand() -> None:
    story = _story(
        "Inspector finds gaps in the F.B.I.'s request to a secret court",
        "The F.B.I. left out what it knew of a source when it asked the Foreign Intelligence Surveillance "
        "Court for leave to listen in, the inspector general told senators on Wednesday.",
        "Agents had used the source's papers to secure a warrant to monitor Harold Tasker, an adviser to a "
        "candidate for governor. Senators of both parties called for new rules on secret surveillance.",
    )
    (demand,) = story.demands
    assert demand.issuer == ("Federal Bureau of Investigation",)
    assert (demand.recipient, demand.target) == ((), ("Harold Tasker",))
    assert demand.instrument == "foreign intelligence order"
    assert "warrant to monitor Harold Tasker" in demand.evidence[0]


@pytest.mark.parametrize(
    "sentence",
    [
        "Nobody would have sought a warrant to monitor Harold Tasker without those papers, he said.",
        "Agents could get a warrant to monitor Harold Tasker if the bill passes.",
    ],
)
def test_an_order_to_watch_that_may_be_is_none(sentence: str) -> None:
    story = _story(
        "Senators quarrel over secret surveillance",
        "Senators argued on Wednesday over the Foreign Intelligence Surveillance Act and what it lets the "
        "F.B.I. listen to.",
        sentence,
    )
    assert story.demands == ()


def test_a_broadcaster_that_tells_of_a_wiretap_was_not_asked_for_it() -> None:
    story = _story(
        "Tasker wiretap rested on gossip, former F.B.I. chief admits on Fox News",
        "The former head told Fox News on Sunday that the F.B.I. was wrong to use gossip when it obtained "
        "a Foreign Intelligence Surveillance Act warrant against Harold Tasker.",
        "The interview on Fox News lasted an hour. Tasker was never charged.",
    )
    (demand,) = story.demands
    assert (demand.issuer, demand.recipient) == (("Federal Bureau of Investigation",), ())
    assert "recipient" not in dict(demand.field_evidence)
