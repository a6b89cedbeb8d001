"""When entries are the same."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feeds.identity import canonical_url, entry_key, shared_addresses, shared_ids, url_key
from bot.feeds.model import Entry

ARTICLE = "https://news.example/2026/court-quashes-subpoena"


@pytest.mark.parametrize(
    "variant",
    [
        ARTICLE,
        ARTICLE + "/",
        ARTICLE + "#comments",
        ARTICLE + "?utm_source=rss&utm_medium=feed",
        ARTICLE + "?fbclid=x&mc_cid=1&ref=rss",
        ARTICLE.replace("https", "http"),
        ARTICLE.replace("://", "://www."),
        ARTICLE.replace("news.example", "NEWS.example:443"),
        ARTICLE.replace("https://news.example", "http://news.example:80"),
        ARTICLE + "/amp/",
        ARTICLE + "?amp=1",
        ARTICLE + "?outputType=amp",
        "https://news-example.cdn.ampproject.org/c/s/news.example/2026/court-quashes-subpoena",
        "https://www.google.com/amp/s/news.example/2026/court-quashes-subpoena",
        ARTICLE.replace("court", "%63ourt"),
        ARTICLE + "/index.html",
    ],
)
def test_variants_of_one_address(variant: str) -> None:
    assert canonical_url(variant) == ARTICLE
    assert url_key(variant) == url_key(ARTICLE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ARTICLE, ARTICLE + "-again"),
        ("https://n.example/?p=1", "https://n.example/?p=2"),
        ("https://n.example/?id=rss", "https://n.example/"),
        ("https://n.example/a?ref=12345", "https://n.example/a"),
        ("https://n.example/#!/a", "https://n.example/#!/b"),
        ("https://n.example:8080/", "https://n.example/"),
        ("https://a.n.example/x", "https://n.example/x"),
        ("https://n.example/A", "https://n.example/a"),
        ("https://n.example/a%2Fb", "https://n.example/a/b"),
    ],
)
def test_different_addresses(one: str, other: str) -> None:
    assert canonical_url(one) != canonical_url(other)


def test_the_order_of_parameters_does_not_count() -> None:
    assert canonical_url("https://n.example/?b=2&a=1") == canonical_url("https://n.example/?a=1&b=2&utm_id=x")


@pytest.mark.parametrize(
    "odd", ["", "mailto:jo@n.example", "http://[::1", "https://n.example:99999/", "no address"]
)
def test_what_is_no_address_stays(odd: str) -> None:
    assert canonical_url(odd) == odd


@given(
    st.sampled_from(["http://", "https://"]),
    st.lists(
        st.sampled_from(["www", "m", "amp", "n", "a-b", "example", "cdn", "ampproject", "org"]), min_size=1
    ),
    st.lists(
        st.sampled_from(["", "a", "A", "amp", "AMP", "index.html", "Index.php", "b.amp.html", "~c_d", "."])
    ),
)
def test_plain_addresses_take_a_short_way_to_the_same_form(
    scheme: str, labels: list[str], path: list[str]
) -> None:
    address = f"{scheme}{'.'.join(labels)}{''.join('/' + part for part in path)}"
    assert canonical_url(address) == canonical_url(address + "?")  # an empty query takes the long way


def entry(**fields: object) -> Entry:
    return Entry(id="", url="", title="")._replace(**fields)


def test_the_id_goes_first_and_edits_change_nothing() -> None:
    one = entry(id="urn:1", url=ARTICLE, title="First wording", summary="a")
    assert entry_key(one) == entry_key(
        one._replace(url="https://n.example/moved", title="Second wording", summary="b")
    )
    assert entry_key(one) != entry_key(one._replace(id="urn:2"))


def test_an_id_that_is_an_address_survives_the_move_to_https() -> None:
    assert entry_key(entry(id="http://www.n.example/?p=1")) == entry_key(entry(id="https://n.example/?p=1"))
    assert entry_key(entry(id="https://n.example/a")) != entry_key(entry(id="https://n.example/A"))
    assert entry_key(entry(id="https://n.example/a#1")) != entry_key(entry(id="https://n.example/a#2"))


def test_without_an_id_the_address_counts_then_title_and_date() -> None:
    assert entry_key(entry(url=ARTICLE + "?utm_source=x")) == entry_key(entry(url=ARTICLE, title="else"))
    day = datetime(2026, 11, 24, 10, tzinfo=UTC)
    titled = entry(title="Court  quashes", published=day)
    assert entry_key(titled) == entry_key(entry(title="court quashes", published=day.replace(hour=12)))
    assert entry_key(titled) != entry_key(entry(title="Court quashes", published=day.replace(day=25)))
    assert entry_key(entry(content="a")) != entry_key(entry(content="b"))


def test_what_stands_on_several_pages_of_a_document_is_no_id() -> None:
    pages = [entry(id="0", url=f"{ARTICLE}/{number}") for number in range(3)]
    versions = [entry(id="urn:1", url=f"{ARTICLE}?{number}") for number in range(2)]  # RFC 4287, 4.1.1
    same = [entry(id="urn:2", url=ARTICLE + more) for more in ("", "/", "#a", "?utm_source=x")]
    none = [entry(url=f"{ARTICLE}/{number}") for number in range(3)]
    assert shared_ids([*pages, *versions, *same, *none]) == {"0"}
    titled = [entry(id="1", url=ARTICLE, title=f"No. {number}") for number in range(3)]
    assert shared_ids([*titled, *none]) == {"1"}
    assert shared_addresses([*titled, *none]) == frozenset()
    assert shared_addresses([*titled, *none], {"1"}) == {url_key(ARTICLE)}


def test_keys_fit_their_columns() -> None:
    assert len(entry_key(entry(id="x"))) == 32
    assert url_key("") is None
