"""What reading articles costs on one core: the whole pipeline beside trafilatura alone, in the same run.

    python tests/bench/analysis.py [--pages 200] [--rounds 3] [--json]

Two kinds of articles, each inside what a news site puts around one (metadata, scripts, styles, menus, lists
of other stories, a form for a newsletter and comments; 20 to 60 KB):

- "own": the quality gate's, two or three to a page so that each has the length of a news article. Four in
  five are relevant and most of these tell several demands: the dearest that there are.
- "published": real articles of all fields as they were published, where `../shared` is there; one in ten is
  relevant, as in the feeds of a news site.

Counted are CPU seconds of this one process, the
best of the rounds. Every stage is timed where `analyse` calls it; what is left is `analyse` itself. "Start"
is what a fresh worker pays once, in a process of its own, with its resident memory after reading all pages.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gzip
import html
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WORDS = (
    "city",
    "council",
    "market",
    "weather",
    "season",
    "travel",
    "budget",
    "school",
    "match",
    "film",
    "road",
)
sys.path.insert(0, str(ROOT))

ARTICLES = ROOT / "tests" / "stories" / "quality"
PUBLISHED = ROOT.parent / "shared" / "eval" / "pool.jsonl.gz"
TARGET = 150.0  # articles a second on one core

# (where `analyse` or the stage above looks the function up, its name, what it is called here)
STAGES = (
    ("bot.stories.text", "read", "text, HTML included"),
    ("bot.stories.html", "extract", "  of it: HTML"),
    ("bot.stories.parties", "find_mentions", "mentions"),
    ("bot.stories.relevance", "weigh", "relevance and topics"),
    ("bot.stories.demand_choice", "find", "demands"),
    ("bot.stories.parties", "cast", "parties"),
    ("bot.stories.summary", "summarise", "summary"),
    ("bot.stories.cases", "fingerprint", "fingerprint"),
    ("bot.stories.cases", "case_title", "case title"),
)


# -------------------------------------------------------------------------- pages


def own_articles() -> list[dict[str, Any]]:
    """The articles of both sets of the quality gate."""
    rows: list[dict[str, Any]] = []
    for name in ("articles.jsonl", "second.jsonl"):
        rows += [json.loads(line) for line in (ARTICLES / name).read_text(encoding="utf-8").splitlines()]
    return rows


def bodies(count: int) -> list[tuple[str, str]]:
    """`count` titles and texts of 2,000 to 4,500 characters, English ones, by a fixed shuffle."""
    rows = [row for row in own_articles() if row["lang"] == "en"]
    chance = random.Random(7)
    made = []
    for number in range(count):
        first = rows[number % len(rows)]
        text = first["text"]
        alike = [row for row in rows if row["relevant"] == first["relevant"]]
        while len(text) < 2000:
            text += "\n\n" + chance.choice(alike)["text"]
        made.append((first["title"], text[:4500]))
    return made


def published(count: int) -> list[tuple[str, str]]:
    """`count` titles and texts of real articles, by a fixed shuffle; none where they are not there."""
    if not PUBLISHED.exists():
        return []
    with gzip.open(PUBLISHED, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [(row["title"] or "", row["text"]) for row in random.Random(3).sample(rows, count)]


def page(number: int, title: str, text: str) -> str:
    """One web page around an article."""
    chance = random.Random(number)

    def headline() -> str:
        return " ".join(chance.choices(WORDS, k=chance.randint(5, 10))).capitalize()

    def link(text: str) -> str:
        slug = text.lower().replace(" ", "-")
        kind = chance.randint(1, 9)
        return f'<a class="c-link c-link--{kind}" href="/2026/{slug}" data-track="{slug}">{text}</a>'

    menu = "".join(f"<li class='menu-item'>{link(word.title())}</li>" for word in WORDS * 2)
    cards = "".join(
        f"<div class='card'><img src='/i/{n}.jpg' alt=''><h3>{link(headline())}</h3>"
        f"<p class='teaser'>{headline()} …</p><time>{n} hours ago</time></div>"
        for n in range(chance.randint(8, 20))
    )
    comments = "".join(
        f"<div class='comment'><b>reader{n}</b><p>{headline()}. {headline()}.</p><button>Reply</button></div>"
        for n in range(chance.randint(0, 15))
    )
    paragraphs = "".join(f"<p>{html.escape(line)}</p>\n" for line in text.split("\n") if line.strip())
    half = len(paragraphs) // 2
    cut = paragraphs.find("</p>", half) + 4
    script = "".join(f"window.q{n}=function(a){{return a+{n}}};" for n in range(chance.randint(100, 500)))
    style = "".join(f".c-{n}{{margin:{n}px;color:#{n:06d}}}" for n in range(chance.randint(50, 300)))
    head = html.escape(title)
    data = json.dumps({"@type": "NewsArticle", "headline": title, "datePublished": "2026-03-01"})
    return f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>{head} | The Daily Page</title>
<meta property="og:title" content="{head}"><meta property="og:site_name" content="The Daily Page">
<meta name="description" content="{html.escape(text[:150])}">
<link rel="canonical" href="https://daily.example/{number}"><style>{style}</style>
<script>{script}</script><script type="application/ld+json">{data}</script></head><body>
<header><nav><ul>{menu}</ul></nav><form action="/search"><input name="q"></form></header>
<main><article><h1>{head}</h1><p class="byline">By Ann Lee</p><time>March 1, 2026</time>
<div class="share"><ul><li>{link("Share")}</li><li>{link("Tweet")}</li><li>{link("Mail")}</li></ul></div>
<figure><img src="/a.jpg" alt=""><figcaption>A picture of a house. (Ann Lee/Daily Page)</figcaption></figure>
<div class="body">{paragraphs[:cut]}<aside class="related"><h4>Related</h4><ul>
{"".join(f"<li>{link(headline())}</li>" for _ in range(4))}</ul></aside>
<div class="newsletter"><p>Sign up for our newsletter</p><input type="email"></div>{paragraphs[cut:]}</div>
</article><section class="comments"><h2>Comments</h2>{comments}</section>
<section class="more"><h2>More from The Daily Page</h2>{cards}</section></main>
<footer><ul>{menu}</ul><p>© 2026 The Daily Page. All rights reserved.</p></footer></body></html>"""


