"""Pictures for libraries: reduced, with channels first or last; and text as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from verienv.core.config import parse_size
from verienv.core.question import Picture
from verienv.core.text_picture import draw_turns


def parse_resize(size: Any) -> tuple[int, int] | None:
    """A pair of integers, or one for a square, or None: what a setting ``resize`` accepts. Raises ValueError."""
    return None if size is None else parse_size(size, smallest=8, largest=1600, otherwise="None or ")


def fit_picture(image: Picture, size: tuple[int, int] | None, channels_first: bool) -> Picture:
    """The picture (uint8, height x width x 3) reduced to height and width in px, its channels first or last; a copy."""
    if size is not None and size != image.shape[:2]:
        from PIL import Image

        image = np.asarray(Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.BOX))
    return np.array(image.transpose(2, 0, 1) if channels_first else image, order="C")


def draw_text(text: str) -> Picture:
    """Draw the end of a text: uint8, 480 x 640 x 3, RGB."""
    return draw_turns([("", text)])
