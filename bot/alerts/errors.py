"""What can go wrong around alerts, each by its own name.

A `Wish...` is a person's input that cannot be: its message is the answer to that person. The others are
Discord's answers to a request, sorted by what has to happen next.
"""

from __future__ import annotations

from bot.errors import QuashError, UsageError, told

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_CHANNEL = 10003
NO_TEXT_CHANNEL = 50008
_OF_MEMBERS = frozenset({10013, 50007, 50278})  # gone, takes no direct messages, shares no server
OUT_OF_TIME = frozenset({408, 425})  # statuses that tell nothing of what became of a request, besides 5xx


class WishError(UsageError):
    """A rule or subscription asks for something that cannot be; says what can."""


class NotHereError(QuashError):
    """What was asked for does not exist, or is not this server's or member's to see."""


class SendError(QuashError):
    """A request to Discord did not do what it should."""


class TokenRefusedError(UsageError):
    """Discord does not accept the token (401): nothing can be sent, the program ends."""


class DestinationRefusedError(SendError):
    """Discord lets nothing through to this channel or member (403, 404; 50007 for closed direct messages).

    No further request goes there until that changes. `code` is Discord's JSON error code, 0 for none.
    """

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code

    @property
    def is_the_members(self) -> bool:
        """Whether it is for the member, in a direct message: else it is the bot that Discord refuses."""
        return self.code in _OF_MEMBERS


class MessageRefusedError(SendError):
    """Discord finds this one message wrong (400): it will never be taken, the next one may be."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class MessageGoneError(SendError):
    """The message that is meant was deleted on Discord (10008)."""


class ThreadLockedError(MessageRefusedError):
    """The thread that a message is for was locked by moderators: others of the channel go on."""


class TryAgainError(SendError):
    """Discord or the way to it is out of order: the same request later.

    `landed` tells whether the message may have been posted all the same: False only where Discord said
    that it was not (429); of the tries before in the same call `bot.alerts.fence` tells. `pause` is what
    Discord asks for, in seconds. `outage`: nothing that is this destination's own, so that others may be
    struck too.
    """

    def __init__(
        self, message: str, *, landed: bool, pause: float | None = None, outage: bool = False
    ) -> None:
        super().__init__(message)
        self.landed = landed
        self.pause = pause
        self.outage = outage


def unanswered(seconds: float) -> TryAgainError:
    """Give the error for a request that had no answer in so long."""
    said = told("Discord did not answer within {number} s.", number=f"{seconds:.0f}")
    return TryAgainError(said, landed=True, outage=True)


def held_up(*, landed: bool) -> TryAgainError:
    """Give the error for a request that does not leave, because the lease for its channel may have ended."""
    said = told("The process was held up for longer than it may serve a channel.")
    return TryAgainError(said, landed=landed)


class LaterError(SendError):
    """This one message later, in `pause` seconds; what else the channel gets need not wait (30046)."""

    def __init__(self, message: str, *, pause: float) -> None:
        super().__init__(message)
        self.pause = pause


class UndecidedError(SendError):
    """Whether a message was posted cannot be found out: for the moderators to decide, never guessed."""
