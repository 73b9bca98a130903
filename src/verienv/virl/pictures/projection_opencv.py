"""Projection by OpenCV, which must be installed to import this module.

The maps are kept for the north, as floats, and cover only the window of the panorama that is looked up: a new heading
moves the window by whole columns and the maps by the rest of one, and nothing has to wrap.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2  # type: ignore[import-not-found, unused-ignore]
import numpy as np
from numpy.typing import NDArray

from verienv.virl.pictures import projection
from verienv.virl.pictures.projection import ONE, Lens, Picture

MOST_SIDE = 2**15 - 2
"""Pixels along a side of a picture in which OpenCV looks pixels up, at most."""

MIDDLE = 0.5 - 2**-12
"""Middle of a pixel, from which OpenCV counts; a little less, so that a position on an edge is the next pixel's."""


@dataclass(frozen=True)
class _Maps:
    """The positions in a panorama of the pixels of a view to the north.

    They lie in a window of ``rows`` rows from ``top`` on and ``columns`` columns from ``left`` on.

    Attributes:
        along: for each pixel its column from ``left`` on.
        down: for each pixel its row from ``top`` on.
    """

    top: int
    rows: int
    left: int
    columns: int
    along: NDArray[np.float32]
    down: NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        return self.along.nbytes + self.down.nbytes


def project(panorama: Picture, lens: Lens, middle: int, is_blended: bool, out: Picture) -> None:
    """Look up a view as ``projection.project`` does, and by that where the window is too large for OpenCV."""
    maps = projection.MAPS.get((lens, "opencv"), lambda: _maps(lens))
    if max(maps.rows, maps.columns) > MOST_SIDE:
        projection.project(panorama, lens, middle, is_blended, out)
        return
    column, shift = divmod(middle, ONE)
    window, along = _window(panorama, maps, column), maps.along + np.float32(shift / ONE)
    filter = cv2.INTER_LINEAR if is_blended else cv2.INTER_NEAREST
    cv2.remap(window, along, maps.down, filter, dst=out, borderMode=cv2.BORDER_REPLICATE)


def _maps(lens: Lens) -> _Maps:
    x, y = lens.places()
    x, y = np.broadcast_to(x - MIDDLE, lens.size), (y - MIDDLE).clip(0, lens.panorama[0] - 1)
    left, top = int(np.floor(x.min())), int(y.min())
    rows, columns = int(np.ceil(y.max())) - top + 1, int(np.ceil(x.max())) - left + 2
    return _Maps(top, rows, left, columns, (x - left).astype(np.float32), (y - top).astype(np.float32))


def _window(panorama: Picture, maps: _Maps, column: int) -> Picture:
    """Return the part of a panorama that is looked up from ``column`` on."""
    rows, wide = panorama[maps.top : maps.top + maps.rows], panorama.shape[1]
    start = (column + maps.left) % wide
    if start + maps.columns <= wide:
        return rows[:, start : start + maps.columns]
    rounds, rest = divmod(start + maps.columns - wide, wide)
    return np.concatenate([rows[:, start:], *[rows] * rounds, rows[:, :rest]], axis=1)
