"""Weather in a finished panorama: haze before what is far, wet ground that mirrors, streaks of rain, flakes of snow."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from verienv.virl.pictures.streets.camera import EYE, Camera, Floats
from verienv.virl.pictures.streets.pixels import Pixels, blend, pack
from verienv.virl.pictures.streets.visibility import Spans
from verienv.virl.pictures.streets.visuals import StreetVisual

_HAZE = {"clear": (60.0, 420.0), "overcast": (50.0, 320.0), "rain": (40.0, 160.0), "fog": (6.0, 38.0)}
"""Metres that are clear, and metres beyond them after which 63% of the light is lost."""

_MIRROR = 0.34
"""Share of the mirrored picture on wet ground far away; none shows under the camera."""

_MIRROR_REACH = 2.2
"""Metres within which the ground does not mirror."""

_FLECKS = {"rain": 2600, "winter": 1700}
"""Number of streaks and of flakes in a panorama 2048 pixels wide."""


def haze(distance: ArrayLike, visual: StreetVisual) -> Floats:
    """Return the share of the veil before something at a distance in metres, 0 to 1."""
    clear, thick = _HAZE[visual.weather]
    beyond = np.maximum(np.asarray(distance, np.float32) - np.float32(clear), 0)
    return np.asarray(1 - np.exp(beyond * np.float32(-1 / thick)), np.float32)


def mirror_ground(canvas: Pixels, camera: Camera, spans: Spans) -> None:
    """Mirror on wet ground the picture above it, upside down.

    Args:
        canvas: columns x rows, finished; drawn on.
        camera: the camera of the panorama.
        spans: the visible walls; the ground ends at their feet.
    """
    middle = camera.height // 2
    slopes = camera.slopes[middle:]
    rows = int(np.searchsorted(slopes, EYE / _MIRROR_REACH))
    feet, away = np.full(camera.width, middle, np.float32), np.full(camera.width, 1e4, np.float32)
    columns, first = np.unique(spans.column, return_index=True)
    feet[columns], away[columns] = spans.bottom[first], spans.distance[first]
    # a ray that leaves the ground under the slope s meets the wall where the camera shows it under s - 2 EYE / distance
    mirrored = slopes[None, :rows] - (2 * EYE / away)[:, None]
    source = (middle - np.arctan(mirrored) * camera.rows_per_radian - 0.5).astype(np.int32).clip(0, camera.height - 1)
    fading = 1 - slopes[:rows] / slopes[rows - 1]
    is_ground = np.arange(middle, middle + rows)[None] >= feet[:, None] - 0.5
    share = (is_ground * (fading * (256 * _MIRROR)).astype(np.uint32)).astype(np.uint32)
    source += (np.arange(camera.width, dtype=np.int32) * camera.height)[:, None]
    ground = canvas[:, middle : middle + rows]
    canvas[:, middle : middle + rows] = blend(ground, np.take(canvas.reshape(-1), source), share)


def add_fall(canvas: Pixels, camera: Camera, visual: StreetVisual) -> None:
    """Draw streaks of rain, or flakes of snow where it is winter and not clear."""
    if visual.weather == "rain":
        places, share, kind = _flecks(camera, "rain"), 70, (205, 212, 220)
    elif visual.season == "winter" and visual.weather == "overcast":
        places, share, kind = _flecks(camera, "winter"), 170, (250, 251, 255)
    else:
        return
    if visual.time != "day":
        share //= 2
    flat = canvas.reshape(-1)
    flat[places] = blend(flat[places], pack(kind), np.full(len(places), share, np.uint32))


@lru_cache(maxsize=8)
def _flecks(camera: Camera, kind: str) -> NDArray[np.int64]:
    """Return the flat indexes of flecks in columns x rows, no pixel twice."""
    rng = np.random.default_rng(23)
    count = _FLECKS[kind] * camera.width * camera.height // (2048 * 1024)
    column = rng.integers(0, camera.width, count)
    row = rng.integers(camera.height // 8, camera.height * 3 // 4, count)
    long = np.maximum(2, rng.integers(6, 26, count) * camera.height // 1024)
    if kind == "winter":
        long = np.maximum(1, rng.integers(1, 4, count) * camera.height // 1024)
    index = np.repeat(np.arange(count), long)
    step = np.arange(len(index)) - np.repeat(np.cumsum(long) - long, long)
    wide = np.arange(1 if kind == "rain" else 2)
    x = (column[index] + step // (9 if kind == "rain" else 4))[:, None] + wide
    places = np.unique((x % camera.width) * camera.height + (row[index] + step)[:, None])
    places.setflags(write=False)
    return places
