"""The ways in which a fetch can fail, each with one clear sentence.

`kind` is what the rhythm of looks goes by (`bot.feeds.rhythm`) and is stored, so the words are fixed.
"""

from __future__ import annotations

from typing import ClassVar

from bot.feeds.errors import FeedError

_PASSING = frozenset({"dns", "connect", "timeout", "cut"})


class FetchError(FeedError):
    """A fetch failed. `host` names the server in question, "" where there is none."""

    kind: ClassVar[str] = "fetch"

    def __init__(self, sentence: str, *, host: str = "") -> None:
        super().__init__(sentence)
        self.host = host

    @property
    def passing(self) -> bool:
        """Whether the same request may well succeed later, without anybody doing anything."""
        return self.kind in _PASSING


class AddressError(FetchError):
    """The address is none that may be fetched: not http(s), credentials inside, digits in disguise."""

    kind = "address"


class ForbiddenAddressError(FetchError):
    """The name or redirect leads to an address that is not public."""

    kind = "forbidden"


class DnsError(FetchError):
    """The server's name cannot be resolved."""

    kind = "dns"


class TlsError(FetchError):
    """The certificate or the TLS handshake is not in order."""

    kind = "tls"


class ConnectError(FetchError):
    """No connection: refused, unreachable."""

    kind = "connect"


class DeadlineError(FetchError):
    """The whole of the time allowed has passed."""

    kind = "timeout"


class CutError(FetchError):
    """The server broke off, or sent less than it announced."""

    kind = "cut"


class BadAnswerError(FetchError):
    """What came is no HTTP, has headers past all bounds, or cannot be decompressed."""

    kind = "answer"


class TooLargeError(FetchError):
    """The answer is larger than allowed, or grows suspiciously when decompressed."""

    kind = "large"


class RedirectError(FetchError):
    """Redirects that lead nowhere: a loop, too many, no address, from https back to http."""

    kind = "redirect"


class StatusError(FetchError):
    """The server answered with a status that is no success."""

    kind = "status"

    def __init__(self, sentence: str, *, host: str = "", status: int) -> None:
        super().__init__(sentence, host=host)
        self.status = status

    @property
    def passing(self) -> bool:
        """A fault or overload of the server passes; a refusal does not."""
        return self.status >= 500 or self.status in (408, 425, 429)


class RobotsError(FetchError):
    """The site's robots.txt asks that this page not be fetched by programs."""

    kind = "robots"


class NotAPageError(FetchError):
    """The link leads to something that is no web page (a film, an archive, ...)."""

    kind = "page"
