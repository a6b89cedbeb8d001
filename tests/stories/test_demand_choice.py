"""What the learned weights make of reports that the rules alone leave open, and what they rest it on."""

from __future__ import annotations

from bot.stories.analyse import analyse
from bot.stories.demand_choice import best, total, weights
from bot.stories.model import Article, Story


def _story(title: str, *paragraphs: str) -> Story:
    return analyse(Article(title=title, body="\n\n".join(paragraphs), language="en"))


def test_the_highest_sum_is_chosen_and_unknown_measures_count_nothing() -> None:
    assert total({"near": 0.5, "far": 1.0, "unheard of": 9.0}, {"near": 2.0, "far": -1.0}) == 0.0
    pick = best(["one", "other"], [-1.0, 2.0])
    assert (pick.name, pick.sum) == ("other", 2.0)
    assert 0.9 < pick.chance < 1.0


def test_the_weights_answer_three_questions() -> None:
    assert set(weights()) == {"issuer", "recipient", "claim"}
    assert all(abs(weight) < 10 for table in weights().values() for weight in table.values())


def test_a_weakly_told_demand_is_found_with_its_sentences() -> None:
    story = _story(
        "Apple silent on demand from London",
        "Officials at the Home Office have not let go of the matter, the paper reports. Apple was told in "
        "January to open its cloud backups for them. The company has said nothing, because it may not.",
    )
    assert [(demand.issuer, demand.recipient) for demand in story.demands] == [(("Home Office",), ("Apple",))]
    for demand in story.demands:
        shown = [*demand.evidence, *(sentence for _, sentence in demand.field_evidence)]
        assert all(sentence in story.text or sentence == story.title for sentence in shown)
        assert {"issuer", "recipient", "instrument"} <= {name for name, _ in demand.field_evidence}


def test_how_sure_a_demand_is_stands_in_the_findings() -> None:
    story = _story(
        "Reddit hands over account details after grand jury subpoena",
        "Reddit gave federal prosecutors in Arizona the details of an account on Tuesday, after a grand jury "
        "subpoena that the U.S. Attorney's Office obtained in May.",
    )
    weights_told = [finding.weight for finding in story.findings if finding.stage == "demand"]
    assert weights_told
    assert all(weight is not None and 0.6 < weight <= 1.0 for weight in weights_told)


def test_what_may_be_and_what_a_gadget_does_is_no_demand() -> None:
    for title, text in (
        (
            "Ministry may ask chat services for keys",
            "A bill would let the ministry ask Signal for its keys one day.",
        ),
        ("Phone review", "Apple gives the new phone a brighter screen, and Samsung has to follow by spring."),
    ):
        assert _story(title, text).demands == ()


def test_signs_that_stand_in_the_article_itself_are_no_parties() -> None:
    story = _story("Google \ue100 gave names", "The FBI \ue000 subpoenaed Google \ue1ff for a user's name.")
    assert [demand.recipient for demand in story.demands] in ([("Google",)], [])
