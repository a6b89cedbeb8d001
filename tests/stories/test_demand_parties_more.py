"""Who demands and who is asked where one sentence alone says the wrong thing: sentences of our own."""

from __future__ import annotations

import pytest

from bot.record import Recorder
from bot.stories.analyse import analyse
from bot.stories.demand_slots import slot_mentions
from bot.stories.demands import find_demands
from bot.stories.model import Article, Demand
from bot.stories.parties import find_mentions
from bot.stories.text import read


def demands(title: str, *sentences: str) -> tuple[Demand, ...]:
    return analyse(Article(title, " ".join(sentences))).demands


def recipients(title: str, *sentences: str) -> set[str]:
    return {name for demand in demands(title, *sentences) for name in demand.recipient}


def issuers(title: str, *sentences: str) -> set[str]:
    return {name for demand in demands(title, *sentences) for name in demand.issuer}


def named(*sentences: str) -> set[tuple[str, str]]:
    document = read(Article("", " ".join(sentences)), Recorder())
    found = find_mentions(document)
    return {(m.name, m.kind) for m in (*found, *slot_mentions(document, found))}


# ------------------------------------------------------------------ blocks are carried out by operators


def test_who_is_told_to_block_is_asked_and_not_the_service() -> None:
    told = recipients(
        "Zambia shuts off WhatsApp before the vote",
        "The government blocked WhatsApp on Thursday, a day before the election, to stop rumours.",
        "The telecoms regulator had ordered internet providers to block the app until Monday.",
        "The providers complied within hours.",
    )
    assert told == {"Internet service providers"}


def test_operators_that_obeyed_are_asked() -> None:
    told = recipients(
        "Chad lifts its ban on Facebook",
        "The government lifted the ban on Facebook that it had imposed in March during protests.",
        "Millicom and the other operators had obeyed the directive of the communications authority at once.",
    )
    assert "Millicom" in told
    assert "Meta" not in told


def test_a_service_is_asked_where_no_operator_is_spoken_of() -> None:
    told = recipients(
        "Russia blocks Signal",
        "Roskomnadzor blocked Signal on Friday, after the messenger refused its demand to remove channels.",
    )
    assert told == {"Signal"}


# ------------------------------------------------------------------ lists of calls


def test_a_carrier_and_not_the_paper_hands_over_lists_of_calls() -> None:
    told = recipients(
        "Police got phone records of Reuters reporter",
        "Detectives obtained the phone records of a Reuters reporter by subpoena in an inquiry into a leak.",
        "Verizon handed over two months of call data and did not tell the agency.",
    )
    assert told == {"Verizon"}


# ------------------------------------------------------------------ nouns that stand for a name


def test_a_landlord_is_the_firm_that_went_to_court() -> None:
    asking = issuers(
        "Landlord wants names of tenants on Facebook",
        "A landlord has subpoenaed Facebook for the names of people who run a group of its tenants.",
        "Harbourstone Homes applied for the subpoena in June, court papers show.",
    )
    assert asking == {"Harbourstone Homes"}


def test_a_noun_between_two_names_stays_a_noun() -> None:
    asking = issuers(
        "Studio wants names from Reddit",
        "A film studio has subpoenaed Reddit for the names of two users.",
        "Blue Lantern Pictures sued a provider last year, and Old Pier Pictures filed a suit in June.",
    )
    assert not asking & {"Blue Lantern Pictures", "Old Pier Pictures"}


# ------------------------------------------------------------------ names by their slot


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The police asked for logs. Quillbay's founder, Ann Moss, said no.", "Quillbay"),
        ("It was a small hosting firm in Oregon, Quillbay, that was asked for the logs.", "Quillbay"),
        ("The bureau bought the records from the Irish dealer Quillbay, it said.", "Quillbay"),
        ("Colegio San Tirso filed a petition for the names in March.", "Colegio San Tirso"),
    ],
)
def test_names_that_only_their_place_betrays(text: str, name: str) -> None:
    assert (name, "company") in named(text)


