"""Settings of the environment with pictures, and the splits that name some of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import ceil, pi, radians, tan
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, field_validator, model_validator

from verienv.core.config import parse_name, parse_size
from verienv.virl.config import VIRLConfig
from verienv.virl.pictures.panorama import Engine
from verienv.virl.pictures.streets.visuals import VISUALS, StreetVisual
from verienv.virl.prompts import History

SMALLEST, LARGEST = 64, 1024
NARROWEST_PANORAMA, WIDEST_PANORAMA = 512, 4096


class VIRLVisionConfig(StreetVisual, VIRLConfig):
    """The keyword arguments of ``gym.make("verienv/VIRL-VL-v0", ...)``. Explicit ones beat the names'.

    Besides those of ``VIRLConfig`` and of ``StreetVisual``:

    Attributes:
        visual: a named appearance of the streets: a name for some of the settings of ``StreetVisual`` (``VISUALS``).
        view_size: height and width in px of each of the four views, each 64 to 1024; one integer for a square.
        fov: the horizontal field of view of each, 30 to 120 degrees.
        pitch: how far each looks up, -45 to 45 degrees.
        history: what earlier steps are said to have shown: "oracle" tells the truth, "own" the policy's own words (of
            its answers' "current observation", up to 80 printable characters), "none" the actions alone.
        engine: what projects panoramas: "numpy" gives the same pixels wherever it runs; "opencv" is faster and gives
            nearly the same, by its version (``panorama.view``); "auto" is OpenCV where it can be imported.
        junction_hint: whether the text tells if streets cross here.
        panoramas: a folder of real panoramas to see in place of drawn ones (``PanoramaFolder``); with ``data`` it is
            that folder unless another is given.
        writable_image: whether the pictures in observations may be written to; by default they are read-only.
    """

    visuals: ClassVar[Mapping[str, Mapping[str, Any]]] = VISUALS

    visual: str = "default"
    view_size: Annotated[tuple[int, int], BeforeValidator(partial(parse_size, smallest=SMALLEST, largest=LARGEST))] = (
        640,
        640,
    )
    fov: float = Field(default=90.0, ge=30.0, le=120.0, strict=True)
    pitch: float = Field(default=0.0, ge=-45.0, le=45.0, strict=True)
    history: History = "oracle"
    engine: Engine = "numpy"
    junction_hint: bool = Field(default=False, strict=True)
    panoramas: Path | None = None
    writable_image: bool = Field(default=False, strict=True)

    @field_validator("visual", mode="before")
    @classmethod
    def _parse_visual(cls, visual: Any) -> Any:
        return parse_name(visual, VISUALS, "or give time, weather, season, ... themselves")

    @model_validator(mode="after")
    def _has_a_history(self) -> VIRLVisionConfig:
        if self.history == "own" and self.episode != "route":
            raise ValueError(
                f"history='own': with episode={self.episode!r} the policy has said nothing before; set "
                "history='oracle' or 'none'"
            )
        return self

    @property
    def appearance(self) -> StreetVisual:
        """The visual of the streets."""
        return StreetVisual(**{field: getattr(self, field) for field in StreetVisual.model_fields})

    @property
    def panorama_size(self) -> tuple[int, int]:
        """Height and width of drawn panoramas in px: as fine as the views at their centre."""
        focal = self.view_size[1] / 2 / tan(radians(self.fov) / 2)
        width = min(max(NARROWEST_PANORAMA, ceil(2 * pi * focal / 64) * 64), WIDEST_PANORAMA)
        return width // 2, width
