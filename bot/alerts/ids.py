"""The custom ids of a card's buttons: what a click says, without anything stored beside it.

`quash:case:follow:42:MARK`. The mark is optional: cards that are posted by a delivery carry its nonce, by
which the delivery finds its message again in a channel's history. People do not see it. Ids can be
forged, so whoever reads one checks what the person who clicked may see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_MARK = r"(?::(?P<mark>[a-z0-9]{1,25}))?"

FOLLOW = re.compile(r"quash:case:follow:(?P<id>[0-9]{1,18})" + _MARK)
EVIDENCE = re.compile(r"quash:story:evidence:(?P<id>[0-9]{1,18})" + _MARK)
REPORT = re.compile(r"quash:story:report:(?P<id>[0-9]{1,18})" + _MARK)
DIGEST = re.compile(r"quash:digest:open:(?P<id>[0-9]{1,18})" + _MARK)
REVIEW = re.compile(r"quash:review:(?P<do>approve|edit|reject|merge):(?P<id>[0-9]{1,18})")
OF_SERVER = r"(?:@(?P<server>[0-9]{1,20}))?"  # in a direct message: the server that the button is about
FOLLOW_PARTY = re.compile(r"quash:party:follow:(?P<id>[0-9]{1,18})")


def _id(prefix: str, number: int, mark: str | None) -> str:
    return f"quash:{prefix}:{number}:{mark}" if mark else f"quash:{prefix}:{number}"


def follow_id(case_id: int, mark: str | None = None) -> str:
    """Give the custom id of Follow case."""
    return _id("case:follow", case_id, mark)


def follow_party_id(party_id: int) -> str:
    """Give the custom id of a profile's Follow."""
    return f"quash:party:follow:{party_id}"


def evidence_id(story_id: int, mark: str | None = None) -> str:
    """Give the custom id of Evidence."""
    return _id("story:evidence", story_id, mark)


def report_id(story_id: int, mark: str | None = None) -> str:
    """Give the custom id of Not relevant."""
    return _id("story:report", story_id, mark)


def digest_id(delivery_id: int, mark: str | None = None) -> str:
    """Give the custom id of a digest's Show all."""
    return _id("digest:open", delivery_id, mark)


def review_id(do: str, review: int) -> str:
    """Give the custom id of a moderator's decision: approve, edit, reject, merge."""
    return f"quash:review:{do}:{review}"


def of_server(custom_id: str, guild_id: int) -> str:
    """Give the custom id that a moderators' button has in a direct message, where no server is told by it."""
    return f"{custom_id}@{guild_id}"


def mark_of(custom_ids: Iterable[str]) -> str | None:
    """Give the mark that a message's buttons carry, None when it is no delivery's message."""
    for custom_id in custom_ids:
        for pattern in (EVIDENCE, REPORT, FOLLOW, DIGEST):
            found = pattern.fullmatch(custom_id)
            if found and found["mark"]:
                return found["mark"]
    return None
