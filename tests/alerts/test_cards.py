"""Cards: what they show on Discord, in a terminal and on a page, and that strangers' words stay words."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from bot.alerts import ids
from bot.alerts.cards import Card, CardDemand, CardSaid, CardSource, look_of
from bot.alerts.foreign import BREAK, safe_url, width
from bot.alerts.html import cards_to_html
from bot.alerts.render import card_view
from bot.alerts.terminal import print_card
from bot.stories.model import STATUSES
from tests.alerts.markdown import read, tokens
from tests.alerts.test_foreign import NASTY, URLS

DATE = datetime(2017, 4, 7, tzinfo=UTC)
CARD = Card(
    story_id=17,
    title="Twitter drops its suit (after the summons is withdrawn)",
    url="https://www.example.org/2017/04/twitter",
    source="The Example News",
    published=DATE,
    summary=("The government withdrew its summons.", "Twitter dropped its lawsuit."),
    topics=("legal-demands", "anonymity"),
    demands=(
        CardDemand(
            ("Customs and Border Protection",),
            ("Twitter",),
            ("@ALT_USCIS",),
            "administrative summons",
            "withdrawn",
        ),
    ),
    status="withdrawn",
    case_id=42,
    case_title="The @ALT_USCIS summons",
    case_status="withdrawn",
    mark="qabc",
)


def parts(card: Card) -> dict[str, Any]:
    """Take a card's message apart: its texts, buttons and colour."""
    found: dict[str, Any] = {"texts": [], "buttons": {}, "count": 0}

    def walk(components: list[dict[str, Any]]) -> None:
        for component in components:
            found["count"] += 1
            if component["type"] == 10:
                found["texts"].append(component["content"])
            if component["type"] == 2:
                found["buttons"][component["label"]] = component["custom_id"]
            if component["type"] == 17:
                found["colour"] = component["accent_color"]
            walk(component.get("components", []))

    walk(card_view(card).to_components())
    return found


def shown(text: str) -> str:
    """Give the words that a reader sees of a text."""
    return "".join(piece.text for piece in read(text)).replace(BREAK, "").replace("\\", "")


def test_a_card_tells_the_demand_in_one_line_with_sign_and_word() -> None:
    texts = parts(CARD)["texts"]
    assert shown(texts[2]) == (
        "↩ Customs and Border Protection → Twitter · administrative summons · about @ALT_USCIS · withdrawn"
    )
    assert read(texts[0])[1].target == "https://www.example.org/2017/04/twitter"
    assert "(after" not in texts[0]  # no parenthesis of a stranger's stands inside a masked link
    assert "The Example News (example.org) · <t:1491523200:D>" in texts[0]
    assert texts[1] == "> The government withdrew its summons.\n> Twitter dropped its lawsuit."
    assert texts[3] == "-# legal-demands · anonymity"


def test_the_buttons_carry_case_story_and_mark() -> None:
    assert parts(CARD)["buttons"] == {
        "Follow case": "quash:case:follow:42:qabc",
        "Evidence": "quash:story:evidence:17:qabc",
        "Not relevant": "quash:story:report:17:qabc",
    }
    for custom_id in parts(replace(CARD, mark=None))["buttons"].values():
        assert ids.mark_of([custom_id]) is None
        assert any(p.fullmatch(custom_id) for p in (ids.FOLLOW, ids.EVIDENCE, ids.REPORT))
    assert "Follow case" not in parts(replace(CARD, case_id=None))["buttons"]


def test_a_status_is_told_by_colour_sign_and_word_alike() -> None:
    signs = {look_of(status).sign for status in STATUSES if status != "unknown"}
    assert len(signs) == len(STATUSES) - 1
    for status in STATUSES:
        card = replace(
            CARD, status=status, case_status=status, demands=(replace(CARD.demands[0], status=status),)
        )
        assert parts(card)["colour"] == look_of(status).colour
        line = next(text for text in parts(card)["texts"] if "summons" in text and "→" in text)
        assert line.startswith(look_of(status).sign)
        assert (status in line) == (status != "unknown")


def test_a_card_whose_case_went_on_says_where_it_stands_now() -> None:
    card = replace(CARD, status="issued", case_status="quashed")
    for style in ("full", "compact"):
        told = parts(replace(card, style=style))
        assert any("**Now: ✘\N{NO-BREAK SPACE}quashed**" in text for text in told["texts"])
        assert told["colour"] == look_of("quashed").colour
    assert not any("Now" in text for text in parts(replace(card, case_status="unknown"))["texts"])


def test_further_sources_are_listed_and_the_rest_counted() -> None:
    sources = tuple(CardSource(f"Report {n}", f"https://n{n}.example/", DATE) for n in range(8))
    texts = parts(replace(CARD, sources=sources, sources_total=20))["texts"]
    lines = texts[-1].split("\n")
    assert lines[0] == "**Further sources**"
    assert len(lines) == 10
    assert lines[-1] == "-# and 12 more"
    assert lines[1] == "- [Report 0](https://n0.example/) · n0.example · <t:1491523200:d>"


