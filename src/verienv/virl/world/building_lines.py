"""Building lines: where the fronts of houses can stand beside streets, cut at other streets and at sharp corners."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from math import ceil, cos, floor, radians

import numpy as np
from numpy.typing import NDArray

from verienv.virl.world.city import City, Street
from verienv.virl.world.geometry import METRE, Array, Point, from_local, segment_distances, to_local

PAVEMENT = 3.0
"""Metres from the kerb to the fronts."""

WIDTHS = {"trunk": 14.0, "primary": 14.0, "secondary": 12.0, "tertiary": 10.0, "pedestrian": 7.0}
"""Metres from kerb to kerb of each kind of street that is not 8 m wide; a pedestrian street has no kerbs."""

LEAST_SPACE = 4.0
"""Metres of free ground that a front needs behind it."""

MOST_KEPT = 1024
"""Number of streets whose lines are kept."""

_WIDEST_LINE = max(WIDTHS.values()) / 2 + PAVEMENT
_CELL = 64.0  # metres
_AT_ONCE = 512  # points

SHORTEST_LINE = 4.0
"""Metres of a building line; no front is narrower."""

_OFF = 0.3  # metres by which a lot may leave its line at a bend
_TOLERANCE = 0.05  # metres
_JOINED = 2.5  # metres between two ends that are one line: the inside of a bend
_SHARP = 25.0  # degrees within 4 m, the corner of two lines


def road_width(street: Street) -> float:
    """Return the metres from kerb to kerb of a street of this kind."""
    return WIDTHS.get(street.kind, 8.0)


def building_line_offset(street: Street) -> float:
    """Return the metres from the street's centre line to its building lines."""
    return road_width(street) / 2 + PAVEMENT


class BuildingLines:
    """A spatial index of the streets of a city and of their building lines."""

    def __init__(self, city: City) -> None:
        """Store the city; all else is computed when it is first asked for."""
        self.city = city
        self._sides = lru_cache(maxsize=MOST_KEPT)(self._both)

    def of_street(self, street: int, side: int) -> tuple[BuildingLine, ...]:
        """Return the building lines on one side of a street, from its first end on.

        Args:
            street: the index of the street.
            side: +1 left, -1 right of the direction from the first end to the second.
        """
        return self._sides(street)[side]

    def _both(self, street: int) -> dict[int, tuple[BuildingLine, ...]]:
        line = self.city.streets[street]
        origin, off = line.points[0], building_line_offset(line)
        base, normal, turn = _sample_beside(to_local(origin, np.array(line.points)), off)
        fronts = base[:, None] + normal[:, None] * np.array([[off], [-off]])
        backs = fronts + normal[:, None] * np.array([[LEAST_SPACE], [-LEAST_SPACE]])
        free = self.clearance(origin, np.concatenate([fronts, backs], axis=1).reshape(-1, 2)).reshape(-1, 4)
        lines = {}
        for column, side in enumerate((1, -1)):
            keep = turn != side  # on the inside of a bend the normals cross
            room = np.minimum(free[keep, column], free[keep, column + 2])
            lines[side] = tuple(_cut(fronts[keep, column], normal[keep], room))
        return lines

    def clearance(self, origin: Point, points: Array, street: int = -1) -> Array:
        """Return the metres from each point to the nearest building line of any street.

        The distance is negative between a building line and its street, and at most about 20.

        Args:
            origin: the position that ``points`` are measured from.
            points: n x 2, metres east and north; successive points should lie near each other.
            street: the index of a street whose building line counts as half a metre nearer to it.
        """
        parts = (points[start : start + _AT_ONCE] for start in range(0, len(points), _AT_ONCE))
        return np.concatenate([self._clearance(origin, part, street) for part in parts])

    def _clearance(self, origin: Point, points: Array, street: int) -> Array:
        low, high = points.min(axis=0) - _WIDEST_LINE - 1.0, points.max(axis=0) + _WIDEST_LINE + 1.0
        found = self._segments(from_local(origin, *low.tolist()), from_local(origin, *high.tolist()))
        starts, ends = to_local(origin, self._starts[found]), to_local(origin, self._ends[found])
        near = ((np.minimum(starts, ends) <= high) & (np.maximum(starts, ends) >= low)).all(axis=1)
        away = segment_distances(points, starts[near], ends[near])
        lines = self._lines[found[near]] - 0.5 * (self._owners[found[near]] == street)
        return np.asarray((away - lines).min(axis=1, initial=20.0))

    def streets_near(self, location: Point, radius: float) -> tuple[int, ...]:
        """Return the streets, ascending, some part of whose centre line lies within ``radius`` metres."""
        found = self._segments(from_local(location, -radius, -radius), from_local(location, radius, radius))
        starts, ends = to_local(location, self._starts[found]), to_local(location, self._ends[found])
        within = segment_distances(np.zeros((1, 2)), starts, ends)[0] <= radius
        return tuple(sorted(set(self._owners[found[within]].tolist())))

    def nodes_near(self, location: Point, radius: float) -> tuple[int, ...]:
        """Return the nodes within ``radius`` metres, ascending."""
        streets = (self.city.streets[street] for street in self.streets_near(location, radius + 1.0))
        nodes = np.array(sorted({node for street in streets for node in street.ends}), dtype=np.int64)
        places = np.array([self.city.nodes[node] for node in nodes]).reshape(-1, 2)
        return tuple(nodes[np.hypot(*to_local(location, places).T) <= radius].tolist())

    def _segments(self, low: Point, high: Point) -> NDArray[np.int64]:
        """Return the segments near the box from south-west to north-east, ascending, and perhaps some others."""
        first, last = self._cell(np.array([low, high]), spare=np.array([[-0.5], [0.5]]))
        cells = (
            self._cells.get((north, east))
            for north in range(first[0], last[0] + 1)
            for east in range(first[1], last[1] + 1)
        )
        found = [cell for cell in cells if cell is not None]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)

    def _cell(self, points: Array, spare: Array | float = 0.0) -> NDArray[np.int64]:
        """Return the cell of each point, moved by ``spare`` cells."""
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
        """Metres from each segment to the building lines of its street."""
        return np.array([building_line_offset(street) for street in self.city.streets])[self._owners]

    @cached_property
    def _cells(self) -> dict[tuple[int, int], NDArray[np.int64]]:
        """Segments by cell; each is entered at points half a cell apart."""
        steps = self._ends - self._starts
        steps[:, 1] = (steps[:, 1] + 180.0) % 360.0 - 180.0
        count = np.ceil(2 * np.abs(steps / self._cell_size).max(axis=1)).astype(np.int64) + 1
        owner = np.repeat(np.arange(len(count)), count)
        number = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        points = self._starts[owner] + steps[owner] * (number / np.maximum(count - 1, 1)[owner])[:, None]
        entries = np.unique(np.column_stack([self._cell(points), owner]), axis=0)
        bounds = np.flatnonzero((np.diff(entries[:, :2], axis=0) != 0).any(axis=1)) + 1
        return {(int(part[0, 0]), int(part[0, 1])): part[:, 2] for part in np.split(entries, bounds)}


