"""The camera over the table: a lamp at one side, the blur of the lens, the noise of the sensor.

Each works on a fresh picture (uint8, height x width x 3) by integers, or by single operations on floats that IEEE 754
rounds in one way, so that a picture is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import cos, erf, sin, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Wide = NDArray[np.uint16]

_STARTS, _STRETCH = 2**20, 2**19
"""The places of the block of noise where a picture's may begin, and the most levels that it gives in one piece."""

_BAND, _WIDE = 32, 2**18
"""Rows, and levels in 16 bits, that are worked on together: few enough for a core's own cache."""


def light_up(picture: Picture, light: float, towards: float) -> Picture:
    """Let brightness fall off linearly across the picture, from 1 to ``1 - light``, in place.

    Args:
        picture: what the lamp shines on; contiguous.
        light: how much darker the far side is, 0 to 1.
        towards: the direction of the far side in radians, from the right clockwise.
    """
    height, width = picture.shape[:2]
    fall = light / (abs(sin(towards)) + abs(cos(towards)))
    across = 1 - light / 2 - fall * cos(towards) * np.linspace(-0.5, 0.5, width)
    down = fall * sin(towards) * np.linspace(-0.5, 0.5, height)
    rows, later = picture.reshape(height, 3 * width), np.float32(fall * sin(towards) * _BAND / (height - 1))
    shade = np.repeat(across.astype(np.float32), 3) - down[:_BAND, None].astype(np.float32)
    levels = np.empty_like(shade)
    for top in range(0, height, _BAND):
        band = rows[top : top + _BAND]
        within = levels[: len(band)]
        np.copyto(within, band)
        within *= shade[: len(band)]
        np.rint(within, out=within)
        np.copyto(band, within, casting="unsafe")
        shade -= later
    return picture


def blur(picture: Picture, radius: float) -> Picture:
    """Spread each level over its neighbours, near to a Gaussian; what lies beyond an edge is as the edge is.

    The variance is that of the Gaussian. It is made up of kernels of three levels, ever farther apart, so that the time
    grows with the logarithm of the radius.

    Args:
        picture: what the lens is held over.
        radius: the standard deviation in px.
    """
    height, width = picture.shape[:2]
    for step, share in _steps(radius * radius):
        margin = 2 * step if share is None else step
        row = 3 * (width + 2 * margin)
        rows = max(_WIDE // row, 4 * margin)
        spread = np.empty_like(picture)
        for top in range(0, height, rows):
            bottom = min(height, top + rows)
            padded = _padded(picture, top, bottom, margin)
            levels = _spread_twice(padded, row, step) if share is None else _spread(padded, row, step, share)
            within = levels.reshape(-1, row)[: bottom - top, : 3 * width]
            np.copyto(spread[top:bottom].reshape(-1, 3 * width), within, casting="unsafe")
        picture = spread
    return picture


def _steps(variance: float) -> list[tuple[int, int | None]]:
    """The kernels whose variances add up to ``variance``: the distance of their levels in px, and the share of each
    outer level in 256ths, or None for (1, 4, 6, 4, 1) / 16, whose variance is the distance squared."""
    steps, step = list[tuple[int, int | None]](), 1
    while variance >= step * step:
        steps.append((step, None))
        variance -= step * step
        step *= 2
    halves = variance / (step * step)
    shares = [64, round(128 * (halves - 0.5))] if halves > 0.5 else [round(128 * halves)]
    return steps + [(step, share) for share in shares if share]


def _spread_twice(padded: Wide, row: int, step: int) -> Wide:
    """Apply (1, 4, 6, 4, 1) / 16 along rows and columns: sums of two neighbours, four times, which fit 16 bits."""
    levels, spare = padded, np.empty_like(padded)
    for apart in (3 * step,) * 4 + (row * step,) * 4:
        np.add(levels[:-apart], levels[apart:], out=spare[:-apart])
        levels, spare = spare, levels
    levels += 128
    levels >>= 8
    return levels


def _spread(padded: Wide, row: int, step: int, share: int) -> Wide:
    """Apply (share, 256 - 2 share, share) / 256 along rows and columns."""
    levels, spare = padded, np.empty_like(padded)
    for apart in (3 * step, row * step):
        np.add(levels[: -2 * apart], levels[2 * apart :], out=spare[: -2 * apart])
        spare *= share
        levels *= 256 - 2 * share
        spare[: -2 * apart] += levels[apart:-apart]
        spare += 128
        spare >>= 8
        levels, spare = spare, levels
    return levels


def _padded(picture: Picture, top: int, bottom: int, margin: int) -> Wide:
    """Rows of a picture in 16 bits, one level after another, with ``margin`` px more at each side.

    Beyond the picture they are those of its edge. On one long row numpy works several times as fast as on many short
    ones; sums that reach over the end of a row of px fall into the margin.
    """
    height, width = picture.shape[:2]
    padded = np.empty((bottom - top + 2 * margin, width + 2 * margin, 3), np.uint16)
    first, last = max(0, top - margin), min(height, bottom + margin)
    start = first - (top - margin)
    end = start + last - first
    padded[start:end, margin:-margin] = picture[first:last]
    padded[:start, margin:-margin] = picture[0]
    padded[end:, margin:-margin] = picture[-1]
    padded[:, :margin] = padded[:, margin, None]
    padded[:, -margin:] = padded[:, -margin - 1, None]
    return padded.reshape(-1)


def stretches(levels: int) -> int:
    """Return how many pieces of noise a picture with so many levels takes."""
    return -(-levels // _STRETCH)


def add_noise(picture: Picture, noise: float, starts: Sequence[float]) -> Picture:
    """Add Gaussian noise, independent in each level, and clip to 0 to 255, in place.

    The noise is drawn once, as a block longer than a picture, and each picture takes it from another place.

    Args:
        picture: what the sensor takes; contiguous.
        noise: the standard deviation in levels, above 0.
        starts: where in the block each of the picture's pieces (``stretches``) begins, from 0 to less than 1.
    """
    block, levels = _block(noise), picture.reshape(-1)
    for number, start in enumerate(starts):
        stretch, place = levels[number * _STRETCH : (number + 1) * _STRETCH], int(start * _STARTS)
        least, most, change = (part[place : place + len(stretch)] for part in block)
        np.maximum(stretch, least, out=stretch)  # from here on the sum stays within 0 to 255
        np.minimum(stretch, most, out=stretch)
        stretch += change
    return picture


class _Block(NamedTuple):
    """Noise, drawn once: the least and the most that a level may be for the sum to fit, and what to add, modulo 256."""

    least: NDArray[np.uint8]
    most: NDArray[np.uint8]
    change: NDArray[np.uint8]


@lru_cache(maxsize=8)
def _block(noise: float) -> _Block:
    """Draw by a table of 2**16 quantiles: integers alone, whatever the machine."""
    drawn = np.random.default_rng(0).integers(2**16, size=_STARTS + _STRETCH, dtype=np.uint16)
    change = _quantiles(noise)[drawn]
    least, most = np.maximum(-change, 0), 255 - np.maximum(change, 0)
    return _Block(least.astype(np.uint8), most.astype(np.uint8), change.astype(np.uint8))


def _quantiles(noise: float) -> NDArray[np.int16]:
    """The quantiles of the normal distribution, rounded to levels and clipped to 255 either way."""
    below = [0, *(round(2**15 * (1 + erf((level + 0.5) / (noise * sqrt(2))))) for level in range(-255, 255)), 2**16]
    return np.repeat(np.arange(-255, 256, dtype=np.int16), [most - least for least, most in pairwise(below)])
