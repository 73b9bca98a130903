"""The table itself: felt, wood, stone, or a plain colour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from verienv.core.shown import shown
from verienv.generalpoints.pictures.colors import RGB, parse_color, rgb

_FELT, _WOOD, _STONE = (18, 84, 52), (134, 88, 48), (142, 142, 136)


def parse_background(background: Any) -> str:
    """The name of a texture, or a colour as "#rrggbb". Raises ValueError that says what is accepted."""
    known = background if isinstance(background, str) and background in TEXTURES else parse_color(background)
    if known is not None:
        return known
    raise ValueError(
        f"background={shown(background)}: expected {', '.join(TEXTURES)}, or a colour, '#rrggbb' or a name such as "
        "'navy'"
    )


Levels = NDArray[np.float64]
"""Height x width x 3, 0 to 255; what lies outside is clipped."""


def tabletop(background: str, height: int, width: int) -> NDArray[np.uint8]:
    """The bare table, height x width x 3. The same for the same arguments; it scales with ``height``."""
    if background in TEXTURES:
        levels = TEXTURES[background](height, width)
        return np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = rgb(background)
    return picture


def _felt(height: int, width: int) -> Levels:
    """Short fibres in five shades: few, so that pictures saved as PNG stay small."""
    return _toned(_FELT, 0.05 * np.clip(np.rint(_noise(height, width, 2, 2)), -2, 2))


def _wood(height: int, width: int) -> Levels:
    """Planks across the picture, each with its own tone and a grain along it."""
    unit = height / 336
    plank = np.minimum((np.arange(height) / (56 * unit)).astype(int), 7)
    tone = np.random.default_rng(2).normal(0, 0.06, 8)[plank][:, None]
    grain = 0.05 * _noise(height, width, 2 * unit, 60 * unit) + 0.02 * _noise(height, width, 1, 12 * unit)
    seam = np.diff(plank, prepend=plank[0])[:, None] != 0
    return _toned(_WOOD, tone + grain - 0.35 * seam)


def _stone(height: int, width: int) -> Levels:
    """Mottled grey."""
    unit = height / 336
    spots = 0.06 * _noise(height, width, 12 * unit, 12 * unit) + 0.04 * _noise(height, width, 2 * unit, 2 * unit)
    return _toned(_STONE, spots)


def _toned(color: RGB, tone: NDArray[np.float64]) -> Levels:
    """The colour, brighter or darker by ``tone``, a share of it."""
    return np.asarray(color) * (1 + tone[..., None])


def _noise(height: int, width: int, down: float, across: float) -> NDArray[np.float64]:
    """Smooth noise of variance near one, its grains ``down`` x ``across`` px."""
    rows, columns = max(2, round(height / max(1.0, down))), max(2, round(width / max(1.0, across)))
    grains = np.random.default_rng(1).standard_normal((rows, columns)).astype(np.float32)
    return np.asarray(Image.fromarray(grains).resize((width, height), Image.Resampling.BICUBIC), np.float64)


TEXTURES: dict[str, Callable[[int, int], Levels]] = {"felt": _felt, "wood": _wood, "stone": _stone}
"""By name, from height and width in px."""
