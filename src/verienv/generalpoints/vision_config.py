"""Settings of the environment with pictures, and the splits and visuals that name some of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from verienv.core.config import parse_name, parse_size
from verienv.core.feedback import Kinds
from verienv.core.wording import Slots
from verienv.generalpoints.config import RULE_BY_SIDE, SPLITS, GeneralPointsConfig
from verienv.generalpoints.pictures.decks import DECKS
from verienv.generalpoints.pictures.drawing import DEFAULT_SIZE, LARGEST, SMALLEST
from verienv.generalpoints.pictures.visuals import VISUALS, Visual
from verienv.generalpoints.prompts import kinds_of

VISION_SPLITS: dict[str, dict[str, Any]] = {
    **{split: {**settings, "suits": "black"} for split, settings in SPLITS.items()},
    "visual_ood": {**SPLITS["test"], "suits": "red"},
    "rule_visual_ood": {**SPLITS["rule_ood"], "suits": "red"},
}
"""The settings that each split with pictures stands for: clubs and spades where policies train, diamonds and hearts in
the two that change the appearance."""

VISUAL_BY_RULE: dict[str, dict[str, Any]] = {
    "black suits, J=Q=K=10": {"split": "test"},
    "red suits, J=Q=K=10": {"split": "visual_ood"},
    "black suits, 11-12-13": {"split": "rule_ood"},
    "red suits, 11-12-13": {"split": "rule_visual_ood"},
}
"""The four cells of a table visual by rule on the test side, for ``verienv.evaluate(..., splits=VISUAL_BY_RULE)``."""

RULE_BY_SIDE_BY_VISUAL: dict[str, dict[str, Any]] = {
    f"{cell}, {suits} suits": {**settings, "suits": suits}
    for suits in ("black", "red")
    for cell, settings in RULE_BY_SIDE.items()
}
"""The eight cells of a table rule by side by visual; the first is what policies train on."""


class GeneralPointsVisionConfig(Visual, GeneralPointsConfig):
    """The keyword arguments of ``gym.make("verienv/GeneralPoints-VL-v0", ...)``. Explicit ones beat the names'.

    Besides those of ``GeneralPointsConfig`` (of the splits there are "visual_ood" and "rule_visual_ood" too; ``suits``
    are what the pictures show) and of ``Visual``:

    Attributes:
        visual: a named visual: a name for some of the settings of ``Visual`` (``VISUALS``).
        image_size: height and width of the picture in px, each 96 to 1600; one integer for a square.
        writable_image: whether the pictures in observations may be written to; by default they are read-only.
    """

    splits: ClassVar[Mapping[str, Mapping[str, Any]]] = VISION_SPLITS
    visuals: ClassVar[Mapping[str, Mapping[str, Any]]] = VISUALS

    kinds: ClassVar[Kinds] = kinds_of(vision=True)

    visual: str = "default"
    image_size: Annotated[tuple[int, int], BeforeValidator(partial(parse_size, smallest=SMALLEST, largest=LARGEST))] = (
        DEFAULT_SIZE
    )
    writable_image: bool = Field(default=False, strict=True)

    @field_validator("numbers", "largest_card")
    @classmethod
    def _is_in_the_deck(cls, given: Any, info: ValidationInfo) -> Any:
        if given != cls.model_fields[info.field_name or ""].default:
            raise ValueError("no deck has such cards to show; use verienv/GeneralPoints-L-v0, in words")
        return given

    @field_validator("visual", mode="before")
    @classmethod
    def _parse_visual(cls, visual: Any) -> Any:
        return parse_name(visual, VISUALS, "or give deck, arrangement, rotation, ... themselves")

    @property
    def slots(self) -> Slots:
        told = super().slots
        return Slots(tuple([slot for slot in told.needed if slot != "cards"]), ("cards", *told.others))

    @property
    def appearance(self) -> Visual:
        """The deck and the table."""
        return Visual(**{field: getattr(self, field) for field in Visual.model_fields})

    @classmethod
    def paths(cls, settings: Mapping[str, Any]) -> list[str]:
        """Return ["deck"] if that is a folder."""
        deck = settings.get("deck")
        return ["deck"] if isinstance(deck, str) and deck not in DECKS else []