def test_a_weekly_is_no_person() -> None:
    document = read(
        Article("", "The weekly Larkton Mercury said that its newsroom got a subpoena."), Recorder()
    )
    assert {(m.name, m.kind) for m in find_mentions(document)} == {("Larkton Mercury", "company")}


def test_two_names_beside_each_other_are_no_list_where_the_first_is_governed() -> None:
    asking = issuers(
        "Police asked Telstra for data",
        "After a fight at the gates of Downing Street, detectives told Telstra to hand over call records.",
    )
    assert "Downing Street" not in asking


def test_what_is_to_be_blocked_is_not_asked() -> None:
    document = read(
        Article(
            "Ukraine orders providers to block Yandex",
            "The president signed a decree that obliges Ukrainian providers to block Yandex and VKontakte.",
        ),
        Recorder(),
    )
    told = find_demands(document, find_mentions(document), Recorder())
    assert {name for demand in told for name in demand.recipient} <= {"Ukrainian providers", "providers"}
    assert told


# ------------------------------------------------------------------ who acts in an office


def test_a_detective_is_the_force_that_is_named() -> None:
    asking = issuers(
        "Detective got names from Google",
        "A detective served a search warrant on Google for the names of people who were near a bank.",
        "Larkton police said on Monday that Google handed over the names of nine users.",
    )
    assert asking == {"Larkton police"}


def test_a_lawyer_does_not_issue_a_warrant() -> None:
    asking = issuers(
        "Google told a cyclist of a warrant",
        "Ann Moss learned that the Larkton police used a geofence warrant, which makes Google search logs.",
        "Moss went to court for the cyclist, and the police withdrew the warrant.",
    )
    assert asking == {"Larkton police"}


def test_a_regulator_that_passes_an_order_on_has_not_given_it() -> None:
    asking = issuers(
        "Judge bans Telegram in Brazil",
        "Justice Ana Prado of the Supreme Court ordered that Telegram be blocked in all of Brazil.",
        "The regulator Anatel passed the order to internet providers, who blocked the messenger on Saturday.",
    )
    assert asking == {"Ana Prado"}


def test_who_passes_a_request_abroad_on_does_not_ask() -> None:
    asking = issuers(
        "Swiss mail host gave police an address",
        "The German police asked Proton through Interpol for the IP address of a user.",
        "Proton handed the address over in May.",
    )
    assert asking
    assert "Interpol" not in asking


def test_the_administration_is_the_officer_who_pressed() -> None:
    asking = issuers(
        "Google takes down ICE sighting apps after pressure from Bondi",
        "Google removed three apps that show where agents are after the Trump administration demanded it.",
        "Attorney General Pam Bondi said that her office had asked for it.",
    )
    assert asking == {"Pam Bondi"}


# ------------------------------------------------------------------ what looks like a demand and is none


def test_a_fine_for_what_a_firm_owes_its_users_is_no_demand() -> None:
    found = demands(
        "TikTok fined in Ireland",
        "The Irish Data Protection Commission fined TikTok 90 million euros for not telling "
        "users plainly what it does with their data.",
        "TikTok said that it will appeal.",
    )
    assert found == ()


def test_a_gag_on_somebody_who_stands_trial_is_no_demand() -> None:
    found = demands(
        "Senator fined for breaking gag order",
        "Justice Ruth Hall fined John Crane $2,000 for breaking a gag order on witnesses.",
        "Prosecutors had asked for more. The trial goes on before jurors on Monday.",
    )
    assert found == ()


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("The order was sent on the request of the Minister for Home Affairs Li Tan.", "Affairs"),
        ("The warrant was served on the New York office.", "York"),
        ("Two apps were removed from the App Store after an order from the regulator.", "Store"),
    ],
)
def test_a_piece_of_a_longer_name_is_no_name(text: str, fragment: str) -> None:
    assert fragment not in {name for name, _ in named(text)}
