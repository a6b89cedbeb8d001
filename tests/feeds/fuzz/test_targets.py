"""The fuzz targets, briefly, and all seeds that were kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.feeds.fuzz.targets import SEEDS, TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds(name: str) -> None:
    target = TARGETS[name]

    @settings(
        max_examples=int(os.environ.get("FUZZ_EXAMPLES", "150")),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(target.inputs)
    def once(value: Any) -> None:
        target.check(value)

    once()


def _seeds() -> list[Path]:
    return sorted(path for name in TARGETS for path in (SEEDS / name).iterdir())


@pytest.mark.parametrize("path", _seeds(), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_seed_holds(path: Path) -> None:
    target = TARGETS[path.parent.name]
    target.check(target.read(path))
