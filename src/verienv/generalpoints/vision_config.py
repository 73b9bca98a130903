"""Settings of the environment by sight, and the splits and looks that name some of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, field_validator, model_validator

from verienv.core.config import known_name, known_size, named
from verienv.generalpoints.config import RULE_BY_SIDE, SPLITS, GeneralPointsConfig
from verienv.generalpoints.pictures.drawing import DEFAULT_SIZE, LARGEST, SMALLEST
from verienv.generalpoints.pictures.visuals import LOOKS, Look

VISION_SPLITS: dict[str, dict[str, Any]] = {
    **{split: {**settings, "suits": "black"} for split, settings in SPLITS.items()},
    "visual_ood": {**SPLITS["test"], "suits": "red"},
    "rule_visual_ood": {**SPLITS["rule_ood"], "suits": "red"},
}
"""What each split of GeneralPoints by sight stands for: clubs and spades where policies train, diamonds and hearts in
the two that change the look."""

LOOK_BY_RULE: dict[str, dict[str, Any]] = {
    "black suits, J=Q=K=10": {"split": "test"},
    "red suits, J=Q=K=10": {"split": "visual_ood"},
    "black suits, 11-12-13": {"split": "rule_ood"},
    "red suits, 11-12-13": {"split": "rule_visual_ood"},
}
"""The four cells of a table look by rule on unseen hands, for ``verienv.evaluate(..., splits=LOOK_BY_RULE)``."""

RULE_BY_SIDE_BY_LOOK: dict[str, dict[str, Any]] = {
    f"{cell}, {suits} suits": {**settings, "suits": suits}
    for suits in ("black", "red")
    for cell, settings in RULE_BY_SIDE.items()
}
"""The eight cells of a table rule by side by look; the first is what policies train on."""


class GeneralPointsVisionConfig(Look, GeneralPointsConfig):
    """The keyword arguments of ``gym.make("verienv/GeneralPoints-VL-v0", ...)``. Explicit ones beat the names'.

    Besides those of ``GeneralPointsConfig`` (of the splits there are "visual_ood" and "rule_visual_ood" too; ``suits``
    are what the pictures show) and of ``Look``:

    Attributes:
        visual: a named look: a name for some of the settings of ``Look`` (``LOOKS``).
        image_size: height and width of the picture in px, each 96 to 1600; one integer for a square.
        writable_image: whether the pictures in observations may be written to; by default they are read-only.
    """

    splits: ClassVar[Mapping[str, Mapping[str, Any]]] = VISION_SPLITS

    visual: str = "default"
    image_size: Annotated[tuple[int, int], BeforeValidator(partial(known_size, smallest=SMALLEST, largest=LARGEST))] = (
        DEFAULT_SIZE
    )
    writable_image: bool = Field(default=False, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _fill_from_look(cls, settings: dict[str, Any]) -> dict[str, Any]:
        return {**named(LOOKS, settings.get("visual", "default")), **settings}

    @field_validator("visual", mode="before")
    @classmethod
    def _known_visual(cls, visual: Any) -> Any:
        return known_name(visual, LOOKS, "or give deck, arrangement, rotation, ... themselves")

    @property
    def look(self) -> Look:
        """The deck and the table."""
        return Look(**{field: getattr(self, field) for field in Look.model_fields})
