"""A Discord of one's own on loopback, and a web with sample feeds, for `quash demo` and for the tests."""
