"""Visuals: the deck and the table that a hand is shown with, and names for some of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from verienv.core.config import validate
from verienv.core.shown import shown
from verienv.generalpoints.pictures.decks import DeckLike, parse_deck
from verienv.generalpoints.pictures.tabletop import parse_background

Arrangement = Literal["row", "grid", "scattered"]

MOST_ROTATION, MOST_LIGHT, MOST_BLUR, MOST_NOISE = 45.0, 0.8, 4.0, 64.0


class Visual(BaseModel):
    """The appearance of a hand. Two equal visuals draw equal pictures.

    Attributes:
        deck: "classic", "classic_four_color", "flat", "drawn", "drawn_four_color", "drawn_dark" or "drawn_plain"; the
            path of a folder with 52 PNG files, AC.png to KS.png; or a DrawnDeck, or a dict of its fields.
        arrangement: "row", as in the paper; "grid", in as many rows as make the cards largest; or "scattered".
        rotation: each card is turned by up to this many degrees either way, 0 to 45; in whole degrees, or in
            steps just shorter if it is none.
        background: "felt", "wood", "stone" or a plain colour, "#rrggbb" or by its name.
        light: how much darker the far side is than the side that a lamp stands on, 0 (even light) to 0.8.
        blur: the radius of a Gaussian blur in px of a picture 336 px high, 0 to 4; it grows with the picture.
        noise: the standard deviation of the camera's noise in levels of 255, 0 to 64.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    deck: Annotated[DeckLike, BeforeValidator(parse_deck)] = "classic"
    arrangement: Arrangement = "row"
    rotation: float = Field(default=0.0, ge=0.0, le=MOST_ROTATION, strict=True)
    background: Annotated[str, BeforeValidator(parse_background)] = "felt"
    light: float = Field(default=0.0, ge=0.0, le=MOST_LIGHT, strict=True)
    blur: float = Field(default=0.0, ge=0.0, le=MOST_BLUR, strict=True)
    noise: float = Field(default=0.0, ge=0.0, le=MOST_NOISE, strict=True)

    @classmethod
    def of(cls, visual: str | Mapping[str, Any] | Visual) -> Visual:
        """Return the visual meant by a name of ``VISUALS``, or by a dict of fields. Raises ValueError."""
        if isinstance(visual, Visual):
            return visual
        if isinstance(visual, str):
            if visual not in VISUALS:
                raise ValueError(f"visual={shown(visual)}: expected one of {', '.join(VISUALS)}")
            visual = VISUALS[visual]
        return validate(cls, visual, "Visual")


VISUALS: dict[str, dict[str, Any]] = {
    "default": {},
    "four_color": {"deck": "classic_four_color"},
    "flat": {"deck": "flat"},
    "drawn": {"deck": "drawn"},
    "dark": {"deck": "drawn_dark", "background": "stone"},
    "plain": {"deck": "drawn_plain"},
    "rotated": {"rotation": 15.0},
    "scattered": {"arrangement": "scattered", "rotation": 20.0},
    "noisy": {"noise": 24.0},
    "blurred": {"blur": 1.0},
    "wood": {"background": "wood"},
    "lamplight": {"background": "wood", "light": 0.6},
}
"""The settings that each named visual stands for. "default" is the paper's: classic cards in a row on green felt."""