class BuildingLine:
    """A line without sharp corners along which fronts can stand.

    Attributes:
        points: n x 2, metres east and north of the first point of the street; one about every metre.
        along: n, metres along the line from its beginning to each point.
    """

    def __init__(self, points: Array) -> None:
        self.points = points
        self.along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])

    @property
    def length(self) -> float:
        """Metres from end to end."""
        return float(self.along[-1])

    @cached_property
    def bulge(self) -> float:
        """Metres by which the line leaves the straight line between its ends."""
        offsets, (east, north) = self.points - self.points[0], self.points[-1] - self.points[0]
        return float(np.abs(offsets[:, 0] * north - offsets[:, 1] * east).max() / max(np.hypot(east, north), 1e-6))

    def at(self, along: Array) -> Array:
        """Return the positions ``along`` metres from the beginning."""
        return np.stack([np.interp(along, self.along, axis) for axis in self.points.T], axis=-1)

    def nearest(self, position: Array, inset: float = 0.0) -> tuple[float, float]:
        """Return the metres from a position to the line, and along the line to the nearest point.

        That point is at least ``inset`` metres from both ends, or halfway where the line is shorter than that.
        """
        steps, offsets = np.diff(self.points, axis=0), position - self.points[:-1]
        square = np.einsum("ij,ij->i", steps, steps)
        share = np.clip(np.einsum("ij,ij->i", offsets, steps) / square, 0.0, 1.0)
        best = int(np.argmin(np.hypot(*(offsets - steps * share[:, None]).T)))
        inset = min(inset, self.length / 2)
        along = float(np.clip(self.along[best] + share[best] * square[best] ** 0.5, inset, self.length - inset))
        return float(np.hypot(*(self.at(np.array(along)) - position))), along

    def reach(self, start: float, most: float, least: float) -> float:
        """Return the width, in metres, of a lot that nowhere leaves the line by more than 0.3 m where it bends.

        Args:
            start: metres along the line at which the lot begins.
            most, least: bounds of the width in metres.
        """
        if self.bulge <= _OFF:
            return most
        while most > least:
            line = self.at(np.linspace(start, start + most, 9))
            offsets, (east, north) = line - line[0], line[-1] - line[0]
            if np.abs(offsets[:, 0] * north - offsets[:, 1] * east).max() <= _OFF * np.hypot(east, north):
                return most
            most *= 0.85
        return least


