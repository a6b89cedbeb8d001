"""What a story is about, by plain words that no list of the field holds."""

from __future__ import annotations

from bot.record import Recorder
from bot.stories.analyse import analyse
from bot.stories.model import TOPICS, Article, Document
from bot.stories.story_words import StoryWords, words_of
from bot.stories.text import read

_TEXT = (
    "Supervisors in Marlow County voted four to one to put up ninety cameras that photograph the plate of "
    "every passing car. The pictures are kept for a year, and deputies in eleven states can search them "
    "without a warrant. A retired teacher told the board that she did not want her trips to the doctor on "
    "file. The sheriff answered that the cameras had found two stolen trucks. The vendor's contract runs for "
    "five years."
)
_ARTICLE = Article("County buys cameras that know every car", _TEXT)


def test_every_topic_has_a_sentence_of_the_story_and_a_chance() -> None:
    story = analyse(_ARTICLE)
    assert "surveillance" in {topic.topic for topic in story.topics}
    for topic in story.topics:
        assert topic.evidence
        assert all(sentence in (_ARTICLE.title, *_sentences(_ARTICLE)) for sentence in topic.evidence)
        assert 0 < topic.score < 1


def test_words_that_tell_a_topic_are_named() -> None:
    sentences, words = StoryWords(_document(_ARTICLE)).shown("surveillance", 2)
    assert 0 < len(sentences) <= 2
    assert {"cameras", "plate"} & set(words)


def test_a_few_words_say_less_than_an_article() -> None:
    """So that a headline alone is judged by its evidence."""
    even = dict.fromkeys(TOPICS, 0.0)
    short, whole = (
        StoryWords(_document(Article(_ARTICLE.title, text))).beside(even)
        for text in ("Cameras photograph every plate.", _TEXT)
    )
    assert max(map(abs, short.values())) < max(map(abs, whole.values()))


def test_words_are_known_for_english_alone() -> None:
    german = Article(
        "Polizei darf Handys auslesen",
        "Die Polizei darf künftig die Handys von Verdächtigen auslesen, beschloss der Landtag am Mittwoch. "
        "Kritiker sprechen von einem Eingriff in die Grundrechte.",
    )
    assert words_of(_document(german)) is None


def _document(article: Article) -> Document:
    return read(article, Recorder())


def _sentences(article: Article) -> list[str]:
    return [sentence.text for sentence in _document(article).sentences]
