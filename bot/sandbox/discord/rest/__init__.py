"""Discord's REST routes, one file per noun."""
