"""Where a demand stands, by words that no rule knows, and what the words may not do."""

from __future__ import annotations

import pytest

from bot.stories.analyse import analyse
from bot.stories.demand_claims import Claim
from bot.stories.demand_outcome import Outcomes, choose
from bot.stories.demand_told import Group
from bot.stories.marks import Marked, Slot
from bot.stories.model import STATUSES, Article, Demand
from bot.stories.said import said_in
from bot.stories.word_weights import Table


def _only(title: str, text: str) -> Demand:
    (demand,) = analyse(Article(title, text)).demands
    return demand


def test_an_outcome_that_no_rule_knows_is_told_with_a_sentence() -> None:
    told = "The firm had shown no harm, she found, that outweighs the right to speak without a name."
    found = _only(
        "Judge sides with blogger",
        "Harlan Foods subpoenaed Substack for the name of a blogger who had written about its plant. Judge "
        f"Ana Ortiz sided with the blogger on Tuesday. {told}",
    )
    assert found.status == "quashed"
    assert dict(found.field_evidence)["status"] == told
    assert told in found.evidence


def test_no_outcome_is_better_than_the_opposite_one() -> None:
    counts = {"rule": {"upheld": 1.4, "quashed": 1.2}, "toss": {"quashed": 0.4}}
    table = Table.of(counts, STATUSES)
    assert choose({"rule": 1.0}, "issued", table) == "issued"
    assert choose({"rule": 1.0, "toss": 1.5}, "issued", table) == "quashed"


def test_what_the_rules_know_stands_where_words_say_little() -> None:
    fought = _only(
        "Customs office asks Twitter for names behind account",
        "U.S. Customs and Border Protection served Twitter with an administrative summons in March for the "
        "records of the account @rogue_customs. Twitter went to court. The account is still anonymous.",
    )
    assert fought.status == "challenged"


@pytest.mark.parametrize(
    ("by_rules", "counts", "chosen"),
    [
        ("issued", 0.4, "issued"),
        ("issued", 0.6, "quashed"),
        ("challenged", 0.6, "challenged"),
        ("challenged", 1.1, "quashed"),
    ],
)
def test_words_must_be_surer_than_the_rules(by_rules: str, counts: float, chosen: str) -> None:
    assert choose({"toss": 1.0}, by_rules, Table.of({"toss": {"quashed": counts}}, STATUSES)) == chosen


@pytest.mark.parametrize(
    ("where", "words", "status"),
    [
        (1, "all of it was tossed", "quashed"),
        (9, "\ue100 says that all of it was tossed", "quashed"),
        (9, "all of it was tossed", "issued"),  # of what, nobody can tell
    ],
)
def test_words_tell_an_outcome_only_near_the_demand_or_beside_its_parties(
    where: int, words: str, status: str
) -> None:
    host = {"\ue100": Slot("Northwind", "company")}
    told = Marked("the police came to \ue100", 0, host)
    said = Marked(words, where, host if "\ue100" in words else {})
    demand = Demand(("police",), "search warrant", ("Northwind",), (), (), "issued", (told.text,))
    table = Table.of({"toss": {"quashed": 9.0}}, STATUSES)
    outcomes = Outcomes(said_in([told, said]), {0: told.text, where: said.text}, table)
    claim = Claim("told", Group("data"), None, frozenset({0}))
    assert outcomes.stated(demand, claim).status == status
