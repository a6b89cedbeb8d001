"""Who asked whom for what: sentences of every form, and those that report no demand."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.record import Recorder
from bot.stories.demands import find_demands
from bot.stories.model import INSTRUMENTS, STATUSES, Demand, Document, Mention, Sentence

PARTIES = {
    "Department of Homeland Security": "agency",
    "DHS": "agency",
    "ICE": "agency",
    "FBI": "agency",
    "FSB": "agency",
    "IRS": "agency",
    "Justice Department": "agency",
    "Interior Ministry": "agency",
    "Dutch police": "agency",
    "Belgian police": "agency",
    "Google": "company",
    "Twitter": "company",
    "Telegram": "company",
    "Discord": "company",
    "Reddit": "company",
    "Apple": "company",
    "Meta": "company",
    "DreamHost": "company",
    "Verizon": "company",
    "Fog Data Science": "company",
    "Redwood Films": "company",
    "ACLU": "organisation",
    "Ann Miller": "person",
    "Tom Reed": "person",
    "@harborwatch": "account",
    "High Court": "court",
    "Congress": "agency",
}
_NAMES = re.compile("|".join(re.escape(name) for name in sorted(PARTIES, key=len, reverse=True)))


def mentions_of(text: str, sentence: int) -> list[Mention]:
    return [
        Mention(match.group(), PARTIES[match.group()], sentence, match.start(), match.end(), match.group())
        for match in _NAMES.finditer(text)
    ]


def read(
    *sentences: str, title: str = "", language: str = "en", sections: tuple[int, ...] = ()
) -> tuple[Demand, ...]:
    document = Document(
        title,
        tuple(
            Sentence(text, index, index, sections[index] if sections else 0)
            for index, text in enumerate(sentences)
        ),
        language,
    )
    mentions = mentions_of(title, -1)
    for index, text in enumerate(sentences):
        mentions.extend(mentions_of(text, index))
    return find_demands(document, tuple(mentions), Recorder())


def one(*sentences: str, title: str = "") -> Demand:
    found = read(*sentences, title=title)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "issuer", "instrument", "recipient"),
    [
        ("DHS subpoenaed Google for the names of users.", "DHS", "subpoena", "Google"),
        ("Google was subpoenaed by DHS over an anonymous account.", "DHS", "subpoena", "Google"),
        ("ICE sent a subpoena to Reddit for the records of a user.", "ICE", "subpoena", "Reddit"),
        (
            "An administrative subpoena from ICE to Google asks for e-mail addresses.",
            "ICE",
            "administrative subpoena",
            "Google",
        ),
        (
            "The FBI served Apple with a search warrant for a customer's backups.",
            "FBI",
            "search warrant",
            "Apple",
        ),
        (
            "The Justice Department's search warrant for DreamHost's visitor logs goes too far.",
            "Justice Department",
            "search warrant",
            "DreamHost",
        ),
        (
            "Twitter received a national security letter from the FBI.",
            "FBI",
            "national security letter",
            "Twitter",
        ),
        ("The IRS issued a John Doe summons to Discord.", "IRS", "administrative summons", "Discord"),
        (
            "The Justice Department asked Apple to unlock the gunman's iPhone.",
            "Justice Department",
            "informal request",
            "Apple",
        ),
        (
            "The FSB demanded that Telegram hand over its encryption keys.",
            "FSB",
            "informal request",
            "Telegram",
        ),
        (
            "Telegram was ordered by the FSB to hand over its encryption keys.",
            "FSB",
            "court order",
            "Telegram",
        ),
        (
            "The Interior Ministry ordered Twitter to remove forty posts.",
            "Interior Ministry",
            "takedown order",
            "Twitter",
        ),
        (
            "Twitter fights blocking orders of the Interior Ministry.",
            "Interior Ministry",
            "takedown order",
            "Twitter",
        ),
        (
            "Dutch police obtained a geofence warrant that compelled Google to search its location data.",
            "Dutch police",
            "geofence warrant",
            "Google",
        ),
        (
            "ICE bought location data of millions of phones from Fog Data Science.",
            "ICE",
            "purchase",
            "Fog Data Science",
        ),
        ("Fog Data Science sells location data to the FBI.", "FBI", "purchase", "Fog Data Science"),
        (
            "Redwood Films subpoenaed Reddit to learn who wrote the comments.",
            "Redwood Films",
            "civil subpoena",
            "Reddit",
        ),
        (
            "The FBI hit Verizon with a pen register order for the call records of a reporter.",
            "FBI",
            "pen register order",
            "Verizon",
        ),
    ],
)
def test_reads_who_asks_whom_with_which_instrument(
    text: str, issuer: str, instrument: str, recipient: str
) -> None:
    demand = one(text)
    assert issuer in demand.issuer
    assert demand.instrument == instrument
    assert recipient in demand.recipient


@pytest.mark.parametrize(
    "text",
    [
        "The FBI could subpoena Google.",
        "DHS threatened to subpoena Twitter if it stays silent.",
        "The bill would allow the FBI to demand user data from Google without a warrant.",
        "Under the proposal the FBI would need a warrant before it asks Google for e-mails.",
        "The FBI has not asked Apple to unlock the phone.",
        "Congress subpoenaed Tom Reed to testify about the budget.",
        "Tom Reed handed over control of the firm to Ann Miller.",
        "Twitter suspended the account of Tom Reed for hate speech.",
        "Google unveiled a phone that can be unlocked with a look.",
        "Meta declined to comment on the report.",
        "Police issued a warrant for the arrest of Tom Reed.",
        "In order to keep up, Apple ordered its staff back to the office.",
    ],
)
def test_finds_no_demand_where_there_is_none(text: str) -> None:
    assert read(text) == ()


def test_reads_a_demand_across_two_sentences() -> None:
    demand = one(
        "The IRS issued a John Doe summons for all customers of Discord.", "Discord refused to comply."
    )
    assert demand.recipient == ("Discord",)
    assert demand.status == "refused"


def test_lists_all_who_are_asked() -> None:
    demand = one("Google, Meta, Reddit and Discord received administrative subpoenas from DHS.")
    assert set(demand.recipient) == {"Google", "Meta", "Reddit", "Discord"}


def test_tells_the_demands_of_two_countries_apart() -> None:
    found = read(
        "The Dutch police asked Telegram for the IP address of a user, and Telegram refused to hand it over.",
        "Later the Belgian police obtained a search warrant; Telegram gave the Belgian police the address.",
    )
    assert {demand.issuer[0] for demand in found} == {"Dutch police", "Belgian police"}


def test_tells_removal_from_disclosure() -> None:
    found = read(
        "The Interior Ministry ordered Twitter to block twelve accounts.",
        "The Interior Ministry also demanded that Twitter hand over the names of the users.",
    )
    assert {demand.instrument for demand in found} == {"takedown order", "informal request"}


def test_keeps_another_matter_apart() -> None:
    demand = read(
        "The FBI served Google with a search warrant for the messages of a reporter.",
        "Google is fighting the warrant.",
        "In another case a court quashed a subpoena to Reddit.",
    )[0]
    assert demand.recipient == ("Google",)
    assert demand.status == "challenged"


def test_names_what_is_sought_the_law_and_the_deadline() -> None:
    demand = one(
        "On March 3 the IRS served Discord with a summons under Section 7609 of the Tax Code for names, "
        "phone numbers and IP addresses; Discord has 15 days to comply."
    )
    assert {"phone numbers", "IP addresses"} <= set(demand.sought)
    assert demand.statute == "Section 7609 of the Tax Code"
    assert demand.demanded_on == "March 3"
    assert demand.deadline == "15 days to comply"


def test_names_the_account_that_is_asked_about() -> None:
    assert one("ICE sent Meta an administrative subpoena over @harborwatch.").target == ("@harborwatch",)


def test_evidence_stands_verbatim_in_the_article() -> None:
    sentences = ("DHS subpoenaed Google for names of users.", "A judge quashed the subpoena on Friday.")
    demand = one(*sentences, title="Google keeps names from DHS")
    assert set(demand.evidence) <= set(sentences)
    fields = dict(demand.field_evidence)
    assert fields["recipient"] == sentences[0]
    assert fields["status"] == sentences[1]


def test_newest_section_of_an_updated_article_wins() -> None:
    found = read(
        "DHS withdrew its summons to Twitter on Friday.",
        "Twitter sued DHS on Thursday over the summons for the account data.",
        sections=(0, 1),
    )
    assert found[0].status == "withdrawn"


@pytest.mark.parametrize(
    ("language", "sentences", "instrument", "status"),
    [
        (
            "de",
            (
                "Telegram weigerte sich, der FSB die Schlüssel herauszugeben.",
                "Die FSB verlangt die Daten der Nutzer.",
            ),
            "informal request",
            "refused",
        ),
        (
            "pt",
            ("Telegram não quis entregar ao FSB as chaves.", "FSB pediu dados dos usuários."),
            "informal request",
            "refused",
        ),
        (
            "fr",
            ("La FSB exige de Telegram les clés.", "Telegram refuse de livrer les données."),
            "informal request",
            "refused",
        ),
    ],
)
def test_reads_other_languages(
    language: str, sentences: tuple[str, ...], instrument: str, status: str
) -> None:
    (demand,) = read(*sentences, language=language)
    assert demand.issuer == ("FSB",)
    assert demand.recipient == ("Telegram",)
    assert (demand.instrument, demand.status) == (instrument, status)


def test_says_which_languages_it_does_not_read() -> None:
    notes = Recorder()
    document = Document("", (Sentence("FSB Telegram.", 0, 0),), "ru")
    assert find_demands(document, (), notes) == ()
    assert [finding.outcome for finding in notes.findings] == ["unsupported"]


def test_notes_each_demand_with_its_evidence() -> None:
    notes = Recorder()
    text = "DHS subpoenaed Google for names of users."
    find_demands(Document("", (Sentence(text, 0, 0),), "en"), tuple(mentions_of(text, 0)), notes)
    assert notes.findings[0].stage == "demand"
    assert notes.findings[0].evidence == (text,)


_WORDS = st.sampled_from(
    [
        *PARTIES,
        "subpoena",
        "order",
        "ordered",
        "to hand over",
        "refused",
        "the",
        "data",
        "judge",
        ",",
        ";",
        "police",
        "by",
        "withdrew",
        "quashed",
        "bought",
        "from",
        "could",
        "ﬁ",
        "İ",
        "\u202e",
        "\ue000",
        "'s",
        "(",
        "posts",
        "remove",
    ]
)


@given(
    st.lists(st.lists(_WORDS | st.text(max_size=12), max_size=30).map(" ".join), max_size=6),
    st.text(max_size=40),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_gives_demands_of_the_closed_lists(sentences: list[str], title: str) -> None:
    for demand in read(*sentences, title=title):
        assert demand.instrument in INSTRUMENTS
        assert demand.status in STATUSES
        assert demand.issuer or demand.recipient
        assert set(demand.evidence) <= {*sentences, title}


@pytest.mark.parametrize(
    "sentences",
    [
        ("DHS subpoenaed Google " * 40_000,),
        ("ordered " * 15_000,),
        ("'s " * 40_000,),
        tuple(
            "A judge ordered Twitter to hand over the data of users, and it refused." for _ in range(15_000)
        ),
        ("the " * 30_000 + "warrant",),
    ],
)
def test_long_texts_stay_quick(sentences: tuple[str, ...]) -> None:
    read("warm up the rules: DHS subpoenaed Google.")
    document = Document("", tuple(Sentence(text, index, index) for index, text in enumerate(sentences)), "en")
    mentions = tuple(mentions_of(sentences[0][:5_000], 0))
    start = time.process_time()
    find_demands(document, mentions, Recorder())
    assert time.process_time() - start < 1.5
