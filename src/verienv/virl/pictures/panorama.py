"""Views cut out of a panorama: one in a heading, or a grid of the four around.

A panorama is equirectangular, uint8 RGB of height x width x 3, 360 x 180 degrees: the compass heading h is at the
column ((h + rotation) mod 360) / 360 * width, counted in edges of pixels (the centre of column c is at c + 0.5), the
horizon in the middle of the height. A view is a pinhole projection. Sizes are (height, width) in pixels.

numpy gives the same pixels wherever it runs: within 2 grey levels of those blended exactly, and within 1 where
neighbouring pixels differ by at most 100. OpenCV is faster, and what it gives depends on its version: within 10 grey
levels of numpy, and within 2 where neighbouring pixels differ by at most 20. A nearest pixel is the same, or a
neighbour where the edge between both is less than a 1000th of a pixel away.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import isfinite
from numbers import Real
from typing import Literal, get_args

import numpy as np

from verienv.core.shown import shown
from verienv.virl.pictures import projection
from verienv.virl.pictures.projection import ONE, Lens, Picture

Filter = Literal["nearest", "bilinear"]
FILTERS: tuple[Filter, ...] = get_args(Filter)

Engine = Literal["numpy", "opencv", "auto"]
ENGINES: tuple[Engine, ...] = get_args(Engine)

GRID_ORDER = ("front", "right", "back", "left")
"""The views of a grid, in reading order."""

LINE = 128
"""Grey level of the line between the views of a grid."""

MOST_SIDE = 4096
"""Pixels along a side of a view, at most."""

WIDEST = 170.0
"""Degrees of a view's field, at most."""


def view(
    panorama: Picture,
    heading: float,
    *,
    size: tuple[int, int] = (640, 640),
    fov: float = 90.0,
    pitch: float = 0.0,
    rotation: float = 0.0,
    filter: Filter = "bilinear",
    engine: Engine = "auto",
) -> Picture:
    """Project the view in one heading.

    Args:
        panorama: uint8, height x width x 3, at least 2 x 2.
        heading: the direction of the middle of the view, in degrees clockwise from north.
        size: height and width of the view, each 1 to 4096.
        fov: the horizontal field of view, above 0 and at most 170 degrees; pixels are square.
        pitch: degrees by which the middle of the view looks up, -90 to 90.
        rotation: degrees by which the panorama is turned.
        filter: "nearest" takes the nearest pixel, "bilinear" blends four. Beyond the poles' rows it is the last row.
        engine: the library that looks pixels up: "auto" is OpenCV where it can be imported, else numpy; "opencv", which
            on one thread is 1.5 times as fast, and with pitch 2.5 times ("nearest") or 3.5 times; or "numpy".

    Returns:
        uint8, height x width x 3, contiguous and writable.

    Raises:
        ValueError: names the argument that is wrong.
        ImportError: OpenCV is asked for and cannot be imported.
    """
    picture = np.empty((*_check_size(size), 3), np.uint8)
    _project(panorama, heading, picture, fov, pitch, rotation, filter, engine)
    return picture


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
    engine: Engine = "auto",
) -> Picture:
    """Project the views to the front, right, back and left, in reading order, as one picture.

    Args:
        panorama, heading, fov, pitch, rotation, filter, engine: arguments of ``view``; the heading is the first view's.
        size: height and width of one view in pixels.
        line: the width of the grey line between views, 0 to 4096 pixels.

    Returns:
        uint8, of ``grid_size(size, line)`` x 3, contiguous and writable.

    Raises:
        ValueError, ImportError: as ``view``.
    """
    whole = np.empty((*grid_size(size, line), 3), np.uint8)
    height, width = _check_size(size)
    whole[height : height + line] = whole[:, width : width + line] = LINE
    for number in range(len(GRID_ORDER)):
        top, left = (number // 2) * (height + line), (number % 2) * (width + line)
        part = whole[top : top + height, left : left + width]
        _project(panorama, _angle("heading", heading) + 90.0 * number, part, fov, pitch, rotation, filter, engine)
    return whole


def grid_size(size: tuple[int, int] = (640, 640), line: int = 4) -> tuple[int, int]:
    """Return height and width in pixels of a grid of views of ``size``."""
    height, width = _check_size(size)
    if not _is_whole(line, 0):
        raise ValueError(f"line={shown(line)}: expected 0 to {MOST_SIDE} pixels")
    return 2 * height + line, 2 * width + line


@lru_cache
def projector(engine: Engine) -> Callable[[Picture, Lens, int, bool, Picture], None]:
    """Return the function of an engine that does what ``projection.project`` does. Raises ImportError as ``view``."""
    if engine == "numpy":
        return projection.project
    try:
        from verienv.virl.pictures import projection_opencv
    except ImportError as error:
        if engine == "auto":
            return projection.project
        raise ImportError(f"engine='opencv' needs OpenCV ({error}): pip install \"verienv[opencv]\"") from None
    return projection_opencv.project


def _project(
    panorama: Picture,
    heading: float,
    out: Picture,
    fov: float,
    pitch: float,
    rotation: float,
    filter: Filter,
    engine: Engine,
) -> None:
    """Project into ``out``, uint8 of height x width x 3."""
    if not isinstance(panorama, np.ndarray) or panorama.dtype != np.uint8 or panorama.ndim != 3:
        raise ValueError(f"panorama={type(panorama).__name__}: expected an array of uint8, height x width x 3")
    if panorama.shape[2] != 3 or min(panorama.shape) < 2:
        raise ValueError(f"panorama has the shape {panorama.shape}: expected height x width x 3, at least 2 x 2")
    if filter not in FILTERS:
        raise ValueError(f"filter={shown(filter)}: expected one of {', '.join(FILTERS)}")
    if engine not in ENGINES:
        raise ValueError(f"engine={shown(engine)}: expected one of {', '.join(ENGINES)}")
    fov, pitch, angle = _angle("fov", fov), _angle("pitch", pitch), _angle("heading", heading)
    if not (0 < fov <= WIDEST and -90 <= pitch <= 90):
        raise ValueError(f"fov={fov:g}, pitch={pitch:g}: expected above 0 to {WIDEST:g}, and -90 to 90 degrees")
    (tall, wide), (height, width) = panorama.shape[:2], out.shape[:2]
    part = ((angle + _angle("rotation", rotation)) % 360.0) / 360.0
    lens = Lens((tall, wide), (height, width), fov, pitch)
    projector(engine)(panorama, lens, round(part * wide * ONE), filter == "bilinear", out)


def _check_size(size: tuple[int, int]) -> tuple[int, int]:
    if not isinstance(size, (tuple, list)) or len(size) != 2 or not all(_is_whole(side, 1) for side in size):
        raise ValueError(f"size={shown(size)}: expected height and width, each 1 to {MOST_SIDE} pixels")
    return int(size[0]), int(size[1])


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and least <= int(value) <= MOST_SIDE


def _angle(name: str, angle: float) -> float:
    if not isinstance(angle, Real) or not isfinite(angle):
        raise ValueError(f"{name}={shown(angle)}: expected degrees, a finite number")
    return float(angle)
