"""Who may run on a SQLite database beside whom."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.opening import NotAloneError, alone_on


@pytest.mark.parametrize(
    ("first", "second", "beside"),
    [
        ("worker", "gateway", True),
        ("gateway", "worker", True),
        ("all", "all", False),
        ("all", "gateway", False),
        ("worker", "all", False),
        ("gateway", "gateway", False),
    ],
)
def test_one_worker_and_one_gateway_share_a_file_and_no_two_of_a_kind(
    tmp_path: Path, first: str, second: str, beside: bool
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/quash.db"
    with ExitStack() as held:
        held.enter_context(alone_on(url, first))
        if beside:
            held.enter_context(alone_on(url, second))
        else:
            with pytest.raises(NotAloneError, match="end it first"):
                held.enter_context(alone_on(url, second))
    with alone_on(url, "all"):  # whoever ended holds it no longer
        pass
