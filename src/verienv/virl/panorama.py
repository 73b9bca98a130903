"""From a panorama to what one sees who stands there: a view in one heading, or all four around.

A panorama is equirectangular, uint8 RGB of height x width x 3, 360 x 180 degrees: the compass heading h is at the
column ((h + rotation) mod 360) / 360 * width, counted in edges of pixels (the centre of column c is at c + 0.5), the
horizon in the middle of the height. A view is a pinhole projection. Sizes are (height, width) in pixels.

What a projection looks up depends on the sizes, the field of view and the pitch alone; the heading only shifts it along
the panorama. So these maps are kept, and a new heading costs no trigonometry. Without pitch a column of the view lies
in one column of the panorama: there the panorama is blended along its rows first, and then once for each pixel.

Colours are blended in whole numbers, by 256ths of a pixel and three channels at a time, each in 16 of 64 bits. A view
is within 2 grey levels of one blended exactly, and within 1 where neighbouring pixels differ by at most 100.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from verienv.core.bounded_cache import BoundedCache
from verienv.virl.panorama_files import PanoramaFolder, load_panorama

__all__ = [
    "FILTERS",
    "GRID_ORDER",
    "BoundedCache",
    "Filter",
    "PanoramaFolder",
    "Picture",
    "grid",
    "grid_size",
    "load_panorama",
    "view",
]

Picture = NDArray[np.uint8]
Filter = Literal["nearest", "bilinear"]
FILTERS: tuple[Filter, ...] = get_args(Filter)

GRID_ORDER = ("front", "right", "back", "left")
"""What a grid shows, in reading order."""

LINE = 128
"""The grey of the line between the views of a grid."""

MOST_SIDE = 4096
"""Pixels along a side of a view."""

WIDEST = 170.0
"""Degrees of a view's field."""

MOST_MAP_BYTES = 64 * 2**20
"""What the maps may hold together: those of a view of 640 x 640 hold 6.6 MB without pitch, and 9.8 MB with."""

_ONE = 2**16
"""Columns and shifts are whole numbers of this part of a pixel."""


def view(
    panorama: Picture,
    heading: float,
    *,
    size: tuple[int, int] = (640, 640),
    fov: float = 90.0,
    pitch: float = 0.0,
    rotation: float = 0.0,
    filter: Filter = "bilinear",
) -> Picture:
    """What is seen in one heading.

    Args:
        panorama: uint8, height x width x 3, at least 2 x 2.
        heading: where the middle of the view looks, in degrees clockwise from north.
        size: height and width of the view, each 1 to 4096.
        fov: the horizontal field of view, above 0 and at most 170 degrees; pixels are square.
        pitch: how far the middle looks up, from -90 to 90 degrees.
        rotation: by how much the panorama is turned, in degrees.
        filter: "nearest" takes the nearest pixel, "bilinear" blends four. Beyond the poles' rows the last row is seen.

    Returns:
        uint8, height x width x 3, contiguous and writable.

    Raises:
        ValueError: which argument is wrong.
    """
    seen = np.empty((*_checked_size(size), 3), np.uint8)
    _look(panorama, heading, seen, fov, pitch, rotation, filter)
    return seen


