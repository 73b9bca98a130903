"""Wall textures: elevations, which are rows of tiles, one to each bay of a storey; and the pixels of tiles.

A tile is kept as the share of each texel that each class of part covers, for each level of sharpness, so that colours
are chosen late, and far walls are averages and never flicker. Houses of one colour share the pixels of their tiles.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from verienv.core.bounded_cache import BoundedCache
from verienv.virl.pictures.streets.pixels import Pixels
from verienv.virl.pictures.streets.wall_tiles import CLASSES, FINE, TILE, TILES, Sketch

LEVELS = 6
"""Number of levels of sharpness, 0 to 5."""

_WHOLE = 1024
"""A share of 1. Shares and colours are whole numbers, so that sums are exact on any machine."""

_TILES = BoundedCache(96 * 2**20)


class Tile(NamedTuple):
    """A tile by its name, and the palette of its wall that colours it, by number."""

    name: str
    palette: int


class Elevation(NamedTuple):
    """The elevation of one wall.

    Attributes:
        tiles: the different tiles of the wall.
        plan: storeys x bays, from the foot up and from left to right, the index of a tile each.
        feet: metres from the ground to the foot of each storey, and to the top: storeys + 1.
        palettes: palettes x classes x RGB, whole numbers 0 to 255.
    """

    tiles: tuple[Tile, ...]
    plan: NDArray[np.int64]
    feet: NDArray[np.float64]
    palettes: NDArray[np.float32]

    @classmethod
    def of(cls, rows: tuple[tuple[Tile, ...], ...], texels_to_metre: float, palettes: NDArray[np.float32]) -> Elevation:
        """Make the elevation of rows of tiles.

        Args:
            rows: from the lowest up, as many tiles in each; those of one row have one height.
            texels_to_metre: texels of level 0 to a metre.
            palettes: palettes x classes x RGB.
        """
        tiles = tuple(dict.fromkeys(sum(rows, ())))
        index = {tile: number for number, tile in enumerate(tiles)}
        plan = np.array([[index[tile] for tile in row] for row in rows])
        feet = np.cumsum([0, *(TILES[row[0].name][0] for row in rows)]) / texels_to_metre
        return cls(tiles, plan, feet, palettes)

    def tile_pixels(self, tile: int, level: int) -> Pixels:
        """Return the pixels of a tile at a level of sharpness, 0 to 5: across x up from the foot; read-only."""
        name, palette = self.tiles[tile]
        parts, shares = _coverage(name, level)
        colors = self.palettes[palette, parts]
        return _TILES.get((name, level, colors.tobytes()), lambda: _paint(shares, colors))


@lru_cache(maxsize=len(TILES) * LEVELS)
def _coverage(name: str, level: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the classes of a tile, and the share of each texel that each class covers, with a last column of 1.

    Shares are 1024ths, a little more or less from place to place as plaster is: across x up x (classes + 1).
    """
    height, draw = TILES[name]
    sketch = Sketch(height)
    draw(sketch)
    drawn = np.asarray(sketch.image).T[:, ::-1]
    parts = np.flatnonzero(np.bincount(drawn.ravel(), minlength=CLASSES))
    step = FINE << level
    across, up = drawn.shape[0] // step, drawn.shape[1] // step
    each = (drawn[..., None] == parts).reshape(across, step, up, step, len(parts)).mean(axis=(1, 3))
    shares = np.ones((across, up, len(parts) + 1), np.float32)
    shares[..., :-1] = np.rint(each * _grain(level, up) * _WHOLE)
    return parts, shares


@lru_cache(maxsize=4 * LEVELS)
def _grain(level: int, height: int) -> NDArray[np.float32]:
    """Return the factor, about 1, by which plaster is lighter or darker from texel to texel: across x up x 1."""
    rng = np.random.default_rng(7)
    side = TILE >> level
    coarse = Image.fromarray(rng.normal(0, 1, (8, 8)).astype(np.float32)).resize((side, side), Image.Resampling.BICUBIC)
    fine = rng.normal(0, 1, (side, side)) / (1 << level)
    grain = (1 + 0.015 * np.asarray(coarse) + 0.018 * fine).astype(np.float32)
    return np.take(grain, np.arange(height) % side, axis=1)[..., None]


def _paint(shares: NDArray[np.float32], colors: NDArray[np.float32]) -> Pixels:
    """Colour a tile: across x up."""
    table = np.zeros((len(colors) + 1, 4), np.float32)
    table[:-1, :3] = colors
    table[-1] = _WHOLE / 2, _WHOLE / 2, _WHOLE / 2, 255 * _WHOLE  # rounds, and is opaque
    levels = shares.reshape(-1, len(table)) @ table
    levels /= _WHOLE
    np.minimum(levels, 255, out=levels)
    pixels: Pixels = levels.astype(np.uint8).view(np.uint32).reshape(shares.shape[:2])
    return pixels
