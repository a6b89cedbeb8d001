"""Which countries a story is about, by who takes part in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.stories.analyse import analyse
from bot.stories.countries import (
    Part,
    all_countries,
    countries_beginning,
    countries_of,
    country_named,
    country_of,
)
from bot.stories.model import KINDS, ROLES, Article


def _of(*parts: tuple[str, str, str, int]) -> tuple[str, ...]:
    return countries_of(Part(*part) for part in parts)


def test_the_issuers_country_comes_first_and_the_platform_does_not_count_beside_it() -> None:
    order = ("Indian government", "agency", "issuer", 2)
    platform = ("Twitter", "company", "recipient", 9)
    assert _of(platform, order) == ("India",)
    assert _of(platform, order, ("Department of State", "agency", "other", 3)) == ("India", "United States")
    assert _of(platform, order, ("Department of State", "agency", "other", 1)) == ("India",), "in passing"


def test_a_seller_counts_beside_the_agency_that_buys() -> None:
    seller, buyer = ("NSO Group", "company", "vendor", 9), ("Mexican government", "agency", "buyer", 1)
    assert _of(seller, buyer) == ("Mexico", "Israel")


def test_where_nobody_acts_those_whom_it_is_done_to_decide() -> None:
    assert _of(("Apple", "company", "recipient", 1), ("Deutsche Telekom", "company", "other", 5)) == (
        "United States",
    )
    assert _of(("Big Brother Watch", "organisation", "critic", 1)) == ("United Kingdom",)
    assert _of(("Amnesty International", "organisation", "critic", 4)) == ()
    assert _of() == ()


@pytest.mark.parametrize(
    ("name", "kind", "country"),
    [
        ("Customs and Border Protection", "agency", "United States"),
        ("Information Commissioner's Office", "agency", "United Kingdom"),
        ("Scottish government", "agency", "United Kingdom"),
        ("Kenyan police", "agency", "Kenya"),
        ("Texas attorney general", "agency", "United States"),
        ("Fresno County Sheriff", "agency", "United States"),
        ("Northern District of Georgia", "court", "United States"),
        ("Georgian government", "agency", "Georgia"),
        ("Federal Court of Justice", "court", "Germany"),
        ("Court of Justice of the European Union", "court", "European Union"),
        ("European Court of Human Rights", "court", ""),
        ("Paris Martineau", "person", ""),
        ("Bank of Kenya Books", "company", ""),
    ],
)
def test_the_country_of_a_party(name: str, kind: str, country: str) -> None:
    assert country_of(name, kind) == country


@pytest.mark.parametrize(
    ("typed", "country"),
    [
        ("Germany", "Germany"),
        (" de ", "Germany"),
        ("DEUTSCHLAND", "Germany"),
        ("Allemagne", "Germany"),
        ("german", "Germany"),
        ("UK", "United Kingdom"),
        ("England", "United Kingdom"),
        ("u.s.", "United States"),
        ("eu", "European Union"),
        ("Texas", None),
        ("", None),
    ],
)
def test_a_country_is_known_however_it_is_written(typed: str, country: str | None) -> None:
    assert country_named(typed) == country
    if country:
        assert country in all_countries() and country_named(country) == country


def test_a_country_is_completed_in_any_language() -> None:
    assert countries_beginning("Allem") == ("Germany",)
    assert countries_beginning("de") == ("Germany", "Denmark")
    assert countries_beginning("") == all_countries()
    assert countries_beginning("Atlantis") == ()


def test_an_article_tells_its_countries() -> None:
    story = analyse(
        Article(
            title="Berlin police must delete phone records",
            body="The Federal Constitutional Court ruled that the German government must delete the phone "
            "records which it collected without a warrant. The court said that mass surveillance of "
            "telephone data violates the right to privacy. Digital rights groups welcomed the ruling.",
        )
    )
    assert story.relevant
    assert countries_of(Part(p.name, p.kind, p.role, p.mentions) for p in story.parties) == ("Germany",)


@given(
    st.lists(
        st.tuples(st.text(max_size=40), st.sampled_from(KINDS), st.sampled_from(ROLES), st.integers(0, 9))
    )
)
def test_strangers_names_lead_to_known_countries_or_none(parts: list[tuple[str, str, str, int]]) -> None:
    assert set(_of(*parts)) <= set(all_countries())
