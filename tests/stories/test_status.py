"""Where a demand stands: ways of saying it, and those that sound like it and are not."""

from __future__ import annotations

import pytest

from bot.stories.model import STATUSES
from bot.stories.status import StatusEvent, last_status
from tests.stories.test_demands import read

_DEMAND = "DHS served Twitter with a subpoena for the names of users."


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("DHS withdrew the subpoena.", "withdrawn"),
        ("DHS has dropped its demand.", "withdrawn"),
        ("The subpoena was rescinded on Monday.", "withdrawn"),
        ("A judge quashed the subpoena.", "quashed"),
        ("The motion to quash was granted.", "quashed"),
        ("A judge refused to enforce the subpoena.", "quashed"),
        ("Twitter need not name the users, the court ruled.", "quashed"),
        ("A judge rejected the government's bid to unmask the users.", "quashed"),
        ("A judge upheld the subpoena.", "upheld"),
        ("A judge denied Twitter's motion to quash.", "upheld"),
        ("Twitter's petition against the subpoena was dismissed.", "upheld"),
        ("A judge ordered Twitter to comply with the subpoena.", "upheld"),
        ("Twitter moved to quash the subpoena.", "challenged"),
        ("Twitter sued the department over the subpoena.", "challenged"),
        ("Twitter will fight the subpoena.", "challenged"),
        ("Twitter refused to comply.", "refused"),
        ("Twitter did not hand over the data.", "refused"),
        ("Twitter rebuffed the request.", "refused"),
        ("Twitter complied with the subpoena.", "complied"),
        ("Twitter handed the names over.", "complied"),
        ("Twitter complied with some of the requests.", "partly complied"),
        ("DHS refused to withdraw the subpoena.", "issued"),
        ("Twitter declined to comment.", "issued"),
        ("A spokesman did not respond to a request for comment.", "issued"),
        ("It is not clear whether Twitter complied.", "issued"),
        ("DHS could withdraw the subpoena.", "issued"),
    ],
)
def test_reads_where_the_demand_stands(text: str, status: str) -> None:
    assert read(_DEMAND, "Nothing else is known.", text)[0].status == status


def test_what_ends_a_matter_counts_before_what_happened_on_the_way() -> None:
    found = read(_DEMAND, "Twitter refused to comply and sued.", "On Friday a judge quashed the subpoena.")
    assert found[0].status == "quashed"


def test_one_thing_given_and_another_refused_is_partly() -> None:
    found = read(
        _DEMAND,
        "The users knew nothing of it.",
        "Twitter handed over the account data.",
        "It refused to hand over the messages.",
    )
    assert found[0].status == "partly complied"


def test_no_event_is_no_status() -> None:
    assert last_status([]) is None


def test_later_event_wins_among_equals() -> None:
    assert (
        last_status([StatusEvent("upheld", 2, 6.0, ""), StatusEvent("quashed", 4, 6.0, "")]).status
        == "quashed"
    )  # type: ignore[union-attr]  # there are events


def test_every_rule_names_a_known_status() -> None:
    from bot.stories.instruments import load_table

    assert {event["status"] for event in load_table("statuses.toml")["event"]} <= set(STATUSES)
