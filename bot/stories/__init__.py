"""Stories: an entry becomes a story. Pure: text in, `Story` out; no I/O, no clock, no Discord."""
