"""Demands of ministries, regulators and courts on carriers, hosts and platforms, in turns other than "ordered X to"."""

# ruff: noqa: E501 - sentences stand whole

from __future__ import annotations

import pytest

from bot.record import Recorder
from bot.stories import parties, text
from bot.stories.demands import find_demands
from bot.stories.model import Article, Demand


def read(body: str, language: str = "en") -> tuple[Demand, ...]:
    document = text.read(Article(title="", body=body, language=language), Recorder())
    return find_demands(document, parties.find_mentions(document), Recorder())


@pytest.mark.parametrize(
    ("sentence", "issuer", "recipient"),
    [
        (
            "The Omani communications regulator had Vodafone and the other operators slow WhatsApp in the evening.",
            "Omani communications regulator",
            "Vodafone",
        ),
        (
            "The culture ministry sent Netflix a paper and required that both episodes be gone by Monday.",
            "culture ministry",
            "Netflix",
        ),
        ("In May the watchdog demanded of Facebook the removal of 40 posts.", "watchdog", "Meta"),
        ("A military tribunal wanted four Facebook pages closed.", "military tribunal", "Meta"),
        (
            "The Interior Ministry ordered mobile carriers to bar Telegram.",
            "Interior Ministry",
            "mobile carriers",
        ),
        (
            "The communications ministry ordered the five big carriers to close off YouTube.",
            "communications ministry",
            "carriers",
        ),
        ("The regulator had given Twitter forty-eight hours to delete the video.", "regulator", "Twitter"),
        (
            "The minister told Vodafone, MTN and three other carriers to suspend Telegram for two days.",
            "minister",
            "Vodafone",
        ),
        ("The regulator directed Vodafone to switch the whole site off by noon.", "regulator", "Vodafone"),
        (
            "A day later the ministry told the same companies to block YouTube.",
            "ministry",
            "companies",
        ),
        ("The court ordered Cloudflare to stop resolving four domains.", "court", "Cloudflare"),
    ],
)
def test_what_shall_go_is_told_in_many_turns(sentence: str, issuer: str, recipient: str) -> None:
    (found,) = read(sentence)
    assert (found.instrument, found.issuer) == ("takedown order", (issuer,))
    assert recipient in found.recipient


@pytest.mark.parametrize(
    ("sentence", "instrument", "issuer", "recipient"),
    [
        (
            "The interior ministry wrote to Vodafone and asked who pays for the line.",
            "informal request",
            "interior ministry",
            "Vodafone",
        ),
        (
            "The regulator has written to Cloudflare asking it for the names of two customers.",
            "informal request",
            "regulator",
            "Cloudflare",
        ),
        (
            "Under the High Court order, Reddit must hand the names to the clinic by Friday.",
            "court order",
            "High Court",
            "Reddit",
        ),
        (
            "In June the High Court granted Sony Music an injunction against six retail providers.",
            "court order",
            "Sony Music",
            "retail providers",
        ),
        (
            "The ministry asked TikTok to keep the clips for ninety days.",
            "preservation request",
            "ministry",
            "TikTok",
        ),
    ],
)
def test_letters_duties_and_grants_are_demands(
    sentence: str, instrument: str, issuer: str, recipient: str
) -> None:
    (found,) = read(sentence)
    assert (found.instrument, found.issuer, found.recipient) == (instrument, (issuer,), (recipient,))


@pytest.mark.parametrize(
    "sentence",
    [
        "Under the bill the provider must name the customer if a court asks.",
        "The regulator has to decide whether Telegram should be blocked.",
        "The ministry wrote to Netflix for a second time about the budget of the festival.",
        "The blogger had his account suspended by Twitter in May.",
        "The agency had been reading posts on Facebook, and the minister closed the channel.",
        "The report said the regulator could ask Vodafone to slow WhatsApp.",
        "Police had Google Maps open when the video was removed.",
    ],
)
def test_what_is_no_demand_stays_none(sentence: str) -> None:
    assert read(sentence) == ()


def test_may_is_a_month_where_a_date_stands() -> None:
    (found,) = read("In May police ordered Google to hand over the e-mails of a teacher.")
    assert found.issuer == ("police",)


def test_other_languages_tell_what_the_service_and_what_its_carriers_were_asked() -> None:
    block, data = read(
        "La jueza Marta Quiroga mandó a las operadoras cortar WhatsApp durante dos días. El corte empieza hoy. "
        "En marzo había pedido a WhatsApp los mensajes y los nombres de tres usuarios. La empresa no respondió.",
        "es",
    )
    assert (block.instrument, block.issuer, block.recipient) == (
        "takedown order",
        ("Marta Quiroga",),
        ("operadoras",),
    )
    assert (data.instrument, data.issuer, data.recipient) == (
        "court order",
        ("Marta Quiroga",),
        ("WhatsApp",),
    )


def test_other_languages_know_offices_and_ways_of_closing() -> None:
    (found,) = read(
        "Das Bundeskriminalamt bat Telegram um die Löschung von Kanälen. Telegram hat sie abgeschaltet.", "de"
    )
    assert (found.instrument, found.recipient) == ("takedown order", ("Telegram",))
