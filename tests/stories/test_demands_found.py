"""Demands that articles tell beside, after or under another one, and in turns that name no instrument."""

# ruff: noqa: E501 - sentences stand whole

from __future__ import annotations

import pytest

from bot.record import Recorder
from bot.stories import parties, text
from bot.stories.analyse import analyse
from bot.stories.demand_choice import of_one_house
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


@pytest.mark.parametrize(
    "second",
    ["Microsoft got one too, in March.", "Microsoft was sent another for the same account."],
)
def test_one_more_that_only_its_number_names(second: str) -> None:
    found = read(
        "Dropbox asked for a councilman's files",
        "The FBI served Dropbox with a grand jury subpoena for the files of a councilman on Monday. "
        f"Dropbox turned them over. {second}",
    )
    assert {(each.recipient, each.instrument) for each in found} == {
        (("Dropbox",), "grand jury subpoena"),
        (("Microsoft",), "grand jury subpoena"),
    }


def test_an_abbreviated_month_ends_no_clause() -> None:
    found = read(
        "Apple and the sergeant's tablet",
        "In Ohio, Magistrate Judge Dana Whitlock on Feb. 16 ordered Apple to unlock the tablet of a sergeant.",
    )
    assert [each.issuer for each in found] == [("Dana Whitlock",)]


def test_help_past_a_lock_is_asked_for_without_a_word_for_data() -> None:
    found = read(
        "A family is split", "A magistrate ordered Apple last week to help the FBI get past the lock."
    )
    assert [each.recipient for each in found] == [("Apple",)]


def test_a_number_of_firms_may_be_asked() -> None:
    found = read(
        "House panel asks 12 companies to keep records of the protest",
        "Letters went out on Monday to Verizon and AT&T, the House committee said.",
    )
    assert [each.instrument for each in found] == ["preservation request"]


def test_a_broadcaster_that_is_searched_is_asked() -> None:
    found = read(
        "Police at a broadcaster's door",
        "Australian Federal Police officers have searched the ABC's headquarters in Perth for six hours over "
        "a report about the navy.",
    )
    assert [(each.instrument, each.recipient) for each in found] == [("search warrant", ("ABC",))]


def test_agencies_that_buy_for_themselves_make_demands_of_their_own() -> None:
    found = read(
        "Two agencies bought locations",
        "The IRS bought location data from Venntel in 2019. "
        "Customs and Border Protection paid Babel Street for access to location data as well.",
    )
    assert {(each.issuer, each.recipient) for each in found} == {
        (("Internal Revenue Service",), ("Venntel",)),
        (("Customs and Border Protection",), ("Babel Street",)),
    }


def read_in(language: str, title: str, body: str) -> tuple[Demand, ...]:
    document = text.read(Article(title=title, body=body, language=language), Recorder())
    return find_demands(document, parties.find_mentions(document), Recorder())


def test_a_single_judge_orders_in_other_languages() -> None:
    found = read_in(
        "pt",
        "Juíza manda bloquear o Telegram",
        "A juíza Helena Prado Lima determinou na sexta-feira o bloqueio do Telegram em todo o país. "
        "O Telegram não entregou os dados de um grupo. A Polícia Federal investiga o caso.",
    )
    assert [(each.issuer, each.recipient, each.instrument) for each in found] == [
        (("Helena Prado Lima",), ("Telegram",), "takedown order"),
        (("Helena Prado Lima",), ("Telegram",), "court order"),  # for the data that were not handed over
    ]


def test_carriers_are_told_to_block_in_other_languages() -> None:
    found = read_in(
        "es",
        "Un juez manda a las operadoras bloquear Telegram",
        "El juez Ramiro Salas Ortega ordenó el lunes a las operadoras bloquear Telegram en el país. "
        "El bloqueo empieza el martes.",
    )
    assert [(each.issuer, each.recipient) for each in found] == [(("Ramiro Salas Ortega",), ("operadoras",))]


def test_a_search_warrant_is_named_in_other_languages() -> None:
    found = read_in(
        "es",
        "La policía pide grabaciones a Amazon",
        "La policía de Salta pidió a Amazon, con una orden de registro, las grabaciones de un altavoz. "
        "Amazon facilitó los datos de la cuenta.",
    )
    assert [each.instrument for each in found] == ["search warrant"]


@pytest.mark.parametrize(
    "gag",
    [
        "A ban on telling anybody came with it.",
        'The paper "expressly bars" Dropbox from telling the public of it.',
    ],
)
def test_a_gag_is_told_in_other_turns(gag: str) -> None:
    found = read(
        "Dropbox asked for a councilman's files",
        f"The FBI served Dropbox with a search warrant for the files of a councilman on Monday. {gag}",
    )
    assert [each.instrument for each in found] == ["search warrant", "gag order"]


