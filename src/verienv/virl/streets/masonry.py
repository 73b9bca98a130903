"""Textures of walls: bays and storeys of tiles, in the colours of a building, as sharp as its distance asks.

A tile is kept as the share of each texel that each class of part covers, for each level of sharpness, so that colours
are chosen late and what is far is an average and never flickers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from verienv.virl.streets.pixels import Pixels, packed
from verienv.virl.streets.tiles import CLASSES, FINE, TILE, TILES, Sketch

LEVELS = 6
"""Levels of sharpness, 0 to 5."""


class Tile(NamedTuple):
    """A tile by its name, and which of the palettes of its wall colours it."""

    name: str
    palette: int


@lru_cache(maxsize=len(TILES) * LEVELS)
def _coverage(name: str, level: int) -> NDArray[np.float32]:
    """The share of each texel that each class covers: across, up from the foot, class."""
    height, draw = TILES[name]
    sketch = Sketch(height)
    draw(sketch)
    parts = np.asarray(sketch.image).T[:, ::-1]
    each = (parts[..., None] == np.arange(CLASSES)).astype(np.float32)
    step = FINE << level
    across, up = parts.shape[0] // step, parts.shape[1] // step
    return np.asarray(each.reshape(across, step, up, step, CLASSES).mean(axis=(1, 3)))


@lru_cache(maxsize=4 * LEVELS)
def _grain(level: int, height: int) -> NDArray[np.float32]:
    """How much lighter or darker plaster is from place to place, about 1; across, up, 1."""
    rng = np.random.default_rng(7)
    side = TILE >> level
    coarse = Image.fromarray(rng.normal(0, 1, (8, 8)).astype(np.float32)).resize((side, side), Image.Resampling.BICUBIC)
    fine = rng.normal(0, 1, (side, side)) / (1 << level)
    grain = (1 + 0.015 * np.asarray(coarse) + 0.018 * fine).astype(np.float32)
    return np.take(grain, np.arange(height) % side, axis=1)[..., None]


def _painted(name: str, palette: NDArray[np.float32], level: int) -> NDArray[np.float32]:
    """A tile in colours: across, up, RGB."""
    levels = _coverage(name, level) @ palette
    levels *= _grain(level, levels.shape[1])
    return levels


def wall_texture(rows: tuple[tuple[Tile, ...], ...], palettes: NDArray[np.float32], level: int) -> Pixels:
    """A wall, from its foot up.

    Args:
        rows: the tiles of each storey from left to right, the lowest storey first; as many in each, of one height.
        palettes: the colours, palettes x classes x RGB, 0 to 255.
        level: of sharpness, 0 to 5.

    Returns:
        Texels, across x up.
    """
    painted = {tile: packed(_painted(tile.name, palettes[tile.palette], level)) for tile in {*sum(rows, ())}}
    return np.concatenate([np.concatenate([painted[tile] for tile in row]) for row in rows], axis=1)
