"""Refusals in Discord's own words: HTTP status, JSON code, message, and the fields at fault.

Source: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
Path = tuple[str | int, ...]


class ApiError(Exception):
    """An answer that refuses a request."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        errors: Json | None = None,
        *,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.retry_after = retry_after

    def body(self) -> Json:
        """Give the JSON that Discord answers with."""
        body: Json = {"message": self.message, "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        if self.retry_after is not None:
            body |= {"retry_after": round(self.retry_after, 3), "global": False}
        return body


KNOWN: dict[int, tuple[int, str]] = {
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10011: (404, "Unknown Role"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    10066: (404, "Unknown application command permissions"),
    30032: (400, "Maximum number of application commands reached"),
    30034: (400, "Max number of daily application command creates has been reached (200)"),
    30046: (429, "Maximum number of edits to messages older than 1 hour reached. Try again later"),
    40005: (413, "Request entity too large"),
    40033: (400, "This message has already been crossposted."),
    40060: (400, "Interaction has already been acknowledged."),
    40067: (400, "A tag is required to create a forum post in this channel"),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50021: (403, "Cannot execute action on a system message"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50033: (400, "Invalid Recipient(s)"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    50278: (403, "Cannot send messages to this user due to having no mutual guilds"),
    160002: (400, "Cannot reply without permission to read message history"),
    160005: (403, "This thread is locked"),
    160004: (400, "A thread has already been created for this message"),
}


def refusal(code: int, *, retry_after: float | None = None) -> ApiError:
    """Give Discord's answer for one of its JSON error codes; a 429 says how long to wait, in seconds."""
    status, message = KNOWN[code]
    return ApiError(status, code, message, retry_after=retry_after)


def unauthorized() -> ApiError:
    """Give the answer to a wrong token."""
    return ApiError(401, 0, "401: Unauthorized")


def not_found() -> ApiError:
    """Give the answer to a path that Discord does not know."""
    return ApiError(404, 0, "404: Not Found")


class Form:
    """Collects what is wrong with the fields of one request body (code 50035)."""

    def __init__(self) -> None:
        self.errors: Json = {}

    def add(self, path: Path, code: str, message: str) -> None:
        """Note one fault at a field; `path` leads there through keys and indexes."""
        place = self.errors
        for step in path:
            place = place.setdefault(str(step), {})
        place.setdefault("_errors", []).append({"code": code, "message": message})

    def at_most(self, path: Path, value: object, length: int) -> None:
        """Note a text longer than allowed, in characters."""
        if isinstance(value, str) and len(value) > length:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {length} or fewer in length.")

    def between(self, path: Path, value: object, least: int, most: int) -> None:
        """Note a text or list that is missing or has a length outside its bounds; blanks are no text."""
        if value is None:
            self.add(path, "BASE_TYPE_REQUIRED", "This field is required")
            return
        fits = isinstance(value, str | list) and least <= len(value) <= most
        if not fits or (least and isinstance(value, str) and not value.strip()):
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")

    def one_of(self, path: Path, value: object, allowed: frozenset[int]) -> None:
        """Note a number outside a closed list."""
        if value not in allowed:
            shown = ", ".join(str(number) for number in sorted(allowed))
            self.add(path, "BASE_TYPE_CHOICES", f"Value must be one of ({shown}).")

    def done(self) -> None:
        """Refuse the request if any fault was noted."""
        if self.errors:
            raise ApiError(400, 50035, "Invalid Form Body", self.errors)
