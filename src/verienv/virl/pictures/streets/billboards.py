"""Upright rectangles with a picture on them: signs, and all that is drawn as a picture that faces the camera."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from verienv.virl.pictures.streets.pixels import Pixels, mixed, opacity
from verienv.virl.pictures.streets.visibility import EYE, Cover, Floats, Frame, meeting

Array = NDArray[np.float64]

_THINNEST = 0.1
"""The cosine of the angle under which a panel is seen below which it is left out: a line, and all flicker."""

PictureAt = Callable[[float], Pixels]
"""The picture, height x width, for so many pixels of the panorama to a metre."""


class Panel:
    """An upright rectangle as the camera sees it.

    Attributes:
        distance: metres to the middle of what is seen; infinite if nothing is.
        is_empty: whether no column meets it.
    """

    def __init__(self, frame: Frame, left: Array, right: Array, bottom: float, top: float) -> None:
        """Find what meets it.

        Args:
            frame: the panorama.
            left, right: its ends as its reader sees them, metres east and north of the camera.
            bottom, top: metres above the ground.
        """
        self._frame, self._bottom, self._top = frame, bottom, top
        _, self._column, self._away, self._across, slant = meeting(frame, left[None], right[None])
        self.is_empty, middle = not len(self._column), len(self._column) // 2
        self._is_edge = len(slant) < 2 or float(slant[middle]) < _THINNEST
        self.distance = float("inf") if self.is_empty else float(self._away[middle])
        self._upper = frame.rows(EYE - top, self._away)
        self._lower = frame.rows(EYE - bottom, self._away)

    def hidden_share(self, cover: Cover) -> float:
        """How much of it walls hide, 0 to 1."""
        if self.is_empty:
            return 1.0
        limit = np.minimum(cover.lowest_row(self._column, self._away), self._lower)
        seen = np.maximum(limit - self._upper, 0).sum()
        return float(1 - seen / max(1e-6, (self._lower - self._upper).sum()))

    def draw(self, canvas: Pixels, picture_at: PictureAt, cover: Cover | None, veil: Pixels, haze: float) -> None:
        """Draw it.

        Args:
            canvas: columns x rows; drawn on.
            picture_at: what is on it.
            cover: the walls that may hide it; None to draw it before all of them.
            veil: the colour of what is far.
            haze: the share of that colour.
        """
        if self._is_edge:
            return
        lower = self._lower if cover is None else np.minimum(self._lower, cover.lowest_row(self._column, self._away))
        first, last = int(np.floor(self._upper.min())), int(np.ceil(lower.max()))
        first, last = max(0, first), min(self._frame.height, last)
        if last <= first:
            return
        picture = picture_at(self._frame.rows_per_radian / float(self._away.min()))
        row = np.arange(first, last)
        slopes = self._frame.slopes[first:last]
        up = (EYE - slopes[None] * self._away[:, None] - self._bottom) / (self._top - self._bottom)
        inside = np.clip(lower[:, None] - row, 0, 1) * np.clip(row + 1 - self._upper[:, None], 0, 1)
        over = _sampled(picture, self._across, 1 - up)
        share = (inside * (opacity(over) * np.float32(256 / 255))).astype(np.uint32)
        if haze > 0:
            over = mixed(over, veil, np.full_like(over, int(haze * 256)))
        place = (self._column[:, None], row[None])
        canvas[place] = mixed(canvas[place], over, share)


class Thing(NamedTuple):
    """A panel and what is on it."""

    panel: Panel
    picture_at: PictureAt


def _sampled(picture: Pixels, across: Floats, down: Floats) -> Pixels:
    """The picture between its pixels, at shares of its width (n) and height (n x m): n x m."""
    height, width = picture.shape
    x = (np.clip(across * width - 0.5, 0, width - 1.01) * 256).astype(np.uint32)
    y = (np.clip(down * height - 0.5, 0, height - 1.01) * 256).astype(np.uint32)
    right, lower = (x & 255)[:, None], y & 255
    flat, place = picture.reshape(-1), (y >> 8) * np.uint32(width) + (x >> 8)[:, None]
    above = mixed(np.take(flat, place), np.take(flat, place + 1), right)
    below = mixed(np.take(flat, place + width), np.take(flat, place + (width + 1)), right)
    return mixed(above, below, lower)
