"""A first look at an article: whether it may be of the field at all, and so is worth reading for demands.

Reading for demands takes longer than all else, and of what news sites publish three articles in four are so
far from the field that no demand in them would change that. Two sums show it: how far the story is from the
field by its evidence and its words, and how far from telling a demand.
"""

from __future__ import annotations

from bot.stories.demand_words import told_plainly
from bot.stories.evidence import Evidence
from bot.stories.relevance import odds_of
from bot.stories.story_words import RELEVANCE

# Log-odds, from 4,523 articles (docs/decisions/stories-speed.md).
_FAR = -3.3  # of relevance: from here on no demand makes a story one of the field
_FAR_TOGETHER = -4.5  # of relevance and of telling a demand, which counts half
_TOLD = 0.5


def is_far(evidence: Evidence | None) -> bool:
    """Whether a story is so far from the field that it is not read for demands.

    `evidence` is what `relevance.evidence_of` gives: without any, a story is far from everything. Where plain
    words are not known (another language than English) none is far.
    """
    if evidence is None:
        return True
    words = evidence.words
    if words is None:
        return False
    odds = words.beside({RELEVANCE: odds_of(evidence, RELEVANCE)})[RELEVANCE]
    if odds <= _FAR or odds > 0:
        return odds <= _FAR
    return odds + _TOLD * told_plainly(words.title, words.said.values()) <= _FAR_TOGETHER
