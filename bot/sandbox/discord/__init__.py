"""A stand-in for Discord; see `bot.sandbox`."""
