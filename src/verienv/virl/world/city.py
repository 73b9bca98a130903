"""A city: junctions, the streets between them, and the places that stand beside the streets."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from math import cos, radians
from statistics import median
from typing import Literal

from verienv.core.shown import shown
from verienv.virl.world.geometry import EARTH_RADIUS, Point, bearing, between, distance
from verienv.virl.world.network import largest_component

LANDMARK_RADIUS = 30.0
"""Metres within which a place is a landmark."""

AHEAD = 20.0
"""Metres ahead to the point that a walker along a street looks at."""


@dataclass(frozen=True, slots=True)
class Place:
    """A named place beside a street, such as a shop.

    Attributes:
        name: in its own script.
        label: the name in printable ASCII, 1 to 40 characters.
        kind: such as "cafe", "bank", "supermarket"; printable ASCII.
        location: the position of its front, on the building line of its street, at most 35 m from its position in the
            source; latitude and longitude in degrees.
        street: the index of the street that it faces.
        along: metres from that street's first end to the foot point, the point of the street nearest to the place.
    """

    name: str
    label: str
    kind: str
    location: Point
    street: int
    along: float


@dataclass(frozen=True)
class Street:
    """A stretch of street between two nodes.

    Attributes:
        ends: the indexes of the two nodes; the same one twice for a loop.
        name: in its own script, "" if it has none.
        label: the name in printable ASCII, "" if it has none.
        kind: its class, such as "residential"; printable ASCII.
        points: the line from the first end to the second, both included.
    """

    ends: tuple[int, int]
    name: str
    label: str
    kind: str
    points: tuple[Point, ...]

    @cached_property
    def cumulative(self) -> tuple[float, ...]:
        """Metres from the first end to each of ``points``."""
        return tuple(accumulate((distance(*step) for step in pairwise(self.points)), initial=0.0))

    @property
    def length(self) -> float:
        """Metres from end to end."""
        return self.cumulative[-1]

    def at(self, along: float) -> Point:
        """Return the position ``along`` metres from the first end; one of the ends if that is beyond it."""
        if along <= 0.0:
            return self.points[0]
        if along >= self.length:
            return self.points[-1]
        index = bisect_right(self.cumulative, along)
        before, after = self.cumulative[index - 1], self.cumulative[index]
        return between(self.points[index - 1], self.points[index], (along - before) / (after - before))

    def heading(self, along: float, forward: bool) -> float:
        """Return the direction in which a walker looks here, in degrees clockwise from north.

        It leads to the point 20 m ahead. Where fewer are left before the end it is the direction of the last 20 m
        (or of the whole street, if that is shorter), so that it is defined at both ends too: ``heading(0, True)`` and
        ``heading(length, False)`` depart from them, ``heading(length, True)`` and ``heading(0, False)`` arrive.

        Args:
            along: metres from the first end.
            forward: whether the walk leads away from the first end.
        """
        if forward:
            start = max(0.0, min(along, self.length - AHEAD))
            return bearing(self.at(start), self.at(start + AHEAD))
        start = min(self.length, max(along, AHEAD))
        return bearing(self.at(start), self.at(start - AHEAD))


@dataclass(frozen=True, eq=False)
class City:
    """A connected street network with its places.

    Attributes:
        name: small letters, digits and hyphens, such as "montevideo-centre".
        title: the name shown to people, such as "Montevideo, centre".
        attribution: the owner and the licence of the data; "" for a procedural city.
        nodes: positions at which streets end; most are junctions.
        streets: the streets between nodes.
        places: the places beside the streets.
        source: the name of the data that the file was built from.
    """

    name: str
    title: str
    attribution: str
    nodes: tuple[Point, ...]
    streets: tuple[Street, ...]
    places: tuple[Place, ...]
    source: str = ""

    def branches(self, node: int) -> tuple[tuple[int, bool], ...]:
        """Return the streets that leave ``node``: the index of each, and whether it leaves from its first end.

        A loop leaves twice.
        """
        return self._branches[node]

    def is_junction(self, node: int) -> bool:
        """Return whether at least three streets leave ``node``."""
        return len(self._branches[node]) >= 3

    def foot(self, place: Place) -> Point:
        """Return the point of the place's street that is nearest to the place."""
        return self.streets[place.street].at(place.along)

    def landmark_at(self, location: Point) -> Place | None:
        """Return the landmark at ``location``: the nearest place within 30 m, of equally near ones the first."""
        row, column = self._cell(location)
        nearest = (LANDMARK_RADIUS, len(self.places))
        for north in (row - 1, row, row + 1):
            for east in (column - 1, column, column + 1):
                for index in self._cells.get((north, east), ()):
                    nearest = min(nearest, (distance(location, self.places[index].location), index))
        return self.places[nearest[1]] if nearest[1] < len(self.places) else None

    def half(self, side: Literal["train", "test"]) -> City:
        """Return the city west (``train``) or east (``test``) of the median longitude of its nodes.

        The two share no street and no place: a street belongs to a half if all its points lie in it, a place if its
        street does. Of a half only the largest connected part is kept.

        Raises:
            ValueError: if no street is left.
        """
        if side not in ("train", "test"):
            raise ValueError(f"side={shown(side)}: expected 'train' (west) or 'test' (east)")
        middle = median(self._east(node) for node in self.nodes)
        sign, word = (-1, "west") if side == "train" else (1, "east")
        streets = [
            index
            for index, street in enumerate(self.streets)
            if all((self._east(point) - middle) * sign > 0 for point in street.points)
        ]
        kept = largest_component(len(self.nodes), (self.streets[index].ends for index in streets))
        new_node = {node: number for number, node in enumerate(kept)}
        streets = [index for index in streets if self.streets[index].ends[0] in new_node]
        if not streets:
            raise ValueError(f"{self.name} has no street {word} of the median longitude of its nodes: use another city")
        new_street = {index: number for number, index in enumerate(streets)}
        return City(
            name=f"{self.name}-{word}",
            title=f"{self.title} ({word})",
            attribution=self.attribution,
            nodes=tuple(self.nodes[node] for node in kept),
            streets=tuple(
                Street((new_node[old.ends[0]], new_node[old.ends[1]]), old.name, old.label, old.kind, old.points)
                for old in (self.streets[index] for index in streets)
            ),
            places=tuple(
                Place(old.name, old.label, old.kind, old.location, new_street[old.street], old.along)
                for old in self.places
                if old.street in new_street
            ),
            source=self.source,
        )

    def _east(self, point: Point) -> float:
        """Return the degrees east of the first node; crosses the date line."""
        return (point[1] - self.nodes[0][1] + 180.0) % 360.0 - 180.0

    @cached_property
    def _branches(self) -> tuple[tuple[tuple[int, bool], ...], ...]:
        branches: list[list[tuple[int, bool]]] = [[] for _ in self.nodes]
        for index, street in enumerate(self.streets):
            branches[street.ends[0]].append((index, True))
            branches[street.ends[1]].append((index, False))
        return tuple(map(tuple, branches))

    @cached_property
    def _cell_size(self) -> tuple[float, float]:
        """Degrees of latitude and longitude of cells that are nowhere narrower than ``LANDMARK_RADIUS``."""
        degrees = LANDMARK_RADIUS * 1.01 / (radians(1.0) * EARTH_RADIUS)
        furthest = max((abs(place.location[0]) for place in self.places), default=0.0)
        return degrees, degrees / cos(radians(min(furthest, 85.0)))

    def _cell(self, location: Point) -> tuple[int, int]:
        return int(location[0] // self._cell_size[0]), int(self._east(location) // self._cell_size[1])

    @cached_property
    def _cells(self) -> dict[tuple[int, int], list[int]]:
        """Indexes of places by cell."""
        cells: dict[tuple[int, int], list[int]] = {}
        for index, place in enumerate(self.places):
            cells.setdefault(self._cell(place.location), []).append(index)
        return cells
