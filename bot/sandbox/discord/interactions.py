"""Interactions under way, and what a person has got to see of the answer.

Source: https://docs.discord.com/developers/interactions/receiving-and-responding
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.discord.errors import Json, refusal
from bot.sandbox.discord.model import LOADING, Message

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5


@dataclass(frozen=True, slots=True)
class Choice:
    """One suggestion of an autocompletion."""

    name: str
    value: str | int | float


@dataclass(slots=True)
class Answer:
    """What the bot answered; grows while more comes.

    `seconds`: until the first answer, infinite if none came in time. `kind`: `none`, `message`, `deferred`,
    `update`, `deferred_update`, `choices` or `modal`. `messages`: those that the answer made, oldest first,
    each with its `history` of versions. `updated`: the message with the component, if it was changed.
    """

    interaction_id: int
    kind: str = "none"
    seconds: float = math.inf
    ephemeral: bool = False
    deferred: bool = False
    messages: list[Message] = field(default_factory=list)
    updated: Message | None = None
    choices: list[Choice] = field(default_factory=list)
    modal: Json | None = None

    @property
    def pending(self) -> bool:
        """Whether a person still sees only "is thinking"."""
        return any(message.flags & LOADING and not message.deleted for message in self.messages)

    @property
    def message(self) -> Message:
        """The newest message of the answer (or the one that was updated); IndexError if there is none."""
        if not self.messages and self.updated is not None:
            return self.updated
        return self.messages[-1]

    @property
    def text(self) -> str:
        """Everything that a person can read in the answer now."""
        seen = [each for each in (self.updated, *self.messages) if each is not None and not each.deleted]
        return "\n".join(message.text for message in seen)


@dataclass(slots=True)
class Interaction:
    """One act of a person. `created` is by the world's clock, `began` by a steady one; both in seconds."""

    id: int
    token: str
    type: int
    user_id: int
    guild_id: int | None
    channel_id: int
    metadata: Json
    created: float
    began: float
    answer: Answer
    message: Message | None = None
    acknowledged: bool = False
    original: Message | None = None
    reply_type: int = 0
    made: set[int] = field(default_factory=set)


class Interactions:
    """All interactions of a stand-in; `steady` is a clock that never jumps, in seconds."""

    def __init__(self, now: Callable[[], float], steady: Callable[[], float]) -> None:
        self.now = now
        self.steady = steady
        self._by_id: dict[int, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}

    def add(self, interaction: Interaction) -> None:
        """Remember an interaction."""
        self._by_id[interaction.id] = interaction
        self._by_token[interaction.token] = interaction

    def get(self, interaction_id: int) -> Interaction:
        """Give an interaction by its id (KeyError)."""
        return self._by_id[interaction_id]

    def to_answer(self, interaction_id: int, token: str, within: float) -> Interaction:
        """Find the interaction that a first answer is for; raises 10062 or 40060 where Discord refuses it."""
        found = self._by_id.get(interaction_id)
        if found is None or found.token != token:
            raise refusal(10062)
        if found.acknowledged:
            raise refusal(40060)
        if self.steady() - found.began > within:
            raise refusal(10062)
        return found

    def by_token(self, token: str, lifetime: float) -> Interaction:
        """Find the interaction that a webhook token is of; raises 10015 or 50027."""
        found = self._by_token.get(token)
        if found is None:
            raise refusal(10015)
        if self.now() - found.created > lifetime:
            raise refusal(50027)
        return found


def new_token() -> str:
    """Make a token as an interaction carries it."""
    return secrets.token_urlsafe(96)
