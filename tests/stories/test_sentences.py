"""Sentences end where a careful reader would end them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.stories.sentences import split

ENGLISH = [
    ["The U.S. Senate voted on Jan. 19.", "It was close in the U.S.", "The House waits."],
    ["Sen. R. J. Wyde, D-Ore., asked Acme Inc. for records.", "Acme Inc. Vice President Moe said no."],
    ["Doe v. Roe was decided at 5 p.m. Monday.", "Mr. Lee and Dr. Oh appealed."],
    ["“We will not comply.”", "Nobody at the agency was surprised."],
    ['"Why?" Yen asked.', '"Nobody knows."'],
    ["“Stop!” Ms. Brill shouted.", "They stopped."],
    ["The fine is $3.5 million.", "That is 2.1 percent of sales."],
    ["It moved ... slowly.", "Then it ended..."],
    ["He said … nothing at all.", "She left."],
    ["Visit www.example.org for the filing.", "Its docket is No. 17-cv-1916 (N.D. Cal. 2017)."],
    ["Yahoo! Mail was named in the order.", "Yahoo! declined."],
    ["(The company declined to comment.)", "Its lawyer did too."],
    ["1. No order can break it.", "That is so by design."],
    ["The office closed its doors.", "iPhone data was returned."],
    ["Is it lawful?", "Perhaps!", "Nobody has asked."],
    ["See Art. 6 and Sec. 702 of the act.", "Both apply."],
    ["The judge, Laurel K. Oakes, agreed.", "They had a plan B.", "It failed."],
    ["The ban covers Ky., Pa. and the D.C. area.", "Gov. Ames signed it."],
    ["It cited the order.[12]", "The court did not."],
]


@pytest.mark.parametrize("sentences", ENGLISH, ids=lambda sentences: sentences[0][:30])
def test_english_marks_end_sentences_where_a_reader_would(sentences: list[str]) -> None:
    assert split(" ".join(sentences), "en") == sentences


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "de",
            ["Am 15. September hat der 2. Senat z.B. über Art. 10 entschieden.", "Das kostet 3 Mio. Euro."],
        ),
        ("de", ["Das Amt, d.h. Dr. Uhl, schwieg.", "Die Klage läuft."]),
        ("fr", ["M. Dupont a saisi la C.N.I.L. mardi.", "La société a refusé, cf. art. 82."]),
        ("es", ["El Sr. Ruiz citó el art. 18 de la ley en EE. UU.", "La empresa se negó."]),
        ("pt", ["O Sr. Lima citou o art. 5 da lei.", "A empresa recorreu."]),
        ("it", ["L'avv. Conti ha citato l'art. 15.", "La società ha fatto ricorso."]),
        ("nl", ["Dhr. Bakker vroeg gegevens op, o.a. namen.", "Het bedrijf weigerde."]),
        ("ja", ["政府は開示を求めた。", "会社は拒否した。"]),
        ("hi", ["सरकार ने डेटा माँगा।", "कंपनी ने मना किया।"]),
    ],
)
def test_other_languages_have_their_own_abbreviations(language: str, sentences: list[str]) -> None:
    joiner = "" if language == "ja" else " "
    assert split(joiner.join(sentences), language) == sentences


def test_a_stop_that_lost_its_blank_still_ends_a_sentence() -> None:
    assert split("The court threw out the order.The company cheered.") == [
        "The court threw out the order.",
        "The company cheered.",
    ]


@given(st.text(max_size=400), st.sampled_from(["en", "de", "fr", "xx"]))
def test_nothing_of_a_text_is_lost(text: str, language: str) -> None:
    folded = " ".join(text.split())
    assert "".join("".join(split(folded, language)).split()) == "".join(folded.split())


@pytest.mark.parametrize("unit", ["a", "a. ", "A. ", '"', "?!", ". . ", "(", "U.S. ", "“No.” "])
def test_time_grows_with_length_and_no_faster(unit: str) -> None:
    text = " ".join((unit * (200_000 // len(unit))).split())
    start = time.process_time()
    split(text)
    assert time.process_time() - start < 3