def test_what_an_article_does_not_name_is_said_so() -> None:
    demand = CardDemand((), ("Twitter",), (), "subpoena", "unknown")
    assert shown(parts(replace(CARD, demands=(demand,)))["texts"][2]) == "• not named → Twitter · subpoena"
    alone = CardDemand((), (), (), "court order", "issued")
    assert shown(parts(replace(CARD, demands=(alone,)))["texts"][2]) == "▶ court order · issued"


def test_compact_is_two_or_three_lines_with_the_same_buttons() -> None:
    card = replace(CARD, style="compact")
    assert len(parts(card)["texts"]) == 2
    assert parts(card)["buttons"] == parts(CARD)["buttons"]
    assert "government withdrew" in parts(replace(card, demands=()))["texts"][1]
    assert "In our words" in parts(replace(card, words="In our words"))["texts"][2], "moderators wrote them"


def test_a_ping_stands_outside_the_card() -> None:
    assert parts(replace(CARD, ping_role=5))["texts"][0] == "<@&5>"


NAMES = st.lists(NASTY, max_size=6).map(tuple)
DATES = st.one_of(st.none(), st.just(DATE))
DEMANDS = st.builds(CardDemand, NAMES, NAMES, NAMES, st.just("court order"), st.sampled_from(STATUSES))
CARDS = st.builds(
    Card,
    story_id=st.integers(1, 10**15),
    title=NASTY,
    url=URLS,
    source=NASTY,
    published=DATES,
    summary=st.lists(st.one_of(NASTY, NASTY.map(lambda s: s * 40)), max_size=5).map(tuple),
    topics=st.just(("legal-demands",)),
    demands=st.lists(DEMANDS, max_size=5).map(tuple),
    status=st.sampled_from([None, *STATUSES]),
    case_id=st.one_of(st.none(), st.integers(1, 10**15)),
    case_title=NASTY,
    case_status=st.sampled_from([None, *STATUSES]),
    said=st.one_of(st.none(), st.builds(CardSaid, st.sampled_from(STATUSES), URLS)),
    sources=st.lists(st.builds(CardSource, NASTY, URLS, DATES), max_size=8).map(tuple),
    sources_total=st.integers(0, 1000),
    is_update=st.booleans(),
    style=st.sampled_from(["full", "compact"]),
    mark=st.just("q" + "a" * 24),
)
_OURS = re.compile(r"^(?:### |-# |> |- )")


@settings(deadline=None, max_examples=100)
@given(CARDS)
def test_no_card_pings_links_or_formats_what_it_should_not_and_each_fits(card: Card) -> None:
    taken = parts(card)
    assert sum(map(width, taken["texts"])) <= 4000
    assert taken["count"] <= 40
    assert all(text.strip() for text in taken["texts"])
    assert all(len(custom_id) <= 100 for custom_id in taken["buttons"].values())
    named = [card.url, *(source.url for source in card.sources), *([card.said.source] if card.said else ())]
    addresses = set(map(safe_url, named))
    for line in "\n".join(taken["texts"]).split("\n"):
        inner = _OURS.sub("", line)
        for piece in read(inner):
            assert piece.kind in ("text", "link", "timestamp", "strong"), (line, piece)
            if piece.kind == "link":
                assert piece.target in addresses
            if piece.kind == "strong":
                assert {p.kind for p in read(piece.text)} <= {"text", "link"}
        assert set(tokens(line)) <= {"<t:1491523200:D>", "<t:1491523200:d>"}


@settings(deadline=None, max_examples=60)
@given(CARDS)
def test_no_control_sequence_of_a_stranger_reaches_the_terminal(card: Card) -> None:
    out = io.StringIO()
    print_card(Console(file=out, width=80, color_system=None, force_terminal=False), card)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", out.getvalue())


class _Page(HTMLParser):
    """Collects the tags and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str | None] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in ("href", "src")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


@settings(deadline=None, max_examples=60)
@given(st.lists(CARDS, max_size=2))
def test_a_page_holds_no_script_and_only_the_cards_own_links(cards: list[Card]) -> None:
    page = _Page()
    page.feed(cards_to_html([replace(c, title=c.title + "<script>alert(1)</script>") for c in cards]))
    assert "script" not in page.tags and "img" not in page.tags
    assert page.handlers == []
    assert all(address and address.startswith(("http://", "https://")) for address in page.addresses)


def test_terminal_and_page_tell_what_the_card_tells() -> None:
    card = replace(
        CARD, is_update=True, sources=(CardSource("Another", "https://b.example/", DATE),), sources_total=3
    )
    out = io.StringIO()
    print_card(Console(file=out, width=120, color_system=None), card)
    page = cards_to_html([card])
    for text in (out.getvalue(), page):
        for said in (
            "Twitter drops its suit (after the summons is withdrawn)",
            "Customs and Border Protection → Twitter · administrative summons · about @ALT_USCIS · withdrawn",
            "Update",
            "The government withdrew its summons.",
            "07 April 2017",
            "Another",
            "and 2 more",
        ):
            assert said in text
    assert "Follow case" in page


@pytest.mark.parametrize("title", ["", "\u200b\u202e", " "])
def test_a_card_without_a_title_still_has_one_to_click(title: str) -> None:
    assert "[" in parts(replace(CARD, title=title))["texts"][0]
    assert "(without a title)" in shown(parts(replace(CARD, title=title, url="nonsense"))["texts"][0])