# ------------------------------------------------------------------------- timing


@contextlib.contextmanager
def timed(spent: dict[str, float]) -> Iterator[None]:
    """Add the CPU seconds of every stage to `spent` while inside."""
    undo: list[tuple[ModuleType, str, Callable[..., Any]]] = []

    def wrap(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def inner(*given: Any, **named: Any) -> Any:
            start = time.process_time()
            try:
                return function(*given, **named)
            finally:
                spent[name] = spent.get(name, 0.0) + time.process_time() - start

        return inner

    for module_name, name, label in STAGES:
        module = sys.modules[module_name]
        original = getattr(module, name)
        undo.append((module, name, original))
        setattr(module, name, wrap(original, label))
    try:
        yield
    finally:
        for module, name, original in undo:
            setattr(module, name, original)


def seconds_of(work: Callable[[], object]) -> float:
    """CPU seconds that `work` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(texts: list[tuple[str, str]], rounds: int) -> dict[str, Any]:
    """All figures of articles: seconds for one in each way, and the share of every stage."""
    import trafilatura

    from bot.stories.analyse import analyse
    from bot.stories.model import Article

    count = len(texts)
    pages = [page(number, title, text) for number, (title, text) in enumerate(texts)]
    articles = {
        "html": [
            Article("", source, url=f"https://d.example/{n}", is_html=True) for n, source in enumerate(pages)
        ],
        "plain": [Article(title, text) for title, text in texts],
    }

    def analyse_all(given: list[Article]) -> None:
        for article in given:
            analyse(article)

    best: dict[str, float] = {}
    stages: dict[str, dict[str, float]] = {}
    relevant = sum(analyse(article).relevant for article in articles["html"])  # and all is warm
    for _ in range(rounds):
        # In turns, so that a busy moment of the machine does not fall on one of them alone.
        alone = seconds_of(lambda: [trafilatura.extract(source) for source in pages]) / count
        best["trafilatura"] = min(alone, best.get("trafilatura", alone))
        for way, given in articles.items():
            spent: dict[str, float] = {}
            work = functools.partial(analyse_all, given)
            whole = seconds_of(work) / count
            with timed(spent):
                spent["whole"] = seconds_of(work)
            if way not in best or whole < best[way]:
                best[way], stages[way] = whole, spent
    return {
        "articles": count,
        "relevant": relevant,
        "kilobytes": sum(map(len, pages)) / count / 1000,
        "characters": sum(len(text) for _, text in texts) / count,
        "seconds": best,
        "stages": {
            way: {label: spent.get(label, 0.0) / count for _, _, label in STAGES}
            | {"whole, timed": spent["whole"] / count}
            for way, spent in stages.items()
        },
    }


# -------------------------------------------------------------------------- start


def start_up(count: int) -> dict[str, float]:
    """What a fresh worker costs: importing, the first article, and its memory after `count` pages."""
    program = (
        "import sys, time, resource; sys.path[:0] = [sys.argv[1], sys.argv[2]]\n"
        "start = time.process_time()\n"
        "import bot.intake.analysis as pool\n"
        "from bot.stories.model import Article\n"
        "pool._start_worker()\n"
        "ready = time.process_time() - start\n"
        "import analysis\n"
        "def resident():\n"
        "    pages = int(open('/proc/self/statm').read().split()[1])\n"
        "    return pages * resource.getpagesize() / 1e6\n"
        "warm = resident()\n"
        "for n, (title, text) in enumerate(analysis.bodies(int(sys.argv[3]))):\n"
        "    pool.read_article(Article(title, analysis.page(n, title, text), is_html=True))\n"
        "print(ready, warm, resident())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT), str(Path(__file__).parent), str(count)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    ready, warm, after = map(float, done.stdout.split())
    return {"seconds": ready, "megabytes warm": warm, "megabytes after": after}


def tell(kind: str, found: dict[str, Any], rounds: int) -> None:
    """Print the figures of one kind of articles."""
    print(
        f"{kind}: {found['articles']} pages of {found['kilobytes']:.0f} KB with {found['characters']:,.0f}"
        f" characters of article, {found['relevant']} of them relevant; one core, best of {rounds} rounds\n"
    )
    alone = found["seconds"]["trafilatura"]
    for way, label in (
        ("trafilatura", "trafilatura alone"),
        ("html", "analyse, HTML"),
        ("plain", "analyse, text"),
    ):
        each = found["seconds"][way]
        print(f"{label:20} {1 / each:7.0f} a second {each * 1000:7.2f} ms {each / alone:6.2f} x trafilatura")
    print(f"target               {TARGET:7.0f} a second, HTML included\n")
    for way, stages in found["stages"].items():
        print(f"stages, {way} (ms an article)")
        whole = stages["whole, timed"]
        for label, each in stages.items():
            print(f"  {label:22} {each * 1000:6.2f} {each / whole:6.1%}")
        print()


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    kinds = {"own": bodies(given.pages), "published": published(given.pages)}
    found = {kind: measure(texts, given.rounds) for kind, texts in kinds.items() if texts}
    found["start"] = start_up(given.pages)
    if given.json:
        print(json.dumps(found))
        return 0
    for kind in [kind for kind in kinds if kind in found]:
        tell(kind, found[kind], given.rounds)
    start = found["start"]
    print(
        f"a worker's start: {start['seconds']:.2f} s of CPU; resident {start['megabytes warm']:.0f} MB when"
        f" it is ready, {start['megabytes after']:.0f} MB after all pages"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
