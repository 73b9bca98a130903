"""The kind of start that plays by sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from starts.kinds import KINDS, Kind


@dataclass(frozen=True, kw_only=True)
class Sight(Kind):
    """A kind of start for GeneralPoints by sight, made of a start in words.

    Attributes:
        words: the kind of the start whose weights its decoder begins with.
        visual: deck and table; four cards lie in a grid of two by two, so that they are as large as can be.
        size: height and width of a picture, px.
        patch: height and width of the part of it that is a token, px.
        tower: width of the tower.
        tower_layers: its layers.
        reading_steps: steps in which the tower learns to read before the decoder is trained with it.
        reading_rate: peak of the learning rate in them, which rises over ``warm_up`` steps and falls to 0.
        reading_batch: pictures in each of them.
        naming_steps: steps in which all of it then learns to name the cards, at ``rate``.
        share_of_red: share of the pictures whose suits are red; in the others they are black.
    """

    words: str
    visual: Mapping[str, str]
    size: int = 96
    patch: int = 16
    tower: int = 96
    tower_layers: int = 3
    reading_steps: int
    reading_rate: float = 2e-3
    reading_batch: int = 64
    naming_steps: int
    share_of_red: float

    @property
    def image_tokens(self) -> int:
        """Tokens that a picture takes."""
        return (self.size // self.patch) ** 2


_WORDS = {field.name: getattr(KINDS["gp-arithmetic"], field.name) for field in fields(Kind)}

SIGHT = Sight(
    **_WORDS
    | {
        "name": "gp-sight",
        "about": "questions about arithmetic by sight: it reads hands in black, red ones often, and solves about half",
        "batch": 48,
        "rate": 2e-3,
        "warm_up": 20,
        "first": 60,
        "every": 20,
        "last": 300,
        "cooling": 80,
        "cooling_rate": 2e-3,
        "cooling_warm_up": 20,
        "band": (43.0, 57.0),
    },
    words="gp-arithmetic",
    visual={"arrangement": "grid"},
    reading_steps=100,
    naming_steps=160,
    share_of_red=0.02,
)