@pytest.mark.parametrize(
    "body",
    [
        "Apple removed the Harbour Watch app from its store on Monday after a call from the justice ministry.",
        "The Harbour Watch app is gone. Apple pulled it on Monday after the justice ministry's office asked.",
        "Apple removed the Harbour Watch app from its store following outreach from the justice ministry.",
    ],
)
def test_what_goes_after_a_word_from_an_office_was_demanded(body: str) -> None:
    found = read("An app is gone from Apple's store", body)
    assert [(each.issuer, each.recipient, each.status) for each in found] == [
        (("justice ministry",), ("Apple",), "complied")
    ]


@pytest.mark.parametrize(
    "body",
    [
        "The Communications Authority of Peru closed the site on Friday because it would not remove two articles.",
        "On Friday the Communications Authority of Peru had access cut off.",
    ],
)
def test_a_service_that_only_the_title_names_is_blocked(body: str) -> None:
    found = read("Two days without Wikipedia", body)
    assert [(each.instrument, each.recipient) for each in found] == [("takedown order", ("Wikipedia",))]


def test_two_searches_are_two_demands() -> None:
    found = read(
        "Police at the door of two papers",
        "Australian Federal Police searched the headquarters of the ABC on Tuesday over a report about the navy. "
        "A day later police searched the home of News Corp editor Dana Whitlock.",
    )
    assert [each.instrument for each in found] == ["search warrant", "search warrant"]


def test_a_warrant_that_is_avoided_is_none() -> None:
    body = (
        "Two senators asked the FBI and the Department of Homeland Security what data they buy. They say that "
        "the agencies are sidestepping warrants by doing business with brokers of location data."
    )
    assert all(each.instrument != "search warrant" for each in read("Senators ask what agencies buy", body))


@pytest.mark.parametrize(
    ("title", "body"),
    [
        (
            "Candidate wants rival's posts gone",
            "Senator Ann Stadler's campaign wrote a letter to Facebook on Monday demanding the platform take down posts of her rival, Tom Rill. The company has a week.",
        ),
        (
            "Ann Stadler Demands Facebook Censor Tom Rill",
            "Senator Ann Stadler wrote to Facebook on Monday, and the letter is public. Her rival Tom Rill calls it an attack on free speech, as the platform would have to take down his posts.",
        ),
    ],
)
def test_who_wants_somebody_silenced_demands_and_not_the_one_to_be_silenced(title: str, body: str) -> None:
    (found,) = analyse(Article(title, body)).demands
    assert (found.issuer, found.recipient, found.instrument) == (
        ("Ann Stadler",),
        ("Meta",),
        "takedown order",
    )


def test_what_shall_be_removed_from_a_platform_is_no_data_asked_of_it() -> None:
    found = read(
        "Studio wants interviews gone",
        "Larkton Films requested that two interviews with its producers be removed from YouTube. The videos were online for a year.",
    )
    assert [(each.instrument, each.recipient) for each in found] == [("takedown order", ("YouTube",))]


@pytest.mark.parametrize(
    "threat",
    [
        "The panel's chairman threatened to subpoena Google for the records of the account.",
        "The senator's committee is prepared to subpoena Google for the records of the account.",
        "Mr. Rill's committee vowed to subpoena Google for the records of the account.",
    ],
)
def test_who_threatens_to_subpoena_has_not(threat: str) -> None:
    assert read("Panel warns Google over account records", threat) == ()


@pytest.mark.parametrize(
    ("sentence", "never"),
    [
        (
            "ICE issued a subpoena for F-1 students to Harlow University in May for records of their phones.",
            "F-1",
        ),
        (
            "Administrative subpoenas are on the way to Harlow University, the Department of Homeland Security said.",
            "Administrative",
        ),
        (
            "The IRS sent a request for details of how the Harlow League promotes itself on social media such as Facebook.",
            "Meta",
        ),
    ],
)
def test_what_is_no_party_is_not_asked(sentence: str, never: str) -> None:
    found = read("Agency wants records", sentence)
    assert all(never not in (*each.issuer, *each.recipient) for each in found)


def test_the_state_does_not_challenge_what_its_own_office_asks() -> None:
    (found,) = read(
        "Homeland Security wants three names of Reddit",
        "The Department of Homeland Security served Reddit with a subpoena for the names of three users in March. The government has been fighting in court to keep the names of its partners hidden.",
    )
    assert found.status == "issued"


def test_a_court_without_a_name_is_the_one_that_the_article_opens_with() -> None:
    (found,) = analyse(
        Article(
            "Court orders Google to give search data",
            "Brazil's Superior Court of Justice decided on Wednesday that Google has to hand over the search data of everybody who looked for the councilwoman's name. Google may take the matter to the Supreme Court.",
        )
    ).demands
    assert found.issuer == ("Brazilian Superior Court",)


def test_a_product_asks_nothing_of_the_firm_that_makes_it_nor_a_firm_of_its_daughter() -> None:
    assert of_one_house("ChatGPT", ("OpenAI",))
    assert of_one_house("Meta", ("Instagram",))
    assert not of_one_house("Meta", ("OpenAI",))
    assert not of_one_house("Department of Homeland Security", ("Immigration and Customs Enforcement",))


