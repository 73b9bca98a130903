"""Walls as they are seen from one point: which columns of the panorama each fills, and from where to where.

Walls stand upright on flat ground, so a column of the panorama meets each in one distance, and what hides a wall is
only what stands nearer in the same column: a stack of spans, each reaching higher than the nearer ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

EYE = 2.0
"""Metres of the camera above the ground."""

_CLOSEST = 0.05  # metres
_STACK = 4096.0  # more than the rows above the horizon

Floats = NDArray[np.float32]
Wholes = NDArray[np.int32]


@dataclass(frozen=True)
class Frame:
    """The panorama being drawn.

    Attributes:
        height, width: pixels.
    """

    height: int
    width: int

    @property
    def rows_per_radian(self) -> float:
        return self.height / np.pi

    @cached_property
    def headings(self) -> NDArray[np.float64]:
        """Radians of the centre of each column."""
        return np.asarray((np.arange(self.width) + 0.5) * (2 * np.pi / self.width), np.float64)

    @cached_property
    def sights(self) -> NDArray[np.float64]:
        """The unit vector, east and north, of the centre of each column."""
        return np.stack([np.sin(self.headings), np.cos(self.headings)], axis=1)

    @cached_property
    def slopes(self) -> Floats:
        """Metres down for each metre ahead, at the centre of each row."""
        return np.asarray(np.tan((np.arange(self.height) + 0.5) / self.rows_per_radian - np.pi / 2), np.float32)

    def column(self, heading: NDArray[np.float64]) -> NDArray[np.float64]:
        """Columns, in edges of pixels, of headings in radians; whole turns are left as they are."""
        return np.asarray(heading * (self.width / (2 * np.pi)))

    def rows(self, drop: float | Floats, distance: Floats) -> Floats:
        """Rows, in edges of pixels, of what is ``drop`` metres below the eye at a distance."""
        return np.asarray(np.arctan2(drop, distance) * self.rows_per_radian + self.height / 2, np.float32)


@lru_cache(maxsize=4)
def frame_of(height: int, width: int) -> Frame:
    """The panorama of a size; what follows from the size alone is computed once."""
    return Frame(height, width)


@dataclass(frozen=True)
class Walls:
    """Rectangles that stand on the ground, seen from their outer side.

    Attributes:
        left, right: n x 2, the feet of the ends as seen from outside, metres east and north of the camera.
        heights: n, metres.
        leads: n, metres by which each counts as nearer: of two walls in one place the one that is to be seen.
    """

    left: NDArray[np.float64]
    right: NDArray[np.float64]
    heights: NDArray[np.float64]
    leads: NDArray[np.float64]


@dataclass(frozen=True)
class Spans:
    """The visible pieces of walls, one column each, sorted by column and then from near to far.

    Attributes:
        column: of the panorama.
        wall: the index of the wall.
        distance: metres along the ground.
        across: the share of the wall's width at which the column meets it.
        slant: the cosine of the angle between the line of sight and the wall's normal.
        top, bottom: rows in edges of pixels; the first row drawn is ``ceil(top - 0.5)``.
    """

    column: Wholes
    wall: Wholes
    distance: Floats
    across: Floats
    slant: Floats
    top: Floats
    bottom: Floats


def meeting(
    frame: Frame, left: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[Wholes, Wholes, Floats, Floats, Floats]:
    """Where columns meet upright rectangles: index, column, distance, share across, cosine of the slant; by index.

    What turns its back to the camera meets none.

    Args:
        frame: the panorama.
        left, right: n x 2, metres, as of ``Walls``.
    """
    ahead = right - left
    width = np.maximum(np.hypot(*ahead.T), 1e-6)
    normal = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1) / width[:, None]
    depth = -np.einsum("ij,ij->i", normal, left)  # of the camera before the wall
    first = frame.column(np.arctan2(left[:, 0], left[:, 1]))
    turn = np.arctan2(left[:, 1] * right[:, 0] - left[:, 0] * right[:, 1], np.einsum("ij,ij->i", left, right))
    start = np.ceil(first - 0.5).astype(np.int64)
    count = np.ceil(first + frame.column(turn) - 0.5).astype(np.int64) - start
    count[(depth < _CLOSEST) | (turn <= 0)] = 0
    index = np.repeat(np.arange(len(left)), count)
    column = (start[index] + np.arange(len(index)) - (np.cumsum(count) - count)[index]) % frame.width
    sight = frame.sights[column]
    slant = np.maximum(-np.einsum("ij,ij->i", normal[index], sight), 1e-4)
    distance = depth[index] / slant
    along = np.einsum("ij,ij->i", sight * distance[:, None] - left[index], ahead[index])
    across = np.clip(along / (width * width)[index], 0.0, 1.0 - 1e-6)
    return (
        index.astype(np.int32), column.astype(np.int32), distance.astype(np.float32), across.astype(np.float32),
        slant.astype(np.float32),
    )  # fmt: skip


def visible_spans(frame: Frame, walls: Walls) -> Spans:
    """What is seen of walls, each hiding what stands farther and reaches less high."""
    wall, column, distance, across, slant = meeting(frame, walls.left, walls.right)
    order = np.argsort(column * 1e4 + (distance - walls.leads[wall]), kind="stable")
    wall, column = wall[order], column[order]
    distance, across, slant = distance[order], across[order], slant[order]
    top = frame.rows((EYE - walls.heights[wall]).astype(np.float32), distance).astype(np.float64)
    reach = column * _STACK + (frame.height / 2 - top)
    before = np.concatenate([[-1.0], np.maximum.accumulate(reach)[:-1]])[: len(reach)]
    is_seen = reach > before
    is_first = before < column * _STACK
    foot = frame.rows(EYE, distance)
    bottom = np.where(is_first, foot, frame.height / 2 - (before - column * _STACK))
    kept = np.flatnonzero(is_seen)
    floats = (each[kept].astype(np.float32) for each in (distance, across, slant, top, bottom))
    return Spans(column[kept], wall[kept], *floats)


class Cover:
    """What walls hide: for things that stand before or behind them."""

    def __init__(self, frame: Frame, spans: Spans) -> None:
        _, start = np.unique(spans.column, return_index=True)
        place = np.arange(len(spans.column)) - np.repeat(start, np.diff(np.append(start, len(spans.column))))
        deep = int(place.max()) + 1 if len(place) else 1
        self._distance = np.full((deep, frame.width), np.inf, np.float32)
        self._top = np.full((deep, frame.width), np.float32(frame.height), np.float32)
        self._distance[place, spans.column] = spans.distance
        self._top[place, spans.column] = spans.top

    def lowest_row(self, column: Wholes, distance: Floats) -> Floats:
        """The row (in edges) above which what stands at a distance in a column is not hidden by a nearer wall."""
        nearer = self._distance[:, column] < distance - 0.05
        tops: Floats = np.where(nearer, self._top[:, column], np.float32(1e6)).min(axis=0)
        return tops
