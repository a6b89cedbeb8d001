"""Where a demand stands, told in words that no lawyer uses: by deeds, answers, and whose defeat it was."""

from __future__ import annotations

import pytest

from tests.stories.test_demands import read

_DEMAND = "DHS served Reddit with a subpoena for the names of three users in March."
_ORDER = "Kenya's communications regulator ordered internet providers to block access to Telegram on Friday."


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Reddit supplied a spreadsheet within the hour.", "complied"),
        ("The company answered within a day.", "complied"),
        ("Reddit responded to the subpoena by sending the names.", "complied"),
        ("Reddit chose to comply.", "complied"),
        ('"We are complying," a spokesman for Reddit said.', "complied"),
        ("The names went out the same evening.", "complied"),
        ("Reddit produced two of the names but withheld the third.", "partly complied"),
        ("Reddit told the department that it would not give out names.", "refused"),
        ('"We won\'t hand them over," the company said.', "refused"),
        ("Reddit handed over nothing.", "refused"),
        ("Reddit refused to comply with the law.", "refused"),
        ("Reddit gave the department the names, as it complies with lawful requests.", "complied"),
        ("Reddit stood firm.", "refused"),
        ("Reddit has never answered.", "refused"),
        ("Reddit told the department to come back with a warrant.", "refused"),
        ("Reddit has paused the processing of such demands.", "refused"),
        ("Reddit asked a judge in Oakland on Monday to void it.", "challenged"),
        ("Reddit has taken DHS to court.", "challenged"),
        ("Reddit vowed to fight it.", "challenged"),
        ("DHS took the subpoena back.", "withdrawn"),
        ("DHS relented in May.", "withdrawn"),
        ("A judge in Oakland tossed that subpoena.", "quashed"),
        ("DHS lost its fight in court.", "quashed"),
        ("Reddit lost its fight in court.", "upheld"),
        ("An appeals court declined to step in.", "upheld"),
        ("After a judge denied its motion to quash, Reddit handed over the names.", "complied"),
        ("The subpoena survives, a court found.", "upheld"),
    ],
)
def test_reads_deeds_and_answers(text: str, status: str) -> None:
    assert read(_DEMAND, "Nothing was known of it until May.", text)[0].status == status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (
            "Reddit filed a motion to quash it in court, saying that it violates the First Amendment.",
            "challenged",
        ),
        (
            "Reddit filed a motion to quash. The subpoena violates the Constitution, Reddit said.",
            "challenged",
        ),
        ("Reddit sued because the subpoena violates the First Amendment.", "challenged"),
        ('Reddit fights it in court. "The subpoena is illegal," its lawyer said.', "challenged"),
        ("Reddit asked a judge in Oakland to quash it because the subpoena is overbroad.", "challenged"),
        ("The subpoena violates the First Amendment, a federal judge ruled.", "quashed"),
        ("A federal appeals court held that the subpoena violated the First Amendment.", "quashed"),
        ("The subpoena is unconstitutional, the Supreme Court said.", "quashed"),
        ("A federal judge in Oakland ruled that it violated the First Amendment.", "quashed"),
    ],
)
def test_that_a_demand_is_unlawful_is_a_plea_unless_a_court_says_so(text: str, status: str) -> None:
    assert read(_DEMAND, "Nothing was known of it until May.", text)[0].status == status


@pytest.mark.parametrize(
    "text",
    [
        "Reddit didn't answer our questions.",
        "Reddit said it did not know whose names these were.",
        "A lawyer for a user, Ana Ruiz, told reporters that she would not give her name.",
        "Google supplied a statement on another matter.",
        "The subpoena came with a letter in which the department asked for silence.",
        "Reddit bowed out of a conference in May.",
        "Reddit will not comment.",
        "Failure to comply could lead to contempt.",
        "A spokesperson said the company pushes back on overbroad requests.",
        "Reddit said it challenges requests that threaten users' rights.",
        "Reddit says it complies with lawful requests.",
        "Reddit only hands over data when it is legally required to.",
        "Reddit refused similar demands in 2019.",
        "A coalition of 40 groups sent a letter to Reddit asking it to challenge the subpoena.",
        "In its report Reddit said that it received 1,200 requests last year and complied with 60 percent.",
        "The department has withdrawn such subpoenas before judges could rule on them.",
        "Courts have quashed subpoenas like this one.",
        "DHS may not use administrative subpoenas to investigate protected speech.",
        "Civil liberties groups urged Reddit to fight the subpoena.",
    ],
)
def test_what_sounds_like_an_answer_and_is_none(text: str) -> None:
    assert read(_DEMAND, "Nothing was known of it until May.", text)[0].status == "issued"


def test_who_stops_complying_complies_no_more() -> None:
    assert read(_DEMAND, "Reddit will stop complying with such subpoenas.")[0].status == "refused"


def test_what_a_warrant_tells_somebody_is_no_ruling_on_it() -> None:
    found = read(
        "A judge signed a search warrant of the police in Tulsa that tells Google to give them the e-mails."
    )
    assert found[0].status == "issued"


def test_a_service_answers_another_demand_than_the_carriers() -> None:
    found = read(_ORDER, "Telegram had ignored a request for the names of users.")
    orders = [each for each in found if each.instrument == "takedown order"]
    assert [each.status for each in orders] == ["issued"]


def test_a_service_that_is_gone_was_blocked() -> None:
    assert read(_ORDER, "By Saturday morning the app could no longer be reached.")[0].status == "complied"


def test_a_gag_that_the_office_gave_up_was_withdrawn_though_a_judge_lifted_it() -> None:
    found = read(
        "A gag order kept Microsoft from telling a user that the Justice Department had asked for e-mails.",
        "The department dropped its demand for secrecy in May.",
        "On Friday the judge lifted the gag order.",
    )
    assert [each.status for each in found if each.instrument == "gag order"] == ["withdrawn"]


@pytest.mark.parametrize(
    "text",
    [
        "Reddit is home to people of opposing views.",
        'The users had used "fighting words", DHS said.',
    ],
)
def test_what_others_fight_over_is_no_challenge(text: str) -> None:
    assert read(_DEMAND, "Nothing was known of it until May.", text)[0].status == "issued"


def test_why_something_was_removed_is_no_part_that_was_kept() -> None:
    found = read(
        "The police asked Facebook to take down the posts of a gunman.",
        "Facebook removed the posts, but not because its own programs had found them.",
    )
    assert [each.status for each in found] == ["complied"]
