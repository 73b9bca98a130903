"""Wall pixels: the visible spans of walls are cut into pieces of one tile each, and all pieces are drawn at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from verienv.virl.pictures.streets.camera import EYE, Camera, Floats
from verienv.virl.pictures.streets.pixels import Pixels, blend
from verienv.virl.pictures.streets.visibility import Spans
from verienv.virl.pictures.streets.wall_textures import LEVELS, Elevation
from verienv.virl.pictures.streets.wall_tiles import TILE

Number = TypeVar("Number", bound=np.generic)
Longs = NDArray[np.int64]

_MOST_TILES = 64
"""Number of different tiles of one wall, at most."""

_TEXELS = 40.0
"""Texels of level 0 to a metre of a wall, about."""


@dataclass(frozen=True)
class _Pieces:
    """Parts of spans, one tile each.

    Attributes:
        span: the index of the span that a piece is part of.
        first, count: the first row of a piece, and its number of rows.
        start: the index, in all texels, of its lowest texel.
        tall: texels from its foot to its top.
        rise: texels from the foot to the height of the camera.
        climb: texels that a ray of the camera climbs for a slope of 1.
    """

    span: Longs
    first: Longs
    count: Longs
    start: Longs
    tall: Longs
    rise: Floats
    climb: Floats


def draw_walls(
    canvas: Pixels,
    camera: Camera,
    spans: Spans,
    elevation_of: Callable[[int], Elevation],
    haze: Floats,
    veil: Pixels,
) -> None:
    """Draw the visible spans of walls.

    Args:
        canvas: columns x rows, contiguous; drawn on.
        camera: the camera of the panorama.
        spans: the visible pieces of walls.
        elevation_of: returns the elevation of a wall by its index.
        haze: the share of the veil, 0 to 1, before each span.
        veil: the colour of what is far, one pixel.
    """
    if not len(spans.wall):
        return
    first = np.ceil(spans.top - 0.5).astype(np.int64).clip(0, camera.height)
    last = np.ceil(spans.bottom - 0.5).astype(np.int64).clip(first, camera.height)
    pieces, texels = _cut(camera, spans, first, last, elevation_of)
    is_clear = (haze < 1 / 64)[pieces.span]
    slopes, flat = camera.slopes, canvas.reshape(-1)
    for chosen in (np.flatnonzero(is_clear), np.flatnonzero(~is_clear)):
        length, span = pieces.count[chosen], pieces.span[chosen]
        row = np.arange(int(length.sum()), dtype=np.int32)
        row += np.repeat((pieces.first[chosen] - (np.cumsum(length) - length)).astype(np.int32), length)
        up = np.take(slopes, row)
        up *= np.repeat(-pieces.climb[chosen] * 256, length)
        up += np.repeat((pieces.rise[chosen] - 0.5) * 256, length)
        fine = up.astype(np.int32)  # 256ths of a texel above the middle of the lowest
        np.clip(fine, 0, np.repeat(((pieces.tall[chosen] - 1) * 256 - 1).astype(np.int32), length), out=fine)
        texel = (fine >> 8) + np.repeat(pieces.start[chosen].astype(np.int32), length)
        fine &= 255
        pixels = blend(np.take(texels, texel), np.take(texels[1:], texel), fine.view(np.uint32))
        if len(chosen) and not is_clear[chosen[0]]:
            pixels = blend(pixels, veil, np.repeat((haze[span] * 256).astype(np.uint32), length))
        row += np.repeat(spans.column[span] * np.int32(camera.height), length)
        flat[row] = pixels
    _smooth_tops(canvas, spans, first, last - first)


def _cut(
    camera: Camera, spans: Spans, first: Longs, last: Longs, elevation_of: Callable[[int], Elevation]
) -> tuple[_Pieces, Pixels]:
    """Cut spans into pieces that fill the rows from ``first`` to before ``last``; return these and all their texels."""
    shown, wall = np.unique(spans.wall, return_inverse=True)
    elevations = [elevation_of(int(index)) for index in shown]
    storeys, bays = np.array([elevation.plan.shape for elevation in elevations])[wall].T
    plans, plan_starts = _join([elevation.plan.ravel() for elevation in elevations])
    feet, feet_starts = _join([elevation.feet for elevation in elevations])
    bay = np.minimum((spans.across * bays).astype(np.int64), bays - 1)

    span = np.repeat(np.arange(len(wall)), storeys)
    storey = np.arange(len(span)) - np.repeat(np.cumsum(storeys) - storeys, storeys)
    foot_at = feet_starts[wall][span] + storey
    foot, head = feet[foot_at], feet[foot_at + 1]
    upper = np.ceil(camera.rows((EYE - head).astype(np.float32), spans.distance[span]) - 0.5).astype(np.int64)
    start = np.where(storey == storeys[span] - 1, first[span], np.clip(upper, first[span], last[span]))
    end = np.where(storey == 0, last[span], np.concatenate([[0], start[:-1]]))  # where the storey below begins
    kept = np.flatnonzero(end > start)
    span, storey, foot, head, start, end = (each[kept] for each in (span, storey, foot, head, start, end))

    texel = _TEXELS * spans.distance / camera.rows_per_radian  # of level 0 to a pixel, upwards
    level = np.log2(np.maximum(texel * np.maximum(1.0, 0.5 / spans.slant), 1.0)).astype(np.int64).clip(0, LEVELS - 1)
    tile = plans[(plan_starts[wall] + bay)[span] + storey * bays[span]]
    shown_tiles, which = np.unique((wall * LEVELS + level)[span] * _MOST_TILES + tile, return_inverse=True)
    tiles = [
        elevations[number // (LEVELS * _MOST_TILES)].tile_pixels(number % _MOST_TILES, number // _MOST_TILES % LEVELS)
        for number in shown_tiles.tolist()
    ]
    texels, starts = _join([pixels.reshape(-1) for pixels in tiles])
    tall = np.array([pixels.shape[1] for pixels in tiles])[which]
    columns = TILE >> level
    column = np.minimum(((spans.across * bays - bay) * columns).astype(np.int64), columns - 1)
    scale = tall / (head - foot)
    pieces = _Pieces(
        span=span,
        first=start,
        count=end - start,
        start=starts[which] + column[span] * tall,
        tall=tall,
        rise=((EYE - foot) * scale).astype(np.float32),
        climb=(spans.distance[span] * scale).astype(np.float32),
    )
    return pieces, texels


def _join(parts: Sequence[NDArray[Number]]) -> tuple[NDArray[Number], Longs]:
    """Join arrays into one; return it and the index at which each begins."""
    sizes = np.array([len(part) for part in parts])
    return np.concatenate(parts), np.cumsum(sizes) - sizes


def _smooth_tops(canvas: Pixels, spans: Spans, first: Longs, count: Longs) -> None:
    """Blend the row at the top of each span with the row above it, so that slanting edges show no stairs."""
    kept = np.flatnonzero((count > 1) & (first > 0))
    column, row = spans.column[kept], first[kept]
    excess = row - spans.top[kept]  # above 0: the span reaches into the row above
    over = (excess > 0).astype(np.int64)
    share = np.where(excess > 0, excess, 1 + excess)
    edge = row - over
    inner = canvas[column, edge + 1]
    outer = canvas[column, np.maximum(edge - 1, 0)]
    canvas[column, edge] = blend(outer, inner, (share * 256).astype(np.uint32).clip(0, 256))
