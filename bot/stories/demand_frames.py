"""Reads the demands out of one sentence: who asks whom, with which words, as a fact or not.

A `Frame` (`bot.stories.demand_roles`) is one way in which a sentence speaks of a demand: by its word for the
instrument (`demand_nouns`), by a verb of demanding with what is to be done (`demand_asking`), by an attempt,
by the act of taking, giving, refusing or buying data (`demand_acts`, `demand_trade`), by what shall go, whose
duty it is or who is written to (`demand_indirect`), or by being told to keep silent (`demand_silence`).

The frames of all sentences are put together in `bot.stories.demands`.
"""

from __future__ import annotations

from bot.stories.demand_acts import act_frames
from bot.stories.demand_asking import verb_frames
from bot.stories.demand_indirect import indirect_frames
from bot.stories.demand_nouns import noun_frames
from bot.stories.demand_removals import removal_frames
from bot.stories.demand_roles import Frame
from bot.stories.demand_silence import gag_frames
from bot.stories.marks import Marked


def frames_of(marked: Marked) -> list[Frame]:
    """Everything that one sentence says of demands, in the order of the words."""
    frames = [*noun_frames(marked), *verb_frames(marked), *act_frames(marked), *removal_frames(marked)]
    frames.extend(indirect_frames(marked))
    if not any(frame.family == "gag" for frame in frames):
        frames.extend(gag_frames(marked))
    frames.sort(key=lambda frame: frame.position)
    return frames
