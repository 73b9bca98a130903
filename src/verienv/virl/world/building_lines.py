"""Where houses can stand: the lines beside the streets of a city that are on no other street's road or pavement.

Within a few hundred metres the ground is flat: positions are metres east and north of a point nearby (``local``).
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from math import cos, radians

import numpy as np
from numpy.typing import NDArray

from verienv.virl.world.city import City, Street
from verienv.virl.world.geometry import EARTH_RADIUS, Point
from verienv.virl.world.runs import Array, Run, runs_of, samples_of

METRE = 1.0 / (radians(1.0) * EARTH_RADIUS)
"""Degrees of latitude."""

PAVEMENT = 3.0
"""Metres from the kerb to the fronts."""

WIDTHS = {"trunk": 14.0, "primary": 14.0, "secondary": 12.0, "tertiary": 10.0, "pedestrian": 7.0}
"""Metres from kerb to kerb of the kinds of streets that are not 8 m wide; a pedestrian street has no kerbs."""

LEAST_SPACE = 4.0
"""Metres that must be free behind a front."""

MOST_KEPT = 1024
"""Streets whose lines are kept."""

_WIDEST_LINE = max(WIDTHS.values()) / 2 + PAVEMENT
_CELL = 64.0  # metres
_AT_ONCE = 512  # points


def road_width(street: Street) -> float:
    """Metres from kerb to kerb, as streets of its kind have."""
    return WIDTHS.get(street.kind, 8.0)


def building_line(street: Street) -> float:
    """Metres from the street's centre line to the fronts."""
    return road_width(street) / 2 + PAVEMENT


def local(origin: Point, points: Array) -> Array:
    """Metres east and north of ``origin``, for points near it (across the date line too).

    Args:
        origin: latitude and longitude in degrees.
        points: n by 2, latitude and longitude in degrees.

    Returns:
        n by 2, metres.
    """
    east = (points[:, 1] - origin[1] + 180.0) % 360.0 - 180.0
    return np.stack([east * (cos(radians(origin[0])) / METRE), (points[:, 0] - origin[0]) / METRE], axis=1)


def position(origin: Point, east: float, north: float, *, digits: int = 7) -> Point:
    """The inverse of ``local``: latitude and longitude in degrees, rounded."""
    lng = origin[1] + east * METRE / cos(radians(origin[0]))
    return round(origin[0] + north * METRE, digits), round((lng + 180.0) % 360.0 - 180.0, digits)


