"""Recordings: a server's raw answer in a file, for a bug report and for the tests that replay it.

A recording is one JSON object with the address asked, the hops, status and headers, and the decompressed
body in base64. Cookies are left out; an address with a key in it stays as it is, so look before sharing.
"""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path

from multidict import CIMultiDict, CIMultiDictProxy

from bot.feeds.errors import FeedError
from bot.feeds.fetch import Hop, Response

_VERSION = 1
_LEFT_OUT = frozenset({"set-cookie", "set-cookie2"})


class RecordingError(FeedError):
    """A recording cannot be read or written: says which and why."""


def write_recording(path: Path, response: Response) -> None:
    """Write an answer to a file. Raises `RecordingError`."""
    recording = {
        "quash_recording": _VERSION,
        "asked": response.asked,
        "url": response.url,
        "status": response.status,
        "headers": [
            (name, value) for name, value in response.headers.items() if name.lower() not in _LEFT_OUT
        ],
        "hops": [(hop.status, hop.url) for hop in response.hops],
        "body": base64.b64encode(response.body).decode("ascii"),
    }
    try:
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
