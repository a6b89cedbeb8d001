"""Cases: what is linked, what is kept apart, why, and under which title."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.stories.analyse import analyse
from bot.stories.case_titles import LONGEST, case_title, clean_headline
from bot.stories.cases import CaseBook, CaseSketch, asked, choose_case, nearest
from bot.stories.fingerprints import fingerprint, words_of
from bot.stories.likeness import MEASURES, likeness, measure, read
from bot.stories.model import Article, Demand, Document, Fingerprint, Party, Sentence

QUALITY = Path(__file__).parent / "quality" / "articles.jsonl"

SUMMONS = (
    "Chirper sues to keep the name of @RANGER_ALT secret",
    "Chirper asked a court in Oakland to block an administrative summons from Customs and Border "
    "Protection. The agency wants to know who runs @RANGER_ALT, an anonymous account that mocks the "
    "plans for the border. The summons asks for the user's name, address and log-in records. The social"
    " network says that the First Amendment protects anonymous critics of the government.",
)
DROPPED = (
    "Agency drops its summons for @RANGER_ALT",
    "Customs and Border Protection has withdrawn the administrative summons to Chirper, a filing in "
    "Oakland says. Whoever runs the anonymous account @RANGER_ALT and mocks the plans for the border "
    "stays unknown. The social network dropped its lawsuit, in which it had told the judge that the "
    "agency may not unmask a critic.",
)
OTHER_SUMMONS = (
    "Tax office wants names of Coinmart's customers",
    "The Internal Revenue Service has served a summons on Coinmart, an exchange in Denver. It asks for "
    "the records of all who traded more than $20,000.",
)


def mark(article: tuple[str, str], at: datetime | None = None) -> Fingerprint:
    return analyse(Article(title=article[0], body=article[1], published=at)).fingerprint


def document(title: str, text: str = "", language: str = "en") -> Document:
    return Document(title=title, sentences=(Sentence(text, 0, 0),) if text else (), language=language)


def demand(**fields: object) -> Demand:
    plain = Demand(
        issuer=("Customs and Border Protection",),
        instrument="administrative summons",
        recipient=("Twitter",),
        target=("@ALT_USCIS",),
        sought=(),
        status="issued",
        evidence=(),
    )
    return replace(plain, **fields)  # type: ignore[arg-type]  # the fields are named in each test


@pytest.mark.parametrize("order", list(itertools.permutations((SUMMONS, DROPPED, OTHER_SUMMONS))))
def test_two_reports_of_a_summons_are_one_case_in_any_order_and_another_summons_is_not(
    order: tuple[tuple[str, str], ...],
) -> None:
    book = CaseBook()
    placed = {article: book.place(mark(article))[0] for article in order}
    assert placed[SUMMONS] == placed[DROPPED]
    assert placed[OTHER_SUMMONS] != placed[SUMMONS]


def test_the_reason_names_what_is_shared() -> None:
    book = CaseBook()
    book.place(mark(SUMMONS))
    _, choice = book.place(mark(DROPPED))
    assert choice.reason.casefold().startswith("shares @ranger_alt")
    assert "administrative summons" in choice.reason
    assert 0.5 < choice.score <= 1


def test_what_opens_a_case_says_what_was_nearest() -> None:
    book = CaseBook()
    _, alone = book.place(mark(SUMMONS))
    assert (alone.case_id, alone.reason) == (None, "nothing alike is known")


def test_years_between_two_reports_speak_against_one_matter() -> None:
    then = datetime(2018, 1, 11, tzinfo=UTC)
    text = "The House voted to renew the surveillance law, and rejected an amendment that asked for warrants."
    one = read(mark(("House renews surveillance law", text), then))
    soon = read(mark(("House renews surveillance law", text), then + timedelta(days=3)))
    late = read(mark(("House renews surveillance law", text), then + timedelta(days=2300)))
    assert likeness(one, soon) > likeness(one, late) + 2


def test_another_recipient_speaks_against_one_matter() -> None:
    one, other = (
        read(fingerprint(document("News"), (), (demand(recipient=(asked_one,)),), ()))
        for asked_one in ("Twitter", "Coinbase")
    )
    assert dict(zip(MEASURES, measure(one, other), strict=True))["recipients"] == 1


def test_a_common_account_is_no_sign_of_one_matter() -> None:
    texts = ("Tariffs on steel, says @realDonaldTrump.", "A rally in Ohio, says @realDonaldTrump.")
    marks = [read(fingerprint(document("News", text), (), (), ())) for text in texts]
    assert dict(zip(MEASURES, measure(*marks), strict=True))["unique"] == 0


def test_another_language_is_no_sign_of_another_matter() -> None:
    english, german, unknown = (
        read(fingerprint(document("News", language=language), (), (), ())) for language in ("en", "de", "und")
    )
    differ = [
        dict(zip(MEASURES, measure(english, other), strict=True))["languages"]
        for other in (english, german, unknown)
    ]
    assert differ == [0, 1, 0]
    assert likeness(english, german) > likeness(english, english)  # as much in common is more there


def test_small_words_and_nouns_of_another_language_are_nothing_in_common() -> None:
    text = "Die Behörde hat von dem Betreiber verlangt, dass er die Daten der Nutzer an Kira Vantoff gibt."
    terms = dict(fingerprint(document("Neues", text, "de"), (), (), ()).terms)
    assert {"word:die", "word:dass", "word:von"}.isdisjoint(terms)
    assert terms["own:vantoff"] > 3 * terms["own:betreiber"]


def test_a_docket_number_is_one() -> None:
    texts = ("The complaint, 3:17-cv-01916, is sealed.", "A hearing in 3:17-cv-01916 was put off.")
    marks = [read(fingerprint(document("News", text), (), (), ())) for text in texts]
    assert dict(zip(MEASURES, measure(*marks), strict=True))["unique"] == 1


def test_between_cases_that_were_split_only_what_tells_them_apart_counts() -> None:
    both = [f"word:common{n}" for n in range(12)]

    def told(town: str, *title: str) -> Fingerprint:
        words = (*both, f"word:{town}", *(f"{kind}:{word}" for word in title for kind in ("head", "name")))
        return Fingerprint(tuple((word, 2.0) for word in words), None)

    # By the names in its title the story is more like the first case; but it is about the town of the second.
    story = told("tacoma", "agency", "drops", "summons")
    first = CaseSketch(1, (read(told("oakland", "agency", "drops", "summons")),))
    second = CaseSketch(2, (read(told("tacoma", "writer", "sued", "anew")),))
    assert choose_case(story, [first, second]).case_id == 1
    assert choose_case(story, [replace(first, apart=frozenset({2})), second]).case_id == 2


def test_a_term_that_few_cases_hold_counts_more() -> None:
    assert nearest({"word:a": [1, 2, 3, 4], "word:b": [1, 2, 3, 5], "party:x": [9]})[0] in (1, 2, 3)
    assert nearest({"word:a": range(1, 21), "party:x": [30]})[0] == 30


def test_our_own_articles_fall_into_their_cases_in_any_order() -> None:
    stories = [json.loads(line) for line in QUALITY.read_text("utf-8").splitlines()]
    told = [
        (s["case"], analyse(_article(s)).fingerprint) for s in stories if s["relevant"] and s["lang"] == "en"
    ]
    for seed in range(3):
        random.Random(seed).shuffle(told)
        book = CaseBook()
        placed = [(case, book.place(found)[0]) for case, found in told]
        wrong = [(a, b) for (a, x), (b, y) in itertools.combinations(placed, 2) if (a == b) != (x == y)]
        assert len(wrong) <= 1, wrong


def _article(story: dict[str, str]) -> Article:
    at = datetime.fromisoformat(story["published"]).replace(tzinfo=UTC)
    return Article(title=story["title"], body=story["text"], published=at)


@given(st.text(max_size=400), st.text(max_size=3000))
def test_any_text_has_a_fingerprint_and_a_case(title: str, text: str) -> None:
    found = fingerprint(document(title, text), (), (), ())
    assert len(found.terms) < 260
    assert len(asked(found)) <= 60
    book = CaseBook()
    first, _ = book.place(found)
    second, choice = book.place(found)
    assert 0 <= choice.score <= 1
    if sum(term.startswith("word:") for term, _ in found.terms) > 8:
        assert first == second


def test_words_are_compared_without_case_and_number() -> None:
    assert words_of("Agencies' subpoenas, 212-212; the bus of James") == [
        "agency", "subpoena", "212-212", "the", "bus", "jame",
    ]  # fmt: skip


def test_a_case_is_titled_by_its_demand() -> None:
    parties = (Party("@ALT_USCIS", "account", "target", 3), Party("Twitter", "company", "recipient", 4))
    headline = document("Twitter fights back")
    assert case_title(headline, parties, (demand(),), ()) == "Twitter and the @ALT_USCIS summons"
    assert case_title(headline, (), (demand(),), ()) == "Twitter and the CBP summons"
    many = demand(recipient=("Meta", "Google", "Reddit"), instrument="administrative subpoena")
    assert case_title(headline, (), (many,), ()) == "Meta, Google and others: the CBP subpoena"
    bought = demand(instrument="purchase", recipient=("Venntel",))
    assert case_title(headline, (), (bought,), ()) == "CBP and the data bought from Venntel"


@pytest.mark.parametrize(
    "vague", [demand(recipient=()), demand(recipient=("the company",)), demand(instrument="informal request")]
)
def test_a_demand_of_which_too_little_is_known_leaves_the_headline(vague: Demand) -> None:
    assert case_title(document("Twitter fights back"), (), (vague,), ()) == "Twitter fights back"


@pytest.mark.parametrize(
    ("headline", "clean"),
    [
        ("OPINION: Police should ask a judge first", "Police should ask a judge first"),
        (
            "UPDATE 1-Watchdog fines broker over location data",
            "UPDATE 1-Watchdog fines broker over location data",
        ),
        (
            "Watchdog fines broker over location data | The Daily Example",
            "Watchdog fines broker over location data",
        ),
        ("Chirper removes 2,000 accounts [REPORT]", "Chirper removes 2,000 accounts"),
        ("Section 702 - what now", "Section 702 - what now"),
        ("court throws out geofence warrant", "Court throws out geofence warrant"),
        ("", ""),
    ],
)
def test_a_headline_is_cleaned_of_what_sites_put_round_it(headline: str, clean: str) -> None:
    assert clean_headline(headline) == clean


@given(st.text(max_size=3000))
def test_any_headline_gives_a_title_that_fits(headline: str) -> None:
    assert len(clean_headline(headline)) <= LONGEST + 2
