"""Alerts: a story becomes messages. Routing, rendering, outbox, digests."""
