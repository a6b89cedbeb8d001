"""What all the words of an article say of its demands, where no turn of phrase that is known tells it."""

from __future__ import annotations

from bot.stories.analyse import analyse
from bot.stories.demand_words import NOTHING, ROLES, TOLD, DemandWords, measures
from bot.stories.marks import Marked, Slot
from bot.stories.model import INSTRUMENTS, Article
from bot.stories.said import said_in
from bot.stories.word_weights import Table

_REVIEWS = Article(
    "Who wrote the reviews?",
    "Larkspur Dental would like to know who is behind eleven unkind reviews. Its lawyers turned to a court "
    "in Oregon, and the papers that followed went to Yelp, which has told the eleven people. One of them has "
    "hired a lawyer. A hearing is set for June.",
)
_LEEDS, _HOST = Slot("Leeds police", "agency"), Slot("Northwind", "company")
_SENTENCES = said_in(
    [
        Marked("A quiet visit", -1),
        Marked("\ue000 came to \ue001 and left with two drives", 0, {"\ue000": _LEEDS, "\ue001": _HOST}),
        Marked("\ue001 says it could do nothing else", 1, {"\ue001": _HOST}),
    ]
)


def test_a_demand_told_by_its_words_alone_is_found_with_its_sentence_and_its_reason() -> None:
    story = analyse(_REVIEWS)
    (demand,) = story.demands
    assert (demand.recipient, demand.instrument) == (("Yelp",), "civil subpoena")
    assert all(sentence in _REVIEWS.body for sentence in demand.evidence)
    assert all(sentence in (_REVIEWS.title, *_sentences()) for _, sentence in demand.field_evidence)
    reason = next(finding.reason for finding in story.findings if finding.outcome == "by words")
    assert "<" not in reason


def _sentences() -> list[str]:
    return [f"{part}." for part in _REVIEWS.body.rstrip(".").split(". ")]


def test_words_without_a_demand_tell_none() -> None:
    story = analyse(
        Article(
            "Larkspur opens a second surgery",
            "Larkspur Dental has opened a second surgery in Oregon. Its reviews on Yelp are kind, and eleven "
            "people came on the first day. A lawyer and a court clerk were among them.",
        )
    )
    assert story.demands == ()


def test_a_party_is_known_by_the_words_around_its_name() -> None:
    roles = {
        "came<": {"recipient": 1.0},
        ">came": {"issuer": 2.0},
        "to<": {"recipient": 1.5},
        ">say": {"issuer": -1.0},
    }
    words = DemandWords(_SENTENCES, NOTHING._replace(roles=Table.of(roles, ROLES)))
    assert words.parts("Leeds police", {}) == {"issuer": 2.0, "recipient": 0.0}
    assert words.parts("Northwind", {}) == {"recipient": 1.5, "issuer": -1.0}
    assert words.parts("Nobody", {"kind:company": 1.0}) == {"issuer": 0.0, "recipient": 0.0}


def test_only_a_much_likelier_instrument_of_the_same_family_takes_the_place_of_another() -> None:
    table = {
        "driv": {"search warrant": 15.0, "takedown order": 20.0},
        "visit": {"informal request": 3.0, "civil subpoena": 8.0},
    }
    words = DemandWords(_SENTENCES, NOTHING._replace(instruments=Table.of(table, INSTRUMENTS)))
    assert words.likelier("informal request") == "search warrant"
    assert words.likelier("civil subpoena") == "civil subpoena"  # as likely, or little less
    assert words.likelier("gag order") == "gag order"


def test_the_sentence_that_speaks_most_is_shown_and_never_the_title_alone() -> None:
    words = DemandWords(
        _SENTENCES, NOTHING._replace(told=Table.of({"visit": {TOLD: 5.0}, "driv": {TOLD: 1.0}}, (TOLD,)))
    )
    assert words.tells_most() == 0
    assert words.tells_most(["Northwind"]) == 0
    assert words.weightiest(2) == ["visit", "driv"]


def test_a_long_article_says_no_more_for_its_length() -> None:
    short = measures(_SENTENCES)
    long = measures(
        said_in([Marked(f"word{chr(97 + n % 26) * (n // 26 + 1)} more", n) for n in range(2_000)])
    )
    assert sum(value * value for name, value in long.items() if name != "always") <= 25.001
    assert max(value for name, value in short.items() if name != "always") <= 0.3 * 1.5


def test_another_who_was_likely_asked_too_is_told_beside_the_first() -> None:
    story = analyse(
        Article(
            "DHS subpoenas Google over an account",
            "The Department of Homeland Security sent Google an administrative subpoena in May that demands "
            "the name, addresses and payment data of whoever runs an account critical of immigration raids. "
            "Google told the account's owner and waits for a court. Reddit received one as well and has not "
            "answered it. Yosemite National Park reopens on Monday.",
        )
    )
    asked = {demand.recipient: demand for demand in story.demands}
    assert set(asked) == {("Google",), ("Reddit",)}
    assert asked["Reddit",].issuer == asked["Google",].issuer
    assert asked["Reddit",].evidence == ("Reddit received one as well and has not answered it.",)
