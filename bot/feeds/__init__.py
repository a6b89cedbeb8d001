"""Feeds: an address becomes entries. Knows HTTP and XML; never Discord, never stories."""