class Facades:
    """The runs of fronts along the streets of a city."""

    def __init__(self, city: City) -> None:
        """Nothing is computed until asked."""
        self.city = city
        self._sides = lru_cache(maxsize=MOST_KEPT)(self._both)

    def runs(self, street: int, side: int) -> tuple[Run, ...]:
        """Where fronts can stand on one side of a street, from its first end on.

        Args:
            street: its index.
            side: +1 left, -1 right of the direction from the first end to the second.
        """
        return self._sides(street)[side]

    def _both(self, street: int) -> dict[int, tuple[Run, ...]]:
        line = self.city.streets[street]
        origin, off = line.points[0], building_line(line)
        base, normal, turn = samples_of(local(origin, np.array(line.points)), off)
        fronts = base[:, None] + normal[:, None] * np.array([[off], [-off]])
        backs = fronts + normal[:, None] * np.array([[LEAST_SPACE], [-LEAST_SPACE]])
        free = self.clearance(origin, np.concatenate([fronts, backs], axis=1).reshape(-1, 2)).reshape(-1, 4)
        runs = {}
        for column, side in enumerate((1, -1)):
            keep = turn != side  # on the inside of a bend the normals cross
            room = np.minimum(free[keep, column], free[keep, column + 2])
            runs[side] = tuple(runs_of(fronts[keep, column], normal[keep], room))
        return runs

    def clearance(self, origin: Point, points: Array, street: int = -1) -> Array:
        """Metres from each point to the nearest building line of any street, negative inside of it; at most about 20.

        Args:
            origin: of ``points``.
            points: n by 2, metres; those that follow one another near each other.
            street: one whose building line is taken to be half a metre nearer to it.
        """
        parts = (points[start : start + _AT_ONCE] for start in range(0, len(points), _AT_ONCE))
        return np.concatenate([self._clearance(origin, part, street) for part in parts])

    def _clearance(self, origin: Point, points: Array, street: int) -> Array:
        low, high = points.min(axis=0) - _WIDEST_LINE - 1.0, points.max(axis=0) + _WIDEST_LINE + 1.0
        found = self._segments(position(origin, *low.tolist()), position(origin, *high.tolist()))
        starts, ends = local(origin, self._starts[found]), local(origin, self._ends[found])
        near = ((np.minimum(starts, ends) <= high) & (np.maximum(starts, ends) >= low)).all(axis=1)
        away = _away(points, starts[near], ends[near])
        lines = self._lines[found[near]] - 0.5 * (self._owners[found[near]] == street)
        return np.asarray((away - lines).min(axis=1, initial=20.0))

    def streets_near(self, location: Point, radius: float) -> tuple[int, ...]:
        """The streets some part of whose centre line lies within ``radius`` metres, ascending."""
        found = self._segments(position(location, -radius, -radius), position(location, radius, radius))
        starts, ends = local(location, self._starts[found]), local(location, self._ends[found])
        within = _away(np.zeros((1, 2)), starts, ends)[0] <= radius
        return tuple(sorted(set(self._owners[found[within]].tolist())))

    def nodes_near(self, location: Point, radius: float) -> tuple[int, ...]:
        """The nodes within ``radius`` metres, ascending."""
        streets = (self.city.streets[street] for street in self.streets_near(location, radius + 1.0))
        nodes = np.array(sorted({node for street in streets for node in street.ends}), dtype=np.int64)
        places = np.array([self.city.nodes[node] for node in nodes]).reshape(-1, 2)
        return tuple(nodes[np.hypot(*local(location, places).T) <= radius].tolist())

    def _segments(self, low: Point, high: Point) -> NDArray[np.int64]:
        """The indexes of the segments near the box from south-west to north-east, ascending, and perhaps others."""
        first, last = self._cell(np.array([low, high]), spare=np.array([[-0.5], [0.5]]))
        cells = (
            self._cells.get((north, east))
            for north in range(first[0], last[0] + 1)
            for east in range(first[1], last[1] + 1)
        )
        found = [cell for cell in cells if cell is not None]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)

    def _cell(self, points: Array, spare: Array | float = 0.0) -> NDArray[np.int64]:
        """The cell of each point, moved by ``spare`` cells."""
        east = (points[:, 1] - self.city.nodes[0][1] + 180.0) % 360.0 - 180.0
        size = self._cell_size
        return np.floor(np.stack([points[:, 0] / size[0], east / size[1]], axis=1) + spare).astype(np.int64)

    @cached_property
    def _cell_size(self) -> tuple[float, float]:
        """Degrees of latitude and longitude of cells that are nowhere narrower than 64 m."""
        furthest = max(abs(latitude) for latitude, _ in self.city.nodes)
        return _CELL * METRE, _CELL * METRE / cos(radians(min(furthest + 0.5, 86.0)))

    @cached_property
    def _starts(self) -> Array:
        return np.array([point for street in self.city.streets for point in street.points[:-1]])

    @cached_property
    def _ends(self) -> Array:
        return np.array([point for street in self.city.streets for point in street.points[1:]])

    @cached_property
    def _owners(self) -> NDArray[np.int64]:
        return np.repeat(np.arange(len(self.city.streets)), [len(street.points) - 1 for street in self.city.streets])

    @cached_property
    def _lines(self) -> Array:
        """The building line of each segment's street."""
        return np.array([building_line(street) for street in self.city.streets])[self._owners]

    @cached_property
    def _cells(self) -> dict[tuple[int, int], NDArray[np.int64]]:
        """By cell the segments in it; each is entered at points half a cell apart."""
        steps = self._ends - self._starts
        steps[:, 1] = (steps[:, 1] + 180.0) % 360.0 - 180.0
        count = np.ceil(2 * np.abs(steps / self._cell_size).max(axis=1)).astype(np.int64) + 1
        owner = np.repeat(np.arange(len(count)), count)
        number = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        points = self._starts[owner] + steps[owner] * (number / np.maximum(count - 1, 1)[owner])[:, None]
        entries = np.unique(np.column_stack([self._cell(points), owner]), axis=0)
        bounds = np.flatnonzero((np.diff(entries[:, :2], axis=0) != 0).any(axis=1)) + 1
        return {(int(part[0, 0]), int(part[0, 1])): part[:, 2] for part in np.split(entries, bounds)}


def _away(points: Array, starts: Array, ends: Array) -> Array:
    """Metres from each point (row) to each segment (column)."""
    (east, north), ahead = starts.T, (ends - starts).T
    easts, norths = points[:, :1] - east, points[:, 1:] - north
    square = np.maximum(ahead[0] ** 2 + ahead[1] ** 2, 1e-12)
    share = np.clip((easts * ahead[0] + norths * ahead[1]) / square, 0.0, 1.0)
    return np.asarray(np.hypot(easts - share * ahead[0], norths - share * ahead[1]))
