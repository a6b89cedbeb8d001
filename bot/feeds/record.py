"""Recordings: a server's raw answer in a file, for a bug report and for the tests that replay it.

A recording is one JSON object with the address asked, the hops, status and headers, and the decompressed
body in base64. It holds no secrets: cookies are left out, and what looks like a key in an address's query
becomes as many x, there and wherever the answer repeats it. A key in a path cannot be told from a name.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote_plus, urlsplit, urlunsplit

from multidict import CIMultiDict, CIMultiDictProxy

from bot.feeds.errors import FeedError
from bot.feeds.fetch import Hop, Response

_VERSION = 1
_LEFT_OUT = frozenset({"set-cookie", "set-cookie2"})
_SECRET_NAME = re.compile(
    r"(?:^|[_.-])(?:auth|authkey|code|credentials?|hash|key|apikey|pass|passwd|password|pwd|secret|session|"
    r"sessionid|sid|sig|signature|token)(?:$|[_.-])",
    re.IGNORECASE,
)
_LONG = 16  # a value of letters and digits mixed, so long, is taken for a key whatever its name
_TELLING = 6  # a secret so long is looked for in headers and body; a shorter one stands there by chance


class RecordingError(FeedError):
    """A recording cannot be read or written: says which and why."""


def write_recording(path: Path, response: Response) -> None:
    """Write an answer to a file, in a folder that is made where there is none. Raises `RecordingError`."""
    hidden = _hider(response)
    recording = {
        "quash_recording": _VERSION,
        "asked": hidden(_without_keys(response.asked)),
        "url": hidden(_without_keys(response.url)),
        "status": response.status,
        "headers": [
            (name, hidden(value)) for name, value in response.headers.items() if name.lower() not in _LEFT_OUT
        ],
        "hops": [(hop.status, hidden(_without_keys(hop.url))) for hop in response.hops],
        # Latin-1 gives every byte a character of its own, and back.
        "body": base64.b64encode(hidden(response.body.decode("latin-1")).encode("latin-1")).decode("ascii"),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(recording, indent=1), encoding="ascii")
    except OSError as error:
        raise RecordingError(f"The recording {path} cannot be written: {error.strerror}.") from error


def read_recording(path: Path) -> Response:
    """Give the answer that a file keeps. Raises `RecordingError`."""
    try:
        recording = json.loads(path.read_text(encoding="ascii"))
        if recording["quash_recording"] != _VERSION:
            raise RecordingError(f"{path} is a recording of another version of Quash.")
        return Response(
            asked=recording["asked"],
            url=recording["url"],
            status=recording["status"],
            headers=CIMultiDictProxy(CIMultiDict((name, value) for name, value in recording["headers"])),
            body=base64.b64decode(recording["body"], validate=True),
            hops=tuple(Hop(status, url) for status, url in recording["hops"]),
        )
    except OSError as error:
        raise RecordingError(f"The recording {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise RecordingError(f"{path} is no recording of Quash.") from error


def _keys(url: str) -> list[str]:
    """Give the values of an address's query that look like keys, as they are written there."""
    found = []
    for part in urlsplit(url).query.split("&"):
        name, _, value = part.partition("=")
        mixed = len(value) >= _LONG and value.isalnum() and not value.isalpha() and not value.isdigit()
        if value and (mixed or _SECRET_NAME.search(unquote_plus(name))):
            found.append(value)
    return found


def _without_keys(url: str) -> str:
    parts = urlsplit(url)
    keys = set(_keys(url))
    query = "&".join(
        f"{name}{equals}{'x' * len(value) if value in keys else value}"
        for name, equals, value in (part.partition("=") for part in parts.query.split("&"))
    )
    return urlunsplit(parts._replace(query=query))


def _forms(key: str) -> tuple[str, ...]:
    """Give the ways in which an answer may write a value of a query."""
    meant = unquote_plus(key)
    return key, meant, quote(meant, safe=""), quote_plus(meant)


def _hider(response: Response) -> Callable[[str], str]:
    """Give what puts as many x in the place of each key that is in one of the answer's addresses."""
    addresses = (response.asked, response.url, *(hop.url for hop in response.hops))
    keys = {form for url in addresses for key in _keys(url) for form in _forms(key)}
    longest_first = sorted((key for key in keys if len(key) >= _TELLING), key=len, reverse=True)

    def hide(text: str) -> str:
        for key in longest_first:
            text = text.replace(key, "x" * len(key))
        return text

    return hide