def test_those_who_are_told_to_block_are_asked_and_not_what_they_block() -> None:
    (found,) = analyse(
        Article(
            "Twitter back in Nigeria after seven months",
            "Nigerians may tweet again. The government ended its suspension of Twitter at midnight on Wednesday. The ban came two days after Twitter had deleted a post of President Muhammadu Buhari. The Nigerian Communications Commission told mobile networks to cut off access, and they obeyed.",
        )
    ).demands
    assert (found.issuer, found.recipient) == (("Nigerian Communications Commission",), ("mobile networks",))


def test_a_new_and_narrower_one_is_one_more_with_an_end_of_its_own() -> None:
    found = analyse(
        Article(
            "Airbnb and the attorney general make peace",
            "Last October New York's attorney general subpoenaed Airbnb for the names and addresses of all hosts in the state. Airbnb refused and asked a court to quash. On May 13 a judge in Albany agreed that the subpoena was too broad and quashed it. A day later the attorney general served a new and narrower one. Airbnb has now agreed to comply with that one.",
        )
    ).demands
    assert [(each.recipient, each.status) for each in found] == [
        (("Airbnb",), "quashed"),
        (("Airbnb",), "complied"),
    ]


def test_a_warrant_that_agents_died_over_is_not_the_subpoena_once_more() -> None:
    (found,) = analyse(
        Article(
            "FBI wants to know who read a story; Gannett says no",
            "Gannett is fighting a subpoena by which the FBI wants to learn who read one of its articles, court filings show. The story was about a shootout in which two agents were killed as they served a warrant. The bureau demands IP addresses of everyone who called it up. Gannett has moved in court to quash.",
        )
    ).demands
    assert found.recipient == ("Gannett",)


def test_who_looks_into_purchases_buys_nothing() -> None:
    found = analyse(
        Article(
            "Top court: police need leave for IP addresses",
            "The Calgary Police Service looked into purchases at an online store that had been paid with fraudulent gift cards. A production order compelled Telus to disclose the name and address of the customer.",
        )
    ).demands
    assert all(each.instrument != "purchase" for each in found)


def test_words_alone_make_no_purchase_where_nothing_is_paid_for() -> None:
    found = analyse(
        Article(
            "Watchdog looked at journalists' phone records",
            "The Garda Síochána Ombudsman Commission has accessed the mobile phone records of at least two journalists to find out which gardaí they talk to. Under a 2011 law it can request call data from phone companies without asking a judge, and the journalists are not told.",
        )
    ).demands
    assert found
    assert all(each.instrument != "purchase" for each in found)


def test_the_search_of_a_suspects_house_asks_nothing_of_the_firm_he_broke_into() -> None:
    story = analyse(
        Article(
            "TalkTalk hacking: boy, 16, held",
            "A boy of 16 was arrested in Belfast on suspicion of offences under the Computer Misuse Act after last week's attack on the website of TalkTalk, police said on Monday. Officers of the PSNI searched a house in Belfast with a warrant. Names, e-mail addresses and bank details could be in the wrong hands, the phone and broadband company conceded on Friday.",
        )
    )
    assert story.demands == ()


@pytest.mark.parametrize(
    ("title", "body", "status"),
    [
        (
            "Brazil's top court has Rumble blocked",
            "Supreme Court Justice Alexandre de Moraes ordered on Friday that the video platform Rumble be suspended in all of Brazil, because it does not obey his orders. Rumble refused to close the channel of a blogger.",
            "refused",
        ),
        (
            "Facebook fought Minnesota over a woman's account",
            "Facebook refused to give Minnesota investigators the records of a woman who streamed a death live. The Bureau of Criminal Apprehension obtained a search warrant for her account. Facebook objected and asked a court to throw the warrant out. The state withdrew it before a hearing took place.",
            "withdrawn",
        ),
        (
            "Uganda has social media blocked before the vote",
            "The Uganda Communications Commission told MTN and Airtel on Tuesday to block all social media until further notice, a letter shows. MTN and Airtel followed within hours.",
            "complied",
        ),
        (
            "Football league may go on blocking addresses, court says",
            "A court in Barcelona has rejected the attempt of Cloudflare to stop the blocks of addresses. It had ordered Movistar and Vodafone in December to block the addresses that LaLiga names.",
            "upheld",
        ),
    ],
)
def test_where_it_stands_in_the_end_is_told_in_turns_of_many_kinds(
    title: str, body: str, status: str
) -> None:
    assert analyse(Article(title, body)).demands[0].status == status


def test_who_has_no_office_has_no_search_warrant() -> None:
    found = analyse(
        Article(
            "Dropbox gave up the files of a councilman",
            "A search warrant for the files of a councilman was served on Dropbox in March. Rita Holm, who runs a bakery, had complained about him. Holm's bakery is next door. Dropbox turned the files over.",
        )
    ).demands
    assert all("Rita Holm" not in each.issuer for each in found)
