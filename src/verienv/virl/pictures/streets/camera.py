"""The camera: the geometry of a panorama, and of the four views that are cut out of it.

A panorama is equirectangular, 360 x 180 degrees, columns clockwise from north. A view is square, 90 degrees wide,
without pitch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import cos, radians, sin, tan

import numpy as np
from numpy.typing import NDArray

EYE = 2.0
"""Metres of the camera above the ground."""

MARGIN = 0.7
"""Degrees by which writing keeps clear of the edges of a view: agents face along streets in whole degrees."""

_CLOSEST = 0.05  # metres
_EDGE = tan(radians(45.0 - MARGIN))  # half the width and height of a view, by the depth

Floats = NDArray[np.float32]
Wholes = NDArray[np.int32]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """The camera of a panorama.

    Attributes:
        height, width: the size of the panorama in pixels.
    """

    height: int
    width: int

    @property
    def rows_per_radian(self) -> float:
        """Rows to a radian of the elevation."""
        return self.height / np.pi

    @cached_property
    def headings(self) -> NDArray[np.float64]:
        """Radians clockwise from north of the centre of each column: width."""
        return np.asarray((np.arange(self.width) + 0.5) * (2 * np.pi / self.width), np.float64)

    @cached_property
    def directions(self) -> NDArray[np.float64]:
        """Unit vectors, east and north, of the centres of columns: width x 2."""
        return np.stack([np.sin(self.headings), np.cos(self.headings)], axis=1)

    @cached_property
    def slopes(self) -> Floats:
        """Metres down for each metre ahead, at the centre of each row: height."""
        return np.asarray(np.tan((np.arange(self.height) + 0.5) / self.rows_per_radian - np.pi / 2), np.float32)

    def column(self, heading: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the columns, in edges of pixels, of headings in radians; whole turns are left as they are."""
        return np.asarray(heading * (self.width / (2 * np.pi)))

    def rows(self, drop: float | Floats, distance: Floats) -> Floats:
        """Return the rows, in edges of pixels, of points ``drop`` metres below the camera at a distance in metres."""
        return np.asarray(np.arctan2(drop, distance) * self.rows_per_radian + self.height / 2, np.float32)


@lru_cache(maxsize=4)
def camera_of(height: int, width: int) -> Camera:
    """Return the camera of a size; all that follows from the size alone is computed once."""
    return Camera(height, width)


def intersect_columns(
    camera: Camera, left: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[Wholes, Wholes, Floats, Floats, Floats]:
    """Intersect the columns of a panorama with upright rectangles; one that turns its back to the camera meets none.

    Args:
        camera: the camera of the panorama.
        left, right: n x 2, the ends of each rectangle for a viewer before it, metres east and north of the camera.

    Returns:
        One entry for each column that meets a rectangle, by rectangle: its index, the column, the distance in metres,
        the share of its width at which the column meets it, and the cosine of the slant.
    """
    ahead = right - left
    width = np.maximum(np.hypot(*ahead.T), 1e-6)
    normal = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1) / width[:, None]
    depth = -np.einsum("ij,ij->i", normal, left)  # of the camera before the wall
    first = camera.column(np.arctan2(left[:, 0], left[:, 1]))
    turn = np.arctan2(left[:, 1] * right[:, 0] - left[:, 0] * right[:, 1], np.einsum("ij,ij->i", left, right))
    start = np.ceil(first - 0.5).astype(np.int64)
    count = np.ceil(first + camera.column(turn) - 0.5).astype(np.int64) - start
    count[(depth < _CLOSEST) | (turn <= 0)] = 0
    index = np.repeat(np.arange(len(left)), count)
    column = (start[index] + np.arange(len(index)) - (np.cumsum(count) - count)[index]) % camera.width
    ray = camera.directions[column]
    slant = np.maximum(-np.einsum("ij,ij->i", normal[index], ray), 1e-4)
    distance = depth[index] / slant
    along = np.einsum("ij,ij->i", ray * distance[:, None] - left[index], ahead[index])
    across = np.clip(along / (width * width)[index], 0.0, 1.0 - 1e-6)
    return (
        index.astype(np.int32), column.astype(np.int32), distance.astype(np.float32), across.astype(np.float32),
        slant.astype(np.float32),
    )  # fmt: skip


def is_in_one_view(left: Array, right: Array, rise: float, heading: float) -> bool:
    """Return whether an upright rectangle lies wholly in one of the four views around a heading.

    Args:
        left, right: the ends of the rectangle, metres east and north of the camera.
        rise: metres from the camera up to its upper edge; the lower edge is not below the camera.
        heading: the direction of the first view, in degrees clockwise from north.
    """
    ahead = np.array((sin(radians(heading)), cos(radians(heading))))
    ends = np.array((left, right))
    depth, aside = ends @ ahead, ends @ (ahead[1], -ahead[0])
    for _ in range(4):
        if max(rise, *abs(aside)) <= _EDGE * min(depth):
            return True
        depth, aside = aside, -depth
    return False
