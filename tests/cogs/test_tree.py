"""The whole command tree against Discord's limits and our own rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.sandbox.discord.errors import Json
from tests.cogs.conftest import Scene

_CONFIGURING = {"setup", "alerts", "feeds", "settings", "why", "deliveries", "status", "audit"}
_IN_SERVERS_ONLY = _CONFIGURING | {"subscribe", "Why this alert?"}


def _all(options: list[Json]) -> Iterator[Json]:
    for option in options:
        yield option
        yield from _all(option.get("options", []))


_MENU = 3


def _longest(part: Json, field: str) -> int:
    """Give the length of a name or description; of its translations the longest counts."""
    return max(map(len, (part.get(field) or "", *(part.get(f"{field}_localizations") or {}).values())))


def _size(command: Json) -> int:
    """Discord counts names, descriptions and choice values of a command together.

    https://docs.discord.com/developers/interactions/application-commands#slash-commands
    """
    total = _longest(command, "name") + _longest(command, "description")
    for option in command.get("options", []):
        total += _size(option)
    for choice in command.get("choices", []):
        total += _longest(choice, "name") + len(str(choice["value"]))
    return total


async def test_every_command_keeps_to_the_limits_and_is_guarded(scene: Scene) -> None:
    commands: list[dict[str, Any]] = scene.discord.commands
    assert {c["name"] for c in commands} >= {
        "alerts",
        "feeds",
        "latest",
        "search",
        "case",
        "demands",
        "subscribe",
        "subscriptions",
        "help",
    }
    for command in commands:
        assert _size(command) <= 8000
        for part in (command, *_all(command.get("options", []))):
            assert 1 <= len(part["name"]) <= 32
            if command["type"] == _MENU:  # named as it is shown, without a description
                continue
            assert part["name"] == part["name"].lower()
            assert 1 <= len(part["description"]) <= 100
            assert part["description"] != "…", "an option without a description"
            assert len(part.get("options", [])) <= 25
        if command["name"] in _CONFIGURING:
            assert command["default_member_permissions"] == "32", "Manage Server"
        else:
            assert command["default_member_permissions"] is None
        everywhere = command["name"] not in _IN_SERVERS_ONLY
        assert command["dm_permission"] is everywhere
        assert command["integration_types"] == ([0, 1] if everywhere else [0]), command["name"]
        assert sorted(command["contexts"] or [0]) == ([0, 1, 2] if everywhere else [0]), command["name"]


async def test_commands_are_sent_once_and_not_again_when_nothing_changed(scene: Scene) -> None:
    from bot.client import QuashClient

    def sent() -> int:
        return sum(r.method == "PUT" and r.path.endswith("/commands") for r in scene.discord.requests)

    assert sent() == 1
    from bot.clock import utc_now
    from bot.intake.services import Services

    services = Services(scene.house.database, None, utc_now, wake=lambda: None, links=None)  # type: ignore[arg-type]
    again = QuashClient(services, api_url=scene.discord.api_url)
    await again.login(scene.discord.token)
    await again.close()
    assert sent() == 1
