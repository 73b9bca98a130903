"""Billboards: upright rectangles with a picture on them, such as signs, trees and lamps."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from verienv.virl.pictures.streets.camera import EYE, Array, Camera, Floats, intersect_columns
from verienv.virl.pictures.streets.pixels import Pixels, blend, opacity
from verienv.virl.pictures.streets.visibility import Cover

_THINNEST = 0.1
"""Cosine of the slant below which a billboard is left out: it is hardly more than a line, and would flicker."""

PictureAt = Callable[[float], Pixels]
"""Returns the picture of a billboard, height x width, for so many pixels of the panorama to a metre."""


class Billboard:
    """An upright rectangle in a panorama.

    Attributes:
        distance: metres to the middle of its visible columns; infinite if there are none.
        is_empty: whether no column meets it.
    """

    def __init__(self, camera: Camera, left: Array, right: Array, bottom: float, top: float) -> None:
        """Find the columns that meet the rectangle.

        Args:
            camera: the camera of the panorama.
            left, right: the ends for a viewer before it, metres east and north of the camera.
            bottom, top: metres above the ground.
        """
        self._camera, self._bottom, self._top = camera, bottom, top
        _, self._column, self._away, self._across, slant = intersect_columns(camera, left[None], right[None])
        self.is_empty, middle = not len(self._column), len(self._column) // 2
        self._is_edge = len(slant) < 2 or float(slant[middle]) < _THINNEST
        self.distance = float("inf") if self.is_empty else float(self._away[middle])
        self._upper = camera.rows(EYE - top, self._away)
        self._lower = camera.rows(EYE - bottom, self._away)

    def hidden_share(self, cover: Cover) -> float:
        """Return the share of the rectangle that walls hide, 0 to 1."""
        if self.is_empty:
            return 1.0
        limit = np.minimum(cover.lowest_row(self._column, self._away), self._lower)
        visible = np.maximum(limit - self._upper, 0).sum()
        return float(1 - visible / max(1e-6, (self._lower - self._upper).sum()))

    def draw(self, canvas: Pixels, picture_at: PictureAt, cover: Cover | None, veil: Pixels, haze: float) -> None:
        """Draw the billboard.

        Args:
            canvas: columns x rows; drawn on.
            picture_at: the picture on the billboard.
            cover: the walls that may hide it; None to draw it before all of them.
            veil: the colour of what is far, one pixel.
            haze: the share of that colour, 0 to 1.
        """
        if self._is_edge:
            return
        lower = self._lower if cover is None else np.minimum(self._lower, cover.lowest_row(self._column, self._away))
        first, last = int(np.floor(self._upper.min())), int(np.ceil(lower.max()))
        first, last = max(0, first), min(self._camera.height, last)
        if last <= first:
            return
        picture = picture_at(self._camera.rows_per_radian / float(self._away.min()))
        row = np.arange(first, last)
        slopes = self._camera.slopes[first:last]
        up = (EYE - slopes[None] * self._away[:, None] - self._bottom) / (self._top - self._bottom)
        inside = np.clip(lower[:, None] - row, 0, 1) * np.clip(row + 1 - self._upper[:, None], 0, 1)
        over = _sample(picture, self._across, 1 - up)
        share = (inside * (opacity(over) * np.float32(256 / 255))).astype(np.uint32)
        if haze > 0:
            over = blend(over, veil, np.full_like(over, int(haze * 256)))
        place = (self._column[:, None], row[None])
        canvas[place] = blend(canvas[place], over, share)


class Sprite(NamedTuple):
    """A billboard and the picture on it."""

    billboard: Billboard
    picture_at: PictureAt


def _sample(picture: Pixels, across: Floats, down: Floats) -> Pixels:
    """Sample a picture between its pixels, at shares of its width (n) and height (n x m): n x m."""
    height, width = picture.shape
    x = (np.clip(across * width - 0.5, 0, width - 1.01) * 256).astype(np.uint32)
    y = (np.clip(down * height - 0.5, 0, height - 1.01) * 256).astype(np.uint32)
    right, lower = (x & 255)[:, None], y & 255
    flat, place = picture.reshape(-1), (y >> 8) * np.uint32(width) + (x >> 8)[:, None]
    above = blend(np.take(flat, place), np.take(flat, place + 1), right)
    below = blend(np.take(flat, place + width), np.take(flat, place + (width + 1)), right)
    return blend(above, below, lower)
