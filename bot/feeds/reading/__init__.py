"""Reading feeds: from bytes to a `Feed`, one module for each step. The way through is `bot.feeds.parse`."""
