"""Street networks as points and numbers: connected components, and the street nearest to a position."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import cos, radians

import numpy as np

from verienv.virl.world.geometry import EARTH_RADIUS, Point


def largest_component(nodes: int, ends: Iterable[tuple[int, int]]) -> list[int]:
    """Return the indexes, ascending, of the largest set of nodes that streets join; of equal ones the first.

    Args:
        nodes: the number of nodes.
        ends: the two nodes of each street.
    """
    root = list(range(nodes))

    def find(node: int) -> int:
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for first, second in ends:
        low, high = sorted((find(first), find(second)))
        root[high] = low
    members: dict[int, list[int]] = {}
    for node in range(nodes):
        members.setdefault(find(node), []).append(node)
    return max(members.values(), key=len, default=[])


class NearestStreet:
    """Finds the street nearest to a position; built once for many positions, exact to centimetres within a city."""

    def __init__(self, streets: Sequence[Sequence[Point]]) -> None:
        """Build the index.

        Args:
            streets: the points of each street, at least two, latitude and longitude in degrees.
        """
        self._origin = streets[0][0]
        metre = radians(1.0) * EARTH_RADIUS
        self._scale = np.array([metre, metre * cos(radians(self._origin[0]))])
        starts, vectors, owners, before = [], [], [], []
        for index, points in enumerate(streets):
            flat = self._flat(np.array(points))
            steps = np.diff(flat, axis=0)
            starts.append(flat[:-1])
            vectors.append(steps)
            owners.append(np.full(len(steps), index))
            before.append(np.cumsum(np.r_[0.0, np.hypot(*steps.T)])[:-1])
        self._starts, self._vectors = np.concatenate(starts), np.concatenate(vectors)
        self._owners, self._before = np.concatenate(owners), np.concatenate(before)
        self._lengths = np.hypot(*self._vectors.T)

    def __call__(self, location: Point) -> tuple[int, float, float]:
        """Return the street's index, the metres along it to the foot point, and those from there to ``location``."""
        offsets = self._flat(np.array(location)) - self._starts
        squares = np.maximum(self._lengths**2, 1e-12)
        shares = np.clip((offsets * self._vectors).sum(axis=1) / squares, 0.0, 1.0)
        away = np.hypot(*(offsets - shares[:, None] * self._vectors).T)
        best = int(np.argmin(away))
        along = float(self._before[best] + shares[best] * self._lengths[best])
        return int(self._owners[best]), along, float(away[best])

    def _flat(self, points: np.ndarray) -> np.ndarray:
        """Convert degrees to metres north and east of the origin."""
        offsets = points - np.array(self._origin)
        offsets[..., 1] = (offsets[..., 1] + 180.0) % 360.0 - 180.0
        return np.asarray(offsets * self._scale)
