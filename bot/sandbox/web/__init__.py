"""A local web with a sample week of feeds: six outlets, untidy pages, in every dialect of feed."""

from __future__ import annotations

from bot.sandbox.web.server import SampleWeb

__all__ = ["SampleWeb"]
