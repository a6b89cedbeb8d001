"""A company that tells on its own page what was asked of it is the one who was asked."""

from __future__ import annotations

import pytest

from bot.record import Recorder
from bot.stories.analyse import analyse
from bot.stories.author import speaking
from bot.stories.model import Article
from bot.stories.parties import find_mentions
from bot.stories.text import read

_TOLD = """For two years we could not write this post. In March 2021 we received a national security letter
from the FBI that demanded the name and the payment records of one customer, and a gag order came with it. We
went to court against the letter, and this week the FBI withdrew it. Our users should know what was
asked of us."""


def _asked(source: str, text: str = _TOLD) -> set[str]:
    story = analyse(Article("A letter we could not mention", text, source=source))
    return {name for demand in story.demands for name in demand.recipient}


@pytest.mark.parametrize("source", ["Cloudflare Blog", "blog.cloudflare.com", "The Cloudflare Blog – News"])
def test_we_is_the_company_whose_page_it_is(source: str) -> None:
    assert _asked(source) == {"Cloudflare"}


@pytest.mark.parametrize(
    "source", ["", "The Civic Wire", "eff.org", "medium.com", "Fans of Cloudflare weekly"]
)
def test_a_page_of_others_names_nobody_by_it(source: str) -> None:
    assert _asked(source) == set()


@pytest.mark.parametrize("source", ["larkmail.io", "Larkmail blog"])
def test_a_company_that_no_list_holds_is_known_by_its_own_page(source: str) -> None:
    named = " Larkmail Inc. of Oslo has forty customers at the college alone."
    assert {name.removesuffix(" Inc.") for name in _asked(source, _TOLD + named)} == {"Larkmail"}


def test_what_is_quoted_speaks_for_others() -> None:
    article = Article(
        "Proton answers",
        'The minister said: "We asked for the names. They told us nothing, and we will ask again." Others '
        "were silent. “We wait,” a spokesman added. “It is up to us.”",
        source="proton.me",
    )
    document = read(article, Recorder())
    assert speaking(document, find_mentions(document)) == ()
