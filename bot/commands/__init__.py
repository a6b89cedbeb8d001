"""One module a command of `quash`: `main(arguments, settings) -> exit status`."""
