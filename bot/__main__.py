"""`python -m bot` is the same program as `quash`."""

from bot.cli import run

if __name__ == "__main__":
    run()
