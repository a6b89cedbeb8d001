"""Cases: one matter told in other words and at another stage, and two matters of the same actors."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.stories.analyse import analyse
from bot.stories.cases import CaseBook, standing
from bot.stories.fingerprints import fingerprint, names_in
from bot.stories.model import Article, Document, Fingerprint, Sentence


def mark(title: str, body: str, at: str) -> Fingerprint:
    day = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return analyse(Article(title=title, body=body, published=day)).fingerprint


OPENED = mark(
    "Tiny mail host refuses to name a customer",
    "Quillpost, a mail host in Dunmore run by Teodor Varga, was served with a subpoena by the FBI for the "
    "records of the account behind the newsletter Saltmarsh Dispatch. Varga said he would not comply.",
    "2016-03-02",
)
ENDED = mark(
    "Saltmarsh Dispatch stays nameless, two years on",
    "A court in Pennsylvania ended the matter on Friday: whoever writes Saltmarsh Dispatch keeps the right "
    "to stay anonymous. The FBI had sent Quillpost a subpoena; its Teodor Varga fought it from Dunmore.",
    "2018-02-09",
)
SAME_AGENCY = mark(
    "FBI asks game maker for players' chats",
    "The FBI sent a subpoena to Orbforge, a maker of games in Tacoma, for the records of an account. Its "
    "lawyer said that the company would comply.",
    "2016-03-05",
)


def test_a_matter_is_known_by_its_rare_names_years_later() -> None:
    book = CaseBook()
    first, other, last = (book.place(found)[0] for found in (OPENED, SAME_AGENCY, ENDED))
    assert first == last
    assert other != first


def own(text: str) -> dict[str, float]:
    document = Document(title="", sentences=(Sentence(text, 0, 0),), language="en")
    terms = fingerprint(document, (), (), ()).terms
    return {term.removeprefix("own:"): weight for term, weight in terms if term.startswith("own:")}


def test_names_that_no_list_holds_are_the_rarest_and_officials_are_not() -> None:
    names = own(
        "He said that Senator Ottoline Brack wrote to Zelquist, where Imre Volkov, a chief analyst, works."
    )
    assert names["zelquist"] > 3 * names["brack"]
    assert names["zelquist"] > 3 * names["volkov"]


def test_a_name_of_several_words_counts_once_by_its_last_rare_word() -> None:
    names = own("The court heard Teodor Varga on the matter.")
    assert names["varga"] > 2 * names["teodor"]


def test_the_first_word_of_a_sentence_is_no_name() -> None:
    runs, within, plain, _ = names_in("Police came. Quillpost closed, police said.")
    assert "quillpost" not in within
    assert ["police"] in runs
    assert "police" in plain
    assert "police" not in own("Police came. Then it closed, police said.")


def test_a_case_that_stands_out_needs_less_than_one_of_several_that_are_alike() -> None:
    assert standing(-0.5, [-4.0]) > standing(-0.5, [-0.6])
    assert standing(-0.5, []) == standing(-0.5, [-30.0])
