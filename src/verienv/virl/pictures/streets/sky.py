"""The sky, from the horizon to the zenith, with a skyline far away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from verienv.core.bounded_cache import BoundedCache
from verienv.virl.pictures.streets.pixels import Pixels, pack
from verienv.virl.pictures.streets.visuals import StreetVisual

_ZENITH_HORIZON = {
    ("day", "clear"): ((62, 118, 190), (196, 216, 232)),
    ("day", "overcast"): ((168, 175, 184), (208, 212, 216)),
    ("day", "rain"): ((128, 135, 145), (172, 178, 184)),
    ("day", "fog"): ((186, 190, 194), (200, 203, 206)),
    ("dusk", "clear"): ((48, 58, 108), (240, 168, 112)),
    ("dusk", "overcast"): ((82, 82, 104), (170, 142, 136)),
    ("dusk", "rain"): ((66, 68, 86), (126, 112, 114)),
    ("dusk", "fog"): ((126, 118, 128), (150, 138, 140)),
    ("night", "clear"): ((8, 11, 26), (34, 38, 60)),
    ("night", "overcast"): ((24, 25, 32), (52, 50, 54)),
    ("night", "rain"): ((20, 22, 28), (44, 43, 48)),
    ("night", "fog"): ((46, 46, 52), (66, 64, 66)),
}
_CLOUDS = {
    ("day", "clear"): ((255, 255, 255), 0.68),
    ("day", "overcast"): ((150, 156, 165), 0.5),
    ("day", "rain"): ((92, 98, 108), 0.5),
    ("dusk", "clear"): ((250, 150, 120), 0.68),
    ("dusk", "overcast"): ((62, 60, 80), 0.5),
    ("dusk", "rain"): ((48, 48, 62), 0.5),
    ("night", "clear"): ((26, 30, 46), 0.68),
    ("night", "overcast"): ((14, 15, 20), 0.5),
    ("night", "rain"): ((12, 13, 18), 0.5),
}
"""Colour of clouds, and the share of the sky that is free of them."""

_SKIES = BoundedCache(64 * 2**20)

_FLAT = 0.12
"""Slope of the sky under which clouds end; they shrink towards the horizon."""


def veil_color(visual: StreetVisual) -> tuple[float, float, float]:
    """Return the colour of the veil, into which what is far fades: the sky at the horizon."""
    return _ZENITH_HORIZON[visual.time, visual.weather][1]


def sky(visual: StreetVisual, height: int, width: int, sun: float) -> Pixels:
    """Return the upper half of a panorama.

    Args:
        visual: the visual, whose time, weather and architecture count.
        height, width: the size of the whole panorama in pixels.
        sun: the direction of sun or moon, degrees clockwise from north.

    Returns:
        width x (height // 2), read-only.
    """
    key = (visual.time, visual.weather, visual.architecture_name, height, width, sun)
    return _SKIES.get(key, lambda: _sky(visual, height, width, sun))


def _sky(visual: StreetVisual, height: int, width: int, sun: float) -> Pixels:
    rows = height // 2
    up = (np.arange(rows, 0, -1) - 0.5) / rows  # 1 at the zenith
    zenith, horizon = (np.array(each, np.float64) for each in _ZENITH_HORIZON[visual.time, visual.weather])
    levels = np.repeat((zenith + (horizon - zenith) * np.exp(-3.2 * up)[:, None])[:, None], width, axis=1)
    heading = (np.arange(width) + 0.5) / width * 2 * np.pi - np.radians(sun)
    climb = up[:, None] * np.pi / 2
    if visual.time == "night" and visual.weather == "clear":
        _add_stars(levels, np.random.default_rng(11))
    if visual.weather == "clear":
        tilt = np.radians({"day": 48.0, "dusk": 4.0, "night": 38.0}[visual.time])
        near = np.sin(climb) * np.sin(tilt) + np.cos(climb) * np.cos(tilt) * np.cos(heading)
        _add_light(levels, near, visual.time)
    if (visual.time, visual.weather) in _CLOUDS:
        color, free = _CLOUDS[visual.time, visual.weather]
        cover = _clouds(climb, heading + np.radians(sun), free)[..., None]
        levels += (np.array(color) - levels) * cover
    _add_skyline(levels, up, visual, horizon)
    return np.ascontiguousarray(pack(levels).T)


def _add_light(levels: NDArray[np.float64], near: NDArray[np.float64], time: str) -> None:
    """Add sun or moon and the glow around it; ``near`` is the cosine of the angle to it."""
    if time == "night":
        levels += np.array((26, 28, 34)) * np.exp((near - 1)[..., None] * 90)
        levels[near > np.cos(np.radians(0.9))] = (236, 234, 220)
        return
    warm = np.array((255, 246, 220)) if time == "day" else np.array((255, 196, 120))
    glow = np.exp((near - 1) * (40 if time == "day" else 7))[..., None] * 0.8
    levels += (warm - levels) * glow
    levels[near > np.cos(np.radians(1.1))] = (255, 252, 240) if time == "day" else (255, 226, 170)


def _add_stars(levels: NDArray[np.float64], rng: np.random.Generator) -> None:
    rows, columns = levels.shape[:2]
    count = rows * columns // 900
    up = np.arcsin(rng.random(count))  # as dense everywhere on the sphere
    row = ((1 - up / (np.pi / 2)) * (rows - 1)).astype(int)
    column = rng.integers(0, columns, count)
    levels[row, column] += (rng.random(count) ** 3 * 200)[:, None]


def _clouds(climb: NDArray[np.float64], heading: NDArray[np.float64], free: float) -> NDArray[np.float64]:
    """Return the share of each pixel that clouds cover, 0 to 1: noise on a plane high above, so without a seam."""
    reach = 1 / (np.tan(np.clip(climb, 0.001, 1.55)) + _FLAT)
    east, north = reach * np.sin(heading)[None], reach * np.cos(heading)[None]
    rng = np.random.default_rng(5)
    noise = np.zeros(east.shape)
    for octave, weight in ((0.5, 0.5), (1.3, 0.28), (3.1, 0.14), (7.0, 0.08)):
        noise += weight * _smooth(rng.random((32, 32)), north * octave, east * octave)
    thick = np.clip((noise - free * 0.82) * 6, 0, 1)
    return thick * np.clip(climb / 0.12, 0, 1) * 0.9


def _smooth(grid: NDArray[np.float64], y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interpolate smoothly between the values of a grid that repeats."""
    row, column = np.floor(y).astype(int), np.floor(x).astype(int)
    down, right = y - row, x - column
    down, right = down * down * (3 - 2 * down), right * right * (3 - 2 * right)
    rows, columns = grid.shape
    upper, lower = row % rows, (row + 1) % rows
    near, far = column % columns, (column + 1) % columns
    above = grid[upper, near] * (1 - right) + grid[upper, far] * right
    below = grid[lower, near] * (1 - right) + grid[lower, far] * right
    mix: NDArray[np.float64] = above + (below - above) * down
    return mix


def _add_skyline(
    levels: NDArray[np.float64], up: NDArray[np.float64], visual: StreetVisual, veil: NDArray[np.float64]
) -> None:
    """Add roofs beyond the last building that is drawn: one step of haze from the sky."""
    if visual.weather == "fog":
        return
    rng = np.random.default_rng([3, len(visual.architecture_name)])
    columns = levels.shape[1]
    tall = {"astana": 5.0, "helsinki": 3.0}.get(visual.architecture_name, 2.4)
    for depth, strength in ((1.0, 0.3), (0.6, 0.5)):
        count = 260
        roofs = (0.35 + 0.65 * rng.random(count) ** 2) * tall * depth
        top = np.interp(np.arange(columns) / columns * count, np.arange(count), roofs, period=count)
        top = roofs[(np.arange(columns) * count // columns) % count]
        inside = up[:, None] * 90 < top[None]
        levels[inside] += (veil * (0.62 if visual.time != "night" else 0.5) - levels[inside]) * strength
