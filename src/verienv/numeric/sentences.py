"""The sentences of a route and the view at a waypoint as numbers, and the place of each number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from verienv.core.shown import shown
from verienv.virl.actions import Action, action_space
from verienv.virl.routes.route import Waypoint
from verienv.virl.walking.walk import Walk, most_actions
from verienv.virl.world.geometry import COMPASS, POSITIONS, TURNS, position_phrase

Numbers: TypeAlias = NDArray[np.float32]

ACTIONS: tuple[Action, ...] = tuple(dict.fromkeys((*action_space("absolute"), *action_space("relative"))))
"""The 14 actions of both rules: the 10 of "absolute" in their order, then the four turns of "relative"."""

KINDS = ("turn", "walk", "arrive", "stop")
"""The kinds of sentences: a turn, a walk to a crossing, the walk to the destination, the end."""

_PLACED = {position_phrase(position): position for position in POSITIONS}
_AT = rf"(?P<landmark>.*) is (?P<phrase>{'|'.join(_PLACED)})"
_SENTENCES: dict[str, re.Pattern[str]] = {
    "stop": re.compile(r"Stop\."),
    "arrive": re.compile(rf"Walk forward until your destination {_AT}\."),
    "walk": re.compile(rf"Walk forward to the (?:next intersection|intersection where {_AT})\."),
    "turn": re.compile(
        rf"Turn(?: until {_AT}|(?: (?P<side>{'|'.join(TURNS)}))?(?: to face (?P<compass>{'|'.join(COMPASS)}))?)\."
    ),
}

_VIEW = {"landmark": 1, "position": 8, "at_intersection": 1, "streets": 64, "relative": 1}
_ACTS = {"last_action": len(ACTIONS), "tried": len(ACTIONS), "attempts_left": 1}
_WALK = {"last_turn": len(ACTIONS), "strides": 1, "stayed": 1, "actions_left": 1}
_SENTENCE = {"kind": 4, "compass": 8, "turn": 4, "landmark": 1, "position": 8, "in_view": 1, "in_place": 1}


def layout(window: int = 24, *, walk: bool = False) -> dict[str, slice]:
    """Return the slice of each part by its name; those of sentence k are named such as "3/compass".

    With ``walk`` the parts of free walks follow, behind the sentences.
    """
    parts = {**_VIEW, **_ACTS, **{f"{k}/{name}": size for k in range(window) for name, size in _SENTENCE.items()}}
    parts |= _WALK if walk else {}
    ends = np.cumsum(list(parts.values())).tolist()
    return {name: slice(end - size, end) for (name, size), end in zip(parts.items(), ends, strict=True)}


HEAD = sum(_VIEW.values()) + sum(_ACTS.values())
"""The number of entries before the sentences."""
WIDTH = sum(_SENTENCE.values())
"""The number of entries of one sentence."""
TAIL = sum(_WALK.values())
"""The number of entries behind the sentences, of free walks alone."""
IN_HEAD = layout(0)
"""The slice of each part before the sentences."""
IN_SENTENCE = {
    name.removeprefix("0/"): slice(at.start - HEAD, at.stop - HEAD)
    for name, at in layout(1).items()
    if name not in IN_HEAD
}
"""The slice of each part of a sentence among its entries."""
IN_TAIL = {name: slice(at.start - HEAD, at.stop - HEAD) for name, at in layout(0, walk=True).items() if name in _WALK}
"""The slice of each part of a free walk among the entries behind the sentences."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a route, read; "" for what it does not tell.

    Attributes:
        kind: one of ``KINDS``.
        compass: the compass word of a turn.
        side: the turn word of a turn.
        landmark: the name of the landmark that it names.
        position: where that one is to stand, a position word.
    """

    kind: str
    compass: str = ""
    side: str = ""
    landmark: str = ""
    position: str = ""

    @classmethod
    def read(cls, text: str) -> Sentence:
        """The sentence that ``text``, an instruction of a route, spells. Raises ValueError for any other text."""
        for kind, pattern in _SENTENCES.items():
            if said := pattern.fullmatch(text):
                parts = {name: value or "" for name, value in said.groupdict().items()}
                position = _PLACED.get(parts.pop("phrase", ""), "")
                return cls(kind, position=position, **parts)
        raise ValueError(f"{shown(text)} is no instruction of a route")

    def ends_at(self, place: Waypoint) -> bool:
        """Whether a walk by this sentence ends at a waypoint with this view; what is no walk ends nowhere."""
        if self.kind not in ("walk", "arrive") or not (self.kind == "arrive" or place.at_intersection):
            return False
        return not self.landmark or (place.landmark, place.landmark_position) == (self.landmark, self.position)

    @property
    def numbers(self) -> Numbers:
        """The sentence as ``layout`` says, without the view: float32 of shape (27,)."""
        row = np.zeros(WIDTH, np.float32)
        row[IN_SENTENCE["landmark"]] = bool(self.landmark)
        for name, words, word in (
            ("kind", KINDS, self.kind),
            ("compass", COMPASS, self.compass),
            ("turn", TURNS, self.side),
            ("position", POSITIONS, self.position),
        ):
            if word:
                row[IN_SENTENCE[name].start + words.index(word)] = 1.0
        return row


@lru_cache(maxsize=4096)
def read_sentences(instructions: tuple[str, ...]) -> tuple[tuple[Sentence, ...], Numbers]:
    """The sentences of a route, and their rows of numbers: float32 of shape (sentences, 27), read-only."""
    sentences = tuple(map(Sentence.read, instructions))
    rows = np.stack([sentence.numbers for sentence in sentences])
    rows.flags.writeable = False
    return sentences, rows


def sentences_followed(sentences: Sequence[Sentence], waypoints: Sequence[Waypoint]) -> list[tuple[int, int]]:
    """Return for each waypoint two indices of sentences: the one that the steps before lead to, and the one followed.

    They differ where a walk ends: that one has arrived is for the policy to see.
    """
    found, at = [], 0
    for number, place in enumerate(waypoints):
        walked = number > 0 and waypoints[number - 1].move == "forward"
        followed = at + (walked and sentences[at].ends_at(place))
        found.append((at, followed))
        at = followed + (place.move == "turn")
    return found


def write_walk(tail: Numbers, walk: Walk) -> None:
    """Write the entries of a free walk, ``TAIL`` of them.

    | part | shape | holds |
    |---|---|---|
    | last_turn | 14 | one-hot of ``ACTIONS``: the last turn that one took, zeros if none |
    | strides | 1 | n / (n + 1) for n strides since that turn, or since the beginning |
    | stayed | 1 | 1 if the last action was ``forward()`` and led nowhere |
    | actions_left | 1 | / those of the whole walk |
    """
    if walk.last_turn:
        tail[IN_TAIL["last_turn"].start + ACTIONS.index(walk.last_turn)] = 1
    tail[IN_TAIL["strides"]] = walk.strides / (walk.strides + 1)
    tail[IN_TAIL["stayed"]] = walk.stayed
    tail[IN_TAIL["actions_left"]] = walk.left / most_actions(walk.home.actions)
