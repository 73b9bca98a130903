"""Visibility: the columns of a panorama in which each wall shows, and the rows that it fills there.

Walls stand upright on flat ground, so a column of the panorama meets each in one distance, and only walls that stand
nearer in the same column can hide it: a stack of spans, each reaching higher than the nearer ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verienv.virl.pictures.streets.camera import EYE, Camera, Floats, Wholes, intersect_columns

_STACK = 4096.0  # more than the rows above the horizon


@dataclass(frozen=True)
class Walls:
    """Rectangles that stand on the ground and show on their outer side.

    Attributes:
        left, right: n x 2, the feet of the ends for a viewer outside, metres east and north of the camera.
        heights: n, metres.
        leads: n, metres by which each counts as nearer: of two walls in one place the one that shows.
    """

    left: NDArray[np.float64]
    right: NDArray[np.float64]
    heights: NDArray[np.float64]
    leads: NDArray[np.float64]


@dataclass(frozen=True)
class Spans:
    """The visible pieces of walls, one column each, sorted by column and then from near to far.

    Attributes:
        column: the column of the panorama.
        wall: the index of the wall.
        distance: metres along the ground.
        across: the share of the wall's width at which the column meets it.
        slant: the cosine of the angle between the ray from the camera and the wall's normal.
        top, bottom: rows in edges of pixels; the first row drawn is ``ceil(top - 0.5)``.
    """

    column: Wholes
    wall: Wholes
    distance: Floats
    across: Floats
    slant: Floats
    top: Floats
    bottom: Floats


def visible_spans(camera: Camera, walls: Walls) -> Spans:
    """Return the visible pieces of walls; a wall hides walls that stand farther and reach less high."""
    wall, column, distance, across, slant = intersect_columns(camera, walls.left, walls.right)
    order = np.argsort(column * 1e4 + (distance - walls.leads[wall]), kind="stable")
    wall, column = wall[order], column[order]
    distance, across, slant = distance[order], across[order], slant[order]
    top = camera.rows((EYE - walls.heights[wall]).astype(np.float32), distance).astype(np.float64)
    reach = column * _STACK + (camera.height / 2 - top)
    before = np.concatenate([[-1.0], np.maximum.accumulate(reach)[:-1]])[: len(reach)]
    is_visible = reach > before
    is_first = before < column * _STACK
    foot = camera.rows(EYE, distance)
    bottom = np.where(is_first, foot, camera.height / 2 - (before - column * _STACK))
    kept = np.flatnonzero(is_visible)
    floats = (each[kept].astype(np.float32) for each in (distance, across, slant, top, bottom))
    return Spans(column[kept], wall[kept], *floats)


class Cover:
    """The rows of a panorama that walls hide, for billboards before and behind the walls."""

    def __init__(self, camera: Camera, spans: Spans) -> None:
        _, start = np.unique(spans.column, return_index=True)
        place = np.arange(len(spans.column)) - np.repeat(start, np.diff(np.append(start, len(spans.column))))
        deep = int(place.max()) + 1 if len(place) else 1
        self._distance = np.full((deep, camera.width), np.inf, np.float32)
        self._top = np.full((deep, camera.width), np.float32(camera.height), np.float32)
        self._distance[place, spans.column] = spans.distance
        self._top[place, spans.column] = spans.top

    def lowest_row(self, column: Wholes, distance: Floats) -> Floats:
        """Return the rows, in edges of pixels, above which no nearer wall hides something at a distance in a column."""
        nearer = self._distance[:, column] < distance - 0.05
        tops: Floats = np.where(nearer, self._top[:, column], np.float32(1e6)).min(axis=0)
        return tops
