"""Visuals of streets: time, weather, season, architecture and the lettering of signs; names for some of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

from verienv.core.config import validate
from verienv.core.shown import shown

Time = Literal["day", "dusk", "night"]
Weather = Literal["clear", "overcast", "rain", "fog"]
Season = Literal["summer", "winter"]
ArchitectureName = Literal["montevideo", "helsinki", "astana", "plain"]
SignFont = Literal[
    "plain", "anton", "bebas-neue", "playfair-display", "roboto-slab", "mixed"
]  # fmt: skip

DISPLAY_FONTS: tuple[str, ...] = get_args(SignFont)[1:-1]
"""Fonts of shop signs with a character of their own; their letters are drawn twice as large as plain ones."""


class StreetVisual(BaseModel):
    """The appearance of streets. Two equal visuals draw equal pictures.

    Attributes:
        time: "day", "dusk" or "night".
        weather: "clear", "overcast", "rain" (wet, reflecting ground) or "fog" (what is far disappears; signs are read).
        season: "summer" or "winter" (snow lies, trees are bare).
        architecture: "montevideo", "helsinki", "astana" or "plain": heights, materials, windows and roofs; "city" is
            the one that ``architecture_of`` finds for the city's name.
        palette: the architecture whose colours walls, roofs, doors and pavements have: one of the same names, or
            "architecture" for its own.
        sign_font: "plain", the name of a display font, or "mixed": each place has a display font of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    time: Time = "day"
    weather: Weather = "clear"
    season: Season = "summer"
    architecture: ArchitectureName | Literal["city"] = "city"
    palette: ArchitectureName | Literal["architecture"] = "architecture"
    sign_font: SignFont = "plain"

    @classmethod
    def of(cls, visual: str | Mapping[str, Any] | StreetVisual, **overrides: Any) -> StreetVisual:
        """Make a visual of a name of ``VISUALS`` or a dict of fields; ``overrides`` are fields that beat it.

        Raises:
            ValueError: one line that names the field, what was given and what is accepted.
        """
        if isinstance(visual, StreetVisual):
            visual = visual.model_dump()
        elif isinstance(visual, str):
            if visual not in VISUALS:
                raise ValueError(f"visual={shown(visual)}: expected one of {', '.join(VISUALS)}")
            visual = VISUALS[visual]
        elif not isinstance(visual, Mapping):
            raise ValueError(f"visual={shown(visual)}: expected a name of VISUALS, a dict of fields, or a StreetVisual")
        return validate(cls, {**visual, **overrides}, "StreetVisual")

    @property
    def architecture_name(self) -> ArchitectureName:
        """The name of the architecture; "plain" where it is left to a city that is not known."""
        return "plain" if self.architecture == "city" else self.architecture

    @property
    def palette_name(self) -> ArchitectureName:
        """The name of the architecture whose colours are used."""
        return self.architecture_name if self.palette == "architecture" else self.palette

    def in_city(self, name: str) -> StreetVisual:
        """Return this visual with the architecture of the city of that name, where it is left to the city."""
        if self.architecture != "city":
            return self
        return self.model_copy(update={"architecture": architecture_of(name)})


def architecture_of(city_name: str) -> ArchitectureName:
    """Return the architecture that a city is named after ("montevideo-centre-east": "montevideo"), or "plain"."""
    for name in get_args(ArchitectureName):
        if city_name.split("-")[0] == name:
            return name  # type: ignore[no-any-return]
    return "plain"


VISUALS: dict[str, dict[str, Any]] = {
    "default": {},
    "dusk": {"time": "dusk"},
    "night": {"time": "night"},
    "overcast": {"weather": "overcast"},
    "rain": {"weather": "rain"},
    "fog": {"weather": "fog"},
    "winter": {"season": "winter"},
    "snowfall": {"season": "winter", "weather": "overcast"},
    "winter_night": {"season": "winter", "time": "night"},
    "rainy_night": {"weather": "rain", "time": "night"},
    "display_signs": {"sign_font": "mixed"},
    "montevideo": {"architecture": "montevideo"},
    "helsinki": {"architecture": "helsinki"},
    "astana": {"architecture": "astana"},
    "plain": {"architecture": "plain"},
    "repainted": {"palette": "helsinki"},
}
"""Settings by visual. "default" is a clear summer day in the city's own architecture, with plain signs."""
