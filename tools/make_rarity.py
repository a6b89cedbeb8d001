"""Counts how rare words and names are in news of the field, for telling which of them a case is known by.

    python tools/make_rarity.py [--shared ../shared]

Reads the unlabelled pool of articles and writes `bot/stories/data/rarity.toml`: for each word and each
party its rarity, -ln(share of articles that hold it), in steps. A word's share is the larger of that among
all articles and that among the relevant ones: "surveillance" is no rare word here. Only counts leave the
articles.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bot.stories.analyse import analyse
from bot.stories.fingerprints import names_in, words_of
from bot.stories.model import Article

ROOT = Path(__file__).resolve().parent.parent
RARITY = ROOT / "bot" / "stories" / "data" / "rarity.toml"
STEP = 0.25
LEAST_ARTICLES = 4  # a word that fewer articles hold is as rare as an unknown one
LEAST_STORIES = 3

_HEAD = """\
# How rare words and parties are: -ln(share of the articles that hold them): 0 is in all, 7 in one of a
# thousand. What stands here nowhere is rarer than all that does. Made by tools/make_rarity.py from 3,500
# news articles of 2012 to 2020; a word counts by its share among all of them or among the relevant ones,
# whichever is larger.
"""


def articles(shared: Path) -> Iterator[Article]:
    """Give the articles of the pool."""
    with gzip.open(shared / "eval" / "pool.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            yield Article(title=item["title"] or "", body=item["text"] or "", source=item["source"] or "")


def main() -> None:
    """Count, and write the file."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    every: Counter[str] = Counter()
    told: Counter[str] = Counter()
    names: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    told_capital: Counter[str] = Counter()
    seen = relevant = 0
    for article in articles(arguments.parse_args().shared):
        story = analyse(article)
        words = set(words_of(f"{story.title}\n{story.text}"))
        seen += 1
        every.update(words)
        within = names_in(story.text)[1]
        capital.update(within)
        if story.relevant:
            relevant += 1
            told.update(words)
            told_capital.update(within)
            names.update({party.name for party in story.parties})

    def levels(counted: Counter[str], of_the_field: Counter[str]) -> dict[str, float]:
        return {
            word: -math.log(max(count / seen, (of_the_field[word] - 1) / relevant))
            for word, count in counted.items()
            if count >= LEAST_ARTICLES
        }

    word_levels, capital_levels = levels(every, told), levels(capital, told_capital)
    name_levels = {n: -math.log(count / relevant) for n, count in names.items() if count >= LEAST_STORIES}
    RARITY.write_text(
        "\n".join(
            [
                _HEAD,
                "[words]",
                *_lines(word_levels, " "),
                "",
                "[parties]",
                *_lines(name_levels, " | "),
                "",
                "# Words with a capital within a sentence: names.",
                "[names]",
                *_lines(capital_levels, " "),
                "",
            ]
        ),
        encoding="utf-8",
    )
    print(f"{seen} articles, {relevant} relevant:", end=" ")
    print(f"{len(word_levels)} words, {len(name_levels)} parties, {len(capital_levels)} names")


def _lines(levels: dict[str, float], between: str) -> Iterator[str]:
    """Give one line a level: its height and all that stands on it."""
    rows: dict[float, list[str]] = {}
    for term, level in levels.items():
        rows.setdefault(round(level / STEP) * STEP, []).append(term)
    for level in sorted(rows):
        held = between.join(sorted(rows[level]))
        yield f'"{level:.2f}" = {json.dumps(held, ensure_ascii=False)}'


if __name__ == "__main__":
    main()
