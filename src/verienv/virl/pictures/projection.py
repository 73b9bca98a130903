"""Projection by numpy: the positions of a view's pixels in a panorama, and looking them up there.

These positions depend on the sizes, the field of view and the pitch alone; the heading only shifts them along the
panorama. So maps of them are kept, and a new heading costs no trigonometry. Without pitch a column of the view lies
in one column of the panorama: there the panorama is blended along its rows first, and then once for each pixel.

Colours are blended in whole numbers, by 256ths of a pixel and three channels at a time, each in 16 of 64 bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verienv.core.bounded_cache import BoundedCache

Picture = NDArray[np.uint8]

ONE = 2**16
"""Parts of a pixel: columns and shifts are whole numbers of them."""

MOST_MAP_BYTES = 64 * 2**20
"""Bytes of all maps together, at most: those of a view of 640 x 640 hold 6.6 MB without pitch, and 9.8 MB with."""

MAPS = BoundedCache(MOST_MAP_BYTES)


@dataclass(frozen=True)
class Lens:
    """The geometry of a view, whatever its heading.

    Attributes:
        panorama: height and width of the panorama, in pixels.
        size: height and width of the view, in pixels.
        fov: the horizontal field of view, in degrees.
        pitch: degrees by which the middle of the view looks up.
    """

    panorama: tuple[int, int]
    size: tuple[int, int]
    fov: float
    pitch: float

    def places(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the positions of the pixels of a view to the north, in pixels of the panorama counted in edges.

        Returns:
            Columns, which are negative west of north: height x width, or without pitch width alone, being the same in
            each row. Rows: height x width.
        """
        (height, width), (tall, wide) = self.size, self.panorama
        right, up = np.arange(width) + 0.5 - width / 2, height / 2 - 0.5 - np.arange(height)[:, None]
        ahead, tilt = width / 2 / np.tan(np.radians(self.fov / 2)), np.radians(self.pitch)
        level, up = ahead * np.cos(tilt) - up * np.sin(tilt), ahead * np.sin(tilt) + up * np.cos(tilt)
        if self.pitch == 0:
            level = np.array(ahead)
        x = np.arctan2(right, level) * (wide / 2 / np.pi)
        return x, (0.5 - np.arctan2(up, np.hypot(right, level)) / np.pi) * tall


def project(panorama: Picture, lens: Lens, middle: int, is_blended: bool, out: Picture) -> None:
    """Look up a view.

    Args:
        panorama: uint8, height x width x 3.
        lens: the geometry of the view.
        middle: the column at the middle of the view, in 65536ths of a pixel from the left edge.
        is_blended: whether four pixels are blended, or else the nearest is taken.
        out: the view, uint8, height x width x 3; written to.
    """
    maps = MAPS.get((lens, is_blended), lambda: _maps(lens, is_blended))
    column, shift = divmod(middle, ONE)
    window = _window(panorama, maps, column)
    along = maps.along + shift
    pixels = (_level if along.ndim == 1 else _tilted)(window, along, maps, is_blended)
    channels = pixels.view("u1").reshape(*lens.size, 8)
    for channel in range(3):
        out[..., channel] = channels[..., 2 * channel]


@dataclass(frozen=True)
class _Maps:
    """The positions in a panorama of the pixels of a view, ``height`` x ``width``, to the north.

    They lie in a window of ``rows`` rows from ``top`` on and ``columns`` columns from ``left`` on.

    Attributes:
        along: columns from ``left`` on, in 65536ths: for each column of a view without pitch, else for each pixel.
        places: for each pixel the flat index of the start of its row in the window, or without pitch its own index in
            the window whose columns are already those of the view; of the upper row, where two are blended.
        shares: for each pixel the share of the lower row in 256ths; empty for the nearest pixel.
    """

    top: int
    rows: int
    left: int
    columns: int
    along: NDArray[np.int64]
    places: NDArray[np.intp]
    shares: NDArray[np.uint64]

    @property
    def nbytes(self) -> int:
        return self.along.nbytes + self.places.nbytes + self.shares.nbytes


def _maps(lens: Lens, is_blended: bool) -> _Maps:
    tall, width = lens.panorama[0], lens.size[1]
    middle = 0.5 if is_blended else 0.0
    x, y = lens.places()
    along = np.rint((x - middle) * ONE).astype(np.int64)
    down = np.rint((y - middle).clip(0, tall - 1) * ONE).astype(np.int64)
    row = np.minimum(down // ONE, tall - 1 - is_blended)
    left, top = int(along.min()) // ONE, int(row.min())
    along -= left * ONE
    columns = int(along.max()) // ONE + 2 + is_blended  # a shift by less than a pixel may carry over
    places = (row - top) * width + np.arange(width) if lens.pitch == 0 else (row - top) * columns
    shares = _share(down - row * ONE) if is_blended else np.empty(0, np.uint64)
    return _Maps(top, int(row.max()) - top + 1 + is_blended, left, columns, along, places.astype(np.intp), shares)


def _window(panorama: Picture, maps: _Maps, column: int) -> NDArray[np.uint64]:
    """Return the part of a panorama that is looked up from ``column`` on, a pixel in 64 bits: 16 for each channel."""
    lanes = np.zeros((maps.rows, maps.columns, 4), "<u2")
    wide, filled = panorama.shape[1], 0
    while filled < maps.columns:
        start = (column + maps.left + filled) % wide
        part = panorama[maps.top : maps.top + maps.rows, start : start + maps.columns - filled]
        for channel in range(3):
            lanes[:, filled : filled + part.shape[1], channel] = part[..., channel]
        filled += part.shape[1]
    return lanes.view("<u8")[..., 0]


def _level(window: NDArray[np.uint64], along: NDArray[np.int64], maps: _Maps, is_blended: bool) -> NDArray[np.uint64]:
    """Return the pixels of a view without pitch: blended along the rows of the window first, then along its columns."""
    column = along // ONE
    if not is_blended:
        return window.take(column, axis=1).ravel().take(maps.places)
    ready = _blend(window.take(column, axis=1), window.take(column + 1, axis=1), _share(along % ONE))
    return _blend(ready.ravel().take(maps.places), ready[1:].ravel().take(maps.places), maps.shares)


def _tilted(window: NDArray[np.uint64], along: NDArray[np.int64], maps: _Maps, is_blended: bool) -> NDArray[np.uint64]:
    """Return the pixels of a view with pitch."""
    flat, places = window.ravel(), along // ONE
    places += maps.places
    if not is_blended:
        return flat.take(places)
    share, below = _share(along % ONE), maps.columns
    upper = _blend(flat.take(places), flat[1:].take(places), share)
    lower = _blend(flat[below:].take(places), flat[below + 1 :].take(places), share)
    return _blend(upper, lower, maps.shares)


def _share(part: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Convert a part of a pixel, 0 to 65536, to 256ths."""
    return ((part + 128) >> 8).astype(np.uint64)


def _blend(first: NDArray[np.uint64], second: NDArray[np.uint64], share: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Blend ``share`` 256ths of ``second`` with the rest of ``first``, rounded; both are overwritten.

    A difference that borrows from the next channel gives it back with ``first``: only the sum must fit, and it does.
    """
    second -= first
    second *= share
    first <<= 8
    second += first
    second += 0x0080_0080_0080
    second >>= 8
    second &= 0x00FF_00FF_00FF
    return second
