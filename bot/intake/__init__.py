"""Intake: the way of a story from a due feed to due deliveries; puts feeds, stories and alerts together."""
