"""How far along a demand is: which report of a status is news, and which tells an earlier stage again."""

from __future__ import annotations

from collections.abc import Iterable

# A report can be behind the news: what goes back along this line is an older state told again, no news.
_STAGE = {"issued": 1, "challenged": 2}
_OUTCOME = 3


def is_known(status: str | None) -> bool:
    """Tell whether a status says where a case stands."""
    return status not in (None, "unknown")


def moves_on(before: str | None, now: str | None) -> bool:
    """Tell whether a later report says that a case stands elsewhere by then."""
    if not is_known(now) or now == before:
        return False
    stood = _STAGE.get(before or "", _OUTCOME if is_known(before) else 0)
    stands = _STAGE.get(now or "", _OUTCOME)
    if stood == 0 and stands == 1:
        return False  # that it was issued is what every first report says
    return stands >= stood


def after(reports: Iterable[str | None]) -> str | None:
    """Give where a case stands after reports, the oldest first."""
    status: str | None = None
    for told in reports:
        if told is not None and (not is_known(status) or moves_on(status, told)):
            status = told
    return status


def told_by(status: str | None, reports: Iterable[str | None]) -> str | None:
    """Give where a case stands for somebody who sees these of its reports, the oldest first: what none of
    them says is not theirs to be told."""
    said = list(reports)
    return status if status in said else after(said)