def grid(
    panorama: Picture,
    heading: float,
    *,
    size: tuple[int, int] = (640, 640),
    fov: float = 90.0,
    pitch: float = 0.0,
    rotation: float = 0.0,
    filter: Filter = "bilinear",
    line: int = 4,
) -> Picture:
    """What is seen all around: the views to the front, right, back and left, in reading order.

    Args:
        panorama, heading, fov, pitch, rotation, filter: as of ``view``; the heading is that of the first view.
        size: height and width of one view.
        line: the width of the grey line between views, 0 to 4096 pixels.

    Returns:
        uint8, of ``grid_size(size, line)`` x 3, contiguous and writable.

    Raises:
        ValueError: which argument is wrong.
    """
    whole = np.empty((*grid_size(size, line), 3), np.uint8)
    height, width = _checked_size(size)
    whole[height : height + line] = whole[:, width : width + line] = LINE
    for number in range(len(GRID_ORDER)):
        top, left = (number // 2) * (height + line), (number % 2) * (width + line)
        part = whole[top : top + height, left : left + width]
        _look(panorama, _angle("heading", heading) + 90.0 * number, part, fov, pitch, rotation, filter)
    return whole


def grid_size(size: tuple[int, int] = (640, 640), line: int = 4) -> tuple[int, int]:
    """Height and width of a grid of views of ``size``."""
    height, width = _checked_size(size)
    if not _is_whole(line, 0):
        raise ValueError(f"line={line!r}: expected 0 to {MOST_SIDE} pixels")
    return 2 * height + line, 2 * width + line


@dataclass(frozen=True)
class _Maps:
    """Where the pixels of a view of ``height`` x ``width`` looking north lie in a panorama.

    They lie in a window of ``rows`` rows from ``top`` on and ``columns`` columns from ``left`` on.

    Attributes:
        along: columns from ``left`` on, in 65536ths: of each column of the view where it has no pitch, else each pixel.
        places: for each pixel the flat index of the start of its row in the window, or without pitch its own index in
            the window whose columns are already those of the view. Of the upper row, where two are blended.
        shares: for each pixel how much of the lower row it takes, in 256ths; empty for "nearest".
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


_MAPS = BoundedCache(MOST_MAP_BYTES)


def _maps(panorama: tuple[int, ...], size: tuple[int, ...], fov: float, pitch: float, is_blended: bool) -> _Maps:
    (height, width), (tall, wide) = size, panorama
    right, up = np.arange(width) + 0.5 - width / 2, height / 2 - 0.5 - np.arange(height)[:, None]
    ahead, tilt = width / 2 / np.tan(np.radians(fov / 2)), np.radians(pitch)
    level, up = ahead * np.cos(tilt) - up * np.sin(tilt), ahead * np.sin(tilt) + up * np.cos(tilt)
    if pitch == 0:
        level = np.array(ahead)
    middle = 0.5 if is_blended else 0.0
    x = np.arctan2(right, level) * (wide / 2 / np.pi) - middle
    y = (0.5 - np.arctan2(up, np.hypot(right, level)) / np.pi) * tall - middle
    along = np.rint(x * _ONE).astype(np.int64)
    down = np.rint(y.clip(0, tall - 1) * _ONE).astype(np.int64)
    row = np.minimum(down // _ONE, tall - 1 - is_blended)
    left, top = int(along.min()) // _ONE, int(row.min())
    along -= left * _ONE
    columns = int(along.max()) // _ONE + 2 + is_blended  # a shift by less than a pixel may carry over
    places = (row - top) * width + np.arange(width) if pitch == 0 else (row - top) * columns
    shares = _share(down - row * _ONE) if is_blended else np.empty(0, np.uint64)
    return _Maps(top, int(row.max()) - top + 1 + is_blended, left, columns, along, places.astype(np.intp), shares)


def _look(
    panorama: Picture, heading: float, out: Picture, fov: float, pitch: float, rotation: float, filter: Filter
) -> None:
    """Project into ``out``, uint8 of height x width x 3."""
    if not isinstance(panorama, np.ndarray) or panorama.dtype != np.uint8 or panorama.ndim != 3:
        raise ValueError(f"panorama={type(panorama).__name__}: expected an array of uint8, height x width x 3")
    if panorama.shape[2] != 3 or min(panorama.shape) < 2:
        raise ValueError(f"panorama has the shape {panorama.shape}: expected height x width x 3, at least 2 x 2")
    if filter not in FILTERS:
        raise ValueError(f"filter={filter!r}: expected one of {', '.join(FILTERS)}")
    fov, pitch, turned = _angle("fov", fov), _angle("pitch", pitch), _angle("heading", heading)
    if not (0 < fov <= WIDEST and -90 <= pitch <= 90):
        raise ValueError(f"fov={fov:g}, pitch={pitch:g}: expected above 0 to {WIDEST:g}, and -90 to 90 degrees")
    is_blended = filter == "bilinear"
    shape, size = panorama.shape[:2], out.shape[:2]
    maps = _MAPS.get((shape, size, fov, pitch, filter), lambda: _maps(shape, size, fov, pitch, is_blended))
    part = ((turned + _angle("rotation", rotation)) % 360.0) / 360.0
    column, shift = divmod(round(part * shape[1] * _ONE), _ONE)
    window = _window(panorama, maps, column)
    along = maps.along + shift
    seen = (_level if along.ndim == 1 else _tilted)(window, along, maps, is_blended)
    channels = seen.view("u1").reshape(*size, 8)
    for channel in range(3):
        out[..., channel] = channels[..., 2 * channel]


def _window(panorama: Picture, maps: _Maps, column: int) -> NDArray[np.uint64]:
    """The part of a panorama that is looked at from ``column`` on, a pixel in 64 bits: 16 for each channel."""
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
    """The pixels of a view without pitch: blended along the rows of the window first, then along its columns."""
    column = along // _ONE
    if not is_blended:
        return window.take(column, axis=1).ravel().take(maps.places)
    ready = _blended(window.take(column, axis=1), window.take(column + 1, axis=1), _share(along % _ONE))
    return _blended(ready.ravel().take(maps.places), ready[1:].ravel().take(maps.places), maps.shares)


def _tilted(window: NDArray[np.uint64], along: NDArray[np.int64], maps: _Maps, is_blended: bool) -> NDArray[np.uint64]:
    """The pixels of a view with pitch."""
    flat, places = window.ravel(), along // _ONE
    places += maps.places
    if not is_blended:
        return flat.take(places)
    share, below = _share(along % _ONE), maps.columns
    upper = _blended(flat.take(places), flat[1:].take(places), share)
    lower = _blended(flat[below:].take(places), flat[below + 1 :].take(places), share)
    return _blended(upper, lower, maps.shares)


def _share(part: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A part of a pixel, 0 to 65536, in 256ths."""
    return ((part + 128) >> 8).astype(np.uint64)


def _blended(first: NDArray[np.uint64], second: NDArray[np.uint64], share: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """``share`` 256ths of ``second`` and the rest of ``first``, rounded; both are overwritten.

    What a difference borrows from the next channel comes back with ``first``: only the sum must fit, and it does.
    """
    second -= first
    second *= share
    first <<= 8
    second += first
    second += 0x0080_0080_0080
    second >>= 8
    second &= 0x00FF_00FF_00FF
    return second


def _checked_size(size: tuple[int, int]) -> tuple[int, int]:
    if not isinstance(size, (tuple, list)) or len(size) != 2 or not all(_is_whole(side, 1) for side in size):
        raise ValueError(f"size={size!r}: expected height and width, each 1 to {MOST_SIDE} pixels")
    return int(size[0]), int(size[1])


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and least <= int(value) <= MOST_SIDE


def _angle(name: str, angle: float) -> float:
    if not isinstance(angle, Real) or not isfinite(angle):
        raise ValueError(f"{name}={angle!r}: expected degrees, a finite number")
    return float(angle)
