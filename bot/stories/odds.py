"""Log-odds as chances."""

from __future__ import annotations

import math

_SURE = 30.0  # log-odds; beyond it a chance is 0 or 1 to every digit that is shown


def chance(log_odds: float) -> float:
    """Give the chance (0 to 1) of log-odds."""
    return 1.0 / (1.0 + math.exp(-max(-_SURE, min(_SURE, log_odds))))
