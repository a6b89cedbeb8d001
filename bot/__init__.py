"""Quash: watches the news for demands for people's data, and tells those who asked."""

__version__ = "0.1.0"
