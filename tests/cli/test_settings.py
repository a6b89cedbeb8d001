"""Settings: what is wrong is named with what is allowed; the example file tells every default."""

from __future__ import annotations

from pathlib import Path

import discord
import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SettingsError
from bot.login import why_closed
from bot.settings import OPTIONS, Settings, env_example, load
from tests.conftest import ROOT


def test_nothing_given_gives_the_defaults_of_the_example_file() -> None:
    example = {k: v or "" for k, v in dotenv_values(ROOT / ".env.example").items()}
    assert load({}, Path("/nonexistent")) == load(example, Path("/nonexistent")) == Settings()


def test_the_example_file_is_up_to_date() -> None:
    assert (ROOT / ".env.example").read_text() == env_example()


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("FEED_INTERVAL", "soon", "whole number"),
        ("FEED_INTERVAL", "0", "1 to 604800"),
        ("FETCH_TIMEOUT", "nan", "0.1 to 600"),
        ("FETCH_CONCURRENCY", "1e3", "1 to 1024"),
        ("FETCH_MAX_BYTES", "-1", "1024"),
        ("FETCH_ALLOW_NETWORKS", "10.0.0.0/33", "CIDR"),
        ("FETCH_ALLOW_NETWORKS", "10.0.0.1/8", "CIDR"),
        ("DISCORD_API_URL", "discord.com", "http or https"),
        ("DISCORD_API_URL", "http://user:word@127.0.0.1/api", "http or https"),
        ("LOG_LEVEL", "LOUD", "DEBUG, INFO"),
        ("LOG_FORMAT", "xml", "text or json"),
        ("HTTP_ADDR", "8080", "HOST:PORT"),
        ("HTTP_ADDR", "localhost:99999", "HOST:PORT"),
        ("HTTP_ADDR", "http://127.0.0.1:8080", "HOST:PORT"),
        ("SHARD_IDS", "0,5-3", "0-3,8"),
        ("SHARD_IDS", "0-99999999999", "0-3,8"),
        ("WEBSUB_URL", "quash.example", "http or https"),
        ("WEBSUB_URL", "https://quash.example/?a", "without ?"),
        ("WEBSUB_URL", "https://user:word@quash.example", "http or https"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(variable: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({variable: value}, Path("/nonexistent"))
    message = str(caught.value)
    assert message.startswith(f"{variable}: ")
    assert (value in message) is ("@" not in value), "a password is not repeated"
    assert allowed in message
    assert caught.value.exit_status == 2


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(SettingsError, match=r"^FEED_INTERVAL: '5m' is .*\. LOG_FORMAT: 'xml' is not allowed"):
        load({"LOG_FORMAT": "xml", "FEED_INTERVAL": "5m"}, Path("/nonexistent"))


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('FEED_INTERVAL=1800\nLOG_LEVEL="debug"\n')
    settings = load({"FEED_INTERVAL": "900"}, tmp_path)
    assert (settings.feed_interval, settings.log_level) == (900, "DEBUG")


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00A=1")
    with pytest.raises(SettingsError, match=r"^\.env: "):
        load({}, tmp_path)


@pytest.mark.parametrize(
    "wrong", ["FEED_INTERVAL: 1800", "FEED_INTERVAL", "FEED_INTERVAL 1800", "LOG_LEVEL='DEBUG"]
)
def test_a_line_of_the_file_that_is_not_understood_is_told(tmp_path: Path, wrong: str) -> None:
    (tmp_path / ".env").write_text(f"# mine\nRETENTION_DAYS=30\n\n{wrong}\nLOG_FORMAT=json\n")
    with pytest.raises(SettingsError, match=r"^\.env: line 4 is not understood; allowed is NAME=VALUE\.$"):
        load({}, tmp_path)


def test_a_name_that_is_nearly_a_settings_is_told_and_no_other(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "FETCH_TIMOUT=5\ndiscord_token=secret\nPOSTGRES_PASSWORD=secret\nTZ=UTC\nHTTP_PROXY=\nLOG_LEVEL=ERROR\n"
    )
    told: list[str] = []
    load({"FEED_INTERVALL": "1"}, tmp_path, told.append)
    assert told == [
        ".env: FETCH_TIMOUT is no setting and does nothing; FETCH_TIMEOUT is one.",
        ".env: discord_token is no setting and does nothing; DISCORD_TOKEN is one.",
    ]


def test_a_file_of_an_editor_that_marks_its_encoding(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(
        b"\xef\xbb\xbfRETENTION_DAYS=30\r\nexport LOG_FORMAT = json # a comment\r\n"
    )
    settings = load({}, tmp_path)
    assert (settings.retention_days, settings.log_format) == (30, "json")


def test_bounds_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(SettingsError, match="FEED_INTERVAL_MIN"):
        load({"FEED_INTERVAL_MIN": "900", "FEED_INTERVAL_MAX": "600"}, Path("/nonexistent"))
    lone = load({"FEED_INTERVAL_MIN": "7200"}, Path("/nonexistent"))
    assert lone.feed_interval == 7200, "a default that was not asked for follows the bound"


def test_pushes_need_a_place_to_listen_on() -> None:
    with pytest.raises(SettingsError, match=r"^WEBSUB_URL: it needs HTTP_ADDR"):
        load({"WEBSUB_URL": "https://quash.example"}, Path("/nonexistent"))
    both = load({"WEBSUB_URL": "https://quash.example/", "HTTP_ADDR": "127.0.0.1:0"}, Path("/nonexistent"))
    assert both.websub_url == "https://quash.example"


@pytest.mark.parametrize("token", ["Bot secret.token", "secret\ntoken", "secret\u200btoken"])
def test_a_token_that_can_be_none_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(
        SettingsError, match=r"^DISCORD_TOKEN: its value is not allowed; allowed is one word\.$"
    ):
        load({"DISCORD_TOKEN": token}, Path("/nonexistent"))


@pytest.mark.parametrize(("code", "variable"), [(4004, "DISCORD_TOKEN"), (4011, "SHARD_COUNT")])
def test_what_discord_closes_a_connection_for_may_be_a_wrong_setting(code: int, variable: str) -> None:
    """Starting again would not help, and each start takes one of the sessions of a day."""
    error = why_closed(discord.ConnectionClosed(None, shard_id=0, code=code))  # type: ignore[arg-type]
    assert str(error).startswith(f"{variable}: ")
    assert error.exit_status == 2


def test_secrets_do_not_show() -> None:
    settings = load({"DISCORD_TOKEN": "tok.en.secret", "DATABASE_URL": "postgresql+asyncpg://u:pw@h/n"})
    assert "tok.en.secret" not in repr(settings)
    assert "pw@" not in repr(settings)


@given(st.sampled_from([o.variable for o in OPTIONS]), st.text(max_size=40).filter(lambda s: "\0" not in s))
def test_any_value_is_taken_or_refused_in_a_sentence(variable: str, value: str) -> None:
    try:
        load({variable: value}, Path("/nonexistent"))
    except SettingsError as error:
        assert str(error).startswith(("FEED_INTERVAL", variable))
