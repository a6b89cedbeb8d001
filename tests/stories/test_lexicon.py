"""How phrases are written and found."""

from __future__ import annotations

import pytest

from bot.stories.evidence import features, frames, gather
from bot.stories.lexicon import LANGUAGES, MASK, Lexicon, lexicon_for, read_data, words_of
from bot.stories.model import TOPICS, Document, Sentence
from bot.stories.relevance import weights


def groups_in(lexicon: Lexicon, text: str) -> set[str]:
    return {hit.group for hit in lexicon.scan(words_of(text))}


def test_alternatives_and_any_ending_or_beginning() -> None:
    lexicon = Lexicon({"a": ["user|customer data"], "b": ["encrypt*"], "c": ["*überwachung"]})
    assert groups_in(lexicon, "They want customer data.") == {"a"}
    assert groups_in(lexicon, "It was encrypted") == {"b"}
    assert groups_in(lexicon, "Die Videoüberwachung bleibt") == {"c"}
    assert groups_in(lexicon, "customer service holds data") == set()


def test_a_capital_letter_in_an_entry_must_stand_in_the_text() -> None:
    lexicon = Lexicon({"agency": ["ICE"], "any": ["fbi"]})
    assert groups_in(lexicon, "ICE agents") == {"agency"}
    assert groups_in(lexicon, "thin ice") == set()
    assert groups_in(lexicon, "The FBI's agents") == {"any"}


def test_a_mask_takes_its_words_out_but_yields_to_a_longer_phrase() -> None:
    lexicon = Lexicon(
        {
            "watch": ["surveillance", "surveillance of people"],
            MASK: ["wastewater surveillance", "surveillance of"],
        }
    )
    assert groups_in(lexicon, "wastewater surveillance") == set()
    assert groups_in(lexicon, "surveillance of birds") == set()
    assert groups_in(lexicon, "surveillance of people") == {"watch"}


def test_articles_run_into_a_word_are_taken_off() -> None:
    lexicon = Lexicon({"anonymous": ["anonymat"], "identity": ["identità"]})
    assert groups_in(lexicon, "la fin de l’anonymat") == {"anonymous"}
    assert groups_in(lexicon, "la prova dell'identità") == {"identity"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_group_of_a_lexicon_is_defined(language: str) -> None:
    known = {*read_data("evidence.toml")["group"], MASK}
    assert set(read_data(f"lexicon_{language}.toml")) <= known
    assert set(read_data("lexicon_names.toml")) <= known
    assert lexicon_for(language) is lexicon_for(language)


def test_a_language_without_a_lexicon_is_refused() -> None:
    with pytest.raises(KeyError):
        lexicon_for("xx")


def test_frames_and_weights_speak_of_what_is_defined() -> None:
    groups = set(read_data("evidence.toml")["group"])
    for frame in frames():
        assert {group for need in frame.needs for group in need} <= groups
    names = {feature.name for feature in features()}
    assert len(names) == len(features())
    assert set(weights()) == {"relevance", *TOPICS}
    for entry in weights().values():
        assert set(entry.by_feature) <= names
    for feature in features():
        assert set(feature.topics) <= set(TOPICS)


def test_a_frame_needs_its_words_near_each_other_in_one_sentence() -> None:
    def found(*sentences: str) -> set[str]:
        made = tuple(Sentence(text, i, i) for i, text in enumerate(sentences))
        return set(gather(Document("", made, "en"), "en").values)

    assert "demand-for-records" in found("A subpoena asked for user data.")
    assert "demand-for-records" not in found("A subpoena came.", "The shop keeps user data.")
    between = "and the town went on with its day " * 6
    assert "demand-for-records" not in found(f"A subpoena came {between} user data.")


def test_a_broad_group_takes_in_the_words_of_its_narrow_one_in_every_language() -> None:
    for broad, entry in read_data("evidence.toml")["group"].items():
        narrow = entry.get("broadens")
        if narrow is None:
            continue
        for language in LANGUAGES:
            lexicon = lexicon_for(language)
            words = read_data(f"lexicon_{language}.toml").get(narrow, {}).get("phrases", [])
            plain = [word for word in words if word.isascii() and word.islower() and word.isalpha()]
            for word in plain[:5]:
                hits = {hit.group for hit in lexicon.scan([word])}
                if narrow in hits:
                    assert broad in hits
