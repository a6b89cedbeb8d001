"""Whether a story is of the field and what it is about, by all its words, beside what evidence adds up to.

The evidence (`bot.stories.evidence`) knows phrases of the field and where they stand; a story tells its topic
also by plain words that no list of the field would hold. They are learned from labelled articles
(`data/story_words.txt`, made by tools/train_story_words.py), for English alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property

from bot.stories.language import READ_AS_ENGLISH
from bot.stories.model import TOPICS, Document
from bot.stories.word_weights import WORD, Measures, Table, as_written, read_table, scaled, stem

RELEVANCE = "relevance"
DECISIONS = (RELEVANCE, *TOPICS)
EVIDENCE = 0.6
"""What the evidence's own sum counts beside the words."""
_MOST_EVIDENCE = 4.0  # log-odds; more evidence than that makes nothing surer
_TITLE = 1.5  # what a word of the title counts, beside 1 for others
_WORDS = 4.0  # the length of all measures of words together, however long the story
_WORD = 0.3  # what a word counts at most: a few sentences say less than an article
_TOPIC_FROM = -0.2  # log-odds from which a topic is said: a missed one costs as much as a false one
_RELEVANT_FROM = 0.5  # the same for relevance: an alert for nothing costs more than a missed one
_FOR_RELEVANCE = 0.6  # what words count for relevance: real pages are less plain than most labelled ones
_REASONS = 3  # words that are named as a reason


class StoryWords:
    """The words of one story and what they say of decisions ("relevance", topics); read when first asked."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._table = _weights()

    @cached_property
    def said(self) -> dict[int, list[str]]:
        """The words of each sentence without their endings, in order; by its place, headings aside."""
        return _said_in(self._document)

    @cached_property
    def title(self) -> list[str]:
        """The title's words in the same way."""
        return _said(self._document.title)

    @cached_property
    def _added(self) -> Measures:
        return self._table.sums(_measures(self.said, self.title))

    def beside(self, by_evidence: Measures) -> Measures:
        """Give the log-odds above the threshold of decisions, by the evidence and the words beside it."""
        return beside(by_evidence, self._added)

    def shown(self, decision: str, most: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Give the sentences that speak for a decision by their words, in order, and the weightiest words."""
        telling = {order: self._table.telling(set(words), decision) for order, words in self.said.items()}
        speaking = [order for order, weight in telling.items() if weight > 0]
        best = sorted(speaking, key=lambda order: -telling[order])[:most]
        words = frozenset().union(*self.said.values())
        return (
            tuple([self._document.sentences[order].text for order in sorted(best)]),
            tuple(as_written(self._table.weightiest(words, decision, _REASONS), [self._document.text])),
        )


def words_of(document: Document) -> StoryWords | None:
    """Give a story's words; None for a language that the table is not of."""
    return StoryWords(document) if document.language in READ_AS_ENGLISH else None


def beside(by_evidence: Measures, added: Measures) -> Measures:
    """Give the log-odds above the threshold of every decision; `added`: what the words add up to."""
    return {
        decision: offset(odds)
        + (
            _FOR_RELEVANCE * added[decision] - _RELEVANT_FROM
            if decision == RELEVANCE
            else added[decision] - _TOPIC_FROM
        )
        for decision, odds in by_evidence.items()
    }


def offset(odds: float) -> float:
    """Give what a decision's evidence counts beside the words."""
    return EVIDENCE * max(-_MOST_EVIDENCE, min(_MOST_EVIDENCE, odds))


def measures(document: Document) -> Measures:
    """Give the story's words without their endings, and what each counts."""
    return _measures(_said_in(document), _said(document.title))


def _measures(said: Mapping[int, list[str]], title: list[str]) -> Measures:
    found = dict.fromkeys((word for words in said.values() for word in words), 1.0)
    found |= dict.fromkeys(title, _TITLE)
    return {"always": 1.0} | scaled(found, _WORDS, _WORD)


def _said_in(document: Document) -> dict[int, list[str]]:
    """Give the words of each sentence, headings aside, by its place."""
    return {
        order: _said(sentence.text)
        for order, sentence in enumerate(document.sentences)
        if not sentence.is_heading
    }


def _said(text: str) -> list[str]:
    return [stem(word) for word in WORD.findall(text.lower())]


@cache
def _weights() -> Table:
    table = read_table("story_words.txt")
    if table.answers != DECISIONS:
        raise ValueError("data/story_words.txt names other decisions than the program knows")
    return table