def _sample_beside(points: Array, off: float) -> tuple[Array, Array, Array]:
    """Sample a line so densely that points ``off`` metres beside it are about a metre apart.

    Returns:
        Positions and unit normals to the left, n x 2 each, and turns, n. At a bend the normal swings round; there the
        turn is 1 to the left, -1 to the right, and it is 0 elsewhere.
    """
    steps = np.diff(points, axis=0)
    lengths = np.hypot(*steps.T)
    kept = lengths > 0.01
    starts, steps, lengths = points[:-1][kept], steps[kept], lengths[kept]
    headings = np.arctan2(steps[:, 1], steps[:, 0])
    bases, angles, turns = [], [], []
    for index in range(len(lengths)):
        if index:
            bend = float((headings[index] - headings[index - 1] + np.pi) % (2 * np.pi) - np.pi)
            count = floor(abs(bend) * off)
            bases.append(np.repeat(starts[index : index + 1], count, axis=0))
            angles.append(headings[index - 1] + bend * np.arange(1, count + 1) / (count + 1))
            turns.append(np.full(count, np.sign(bend)))
        count = ceil(lengths[index])
        bases.append(starts[index] + steps[index] * np.linspace(0.0, 1.0, count + 1)[:, None])
        angles.append(np.full(count + 1, headings[index]))
        turns.append(np.zeros(count + 1))
    angle = np.concatenate(angles)
    return np.concatenate(bases), np.stack([-np.sin(angle), np.cos(angle)], axis=1), np.concatenate(turns)


def _cut(fronts: Array, normal: Array, free: Array) -> Iterator[BuildingLine]:
    """Yield the parts of a line where there is room, cut at sharp corners."""
    good = np.flatnonzero(free >= -_TOLERANCE)
    if not len(good):
        return
    jumps = np.hypot(*np.diff(fronts[good], axis=0).T)
    cuts = np.flatnonzero((np.diff(good) > 1) & (jumps > _JOINED)) + 1
    for part in np.split(good, cuts):
        line, ahead = fronts[part], np.stack([normal[part, 1], -normal[part, 0]], axis=1)
        back = np.einsum("ij,ij->i", np.diff(line, axis=0), ahead[1:]) <= 0.01
        line = np.delete(line, np.flatnonzero(back) + 1, axis=0)
        ends = [_end(fronts, free, int(part[0]), -1), line, _end(fronts, free, int(part[-1]), 1)]
        yield from _cut_at_corners(np.concatenate(ends))


def _end(fronts: Array, free: Array, last: int, step: int) -> Array:
    """Return the point beyond the ``last`` at which the room ends, if that is not the end of the street."""
    if not 0 <= last + step < len(free) or free[last + step] >= -_TOLERANCE:
        return fronts[:0]
    share = (free[last] + _TOLERANCE) / (free[last] - free[last + step])
    move = (fronts[last + step] - fronts[last]) * share
    return fronts[last : last + 1] + move if 0.05 < np.hypot(*move) < 1.5 else fronts[:0]


def _cut_at_corners(line: Array) -> Iterator[BuildingLine]:
    bends = np.zeros(len(line))
    if len(line) > 4:
        ahead = line[2:] - line[:-2]
        angle = np.arctan2(ahead[:, 1], ahead[:, 0])
        bends[2:-2] = np.abs((angle[2:] - angle[:-2] + np.pi) % (2 * np.pi) - np.pi)
    start = 0
    while start < len(line):
        sharp = np.flatnonzero(bends[start + 1 :] > radians(_SHARP)) + start + 1
        end = len(line) - 1
        if len(sharp):
            cluster = sharp[sharp <= sharp[0] + 4]
            end = int(cluster[np.argmax(bends[cluster])])
            bends[: cluster[-1] + 1] = 0.0
        part = line[start : end + 1]
        if len(part) > 1 and (found := BuildingLine(part)).length >= SHORTEST_LINE:
            yield found
        start = end if end < len(line) - 1 else len(line)
