"""Lots: the ground of one house each, along the streets of a city, and the places whose fronts are on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from hashlib import blake2b
from itertools import pairwise

import numpy as np

from verienv.virl.world.building_lines import MOST_KEPT, BuildingLine, BuildingLines, building_line_offset
from verienv.virl.world.city import LANDMARK_RADIUS, City, Place
from verienv.virl.world.geometry import Array, Point, distance, from_local, to_local

NARROWEST, WIDEST = 8.0, 20.0
"""Metres of a lot's width; down to 4 where there is less room or the street bends."""

SHALLOWEST, DEEPEST, LEAST_DEPTH = 10.0, 16.0, 2.0
"""Metres of a lot's depth; halved down to the last where another street is near."""

FRONT = 8.0
"""Metres that the front of a place takes."""

APART = 9.0
"""Metres between the fronts of two places along one side of a street."""

FURTHEST = 35.0
"""Metres from the position of a place on a map to its front, at most."""

_LEAST = 4.0  # metres
_ON_STREET = 1.0  # metres from a street's line to a position on it
_INSIDE = 0.09  # metres by which a lot may reach over another street's building line

_OUTLINE = np.array(
    [(along / 10, 0.0) for along in range(11)]
    + [(along / 10, 1.0) for along in range(11)]
    + [(along, away / 8) for along in (0.0, 1.0) for away in range(1, 8)]
)
"""Points at most 2 m apart around a house, as shares of its width and of its depth: n x 2."""


@dataclass(frozen=True, slots=True)
class Lot:
    """The ground of one house.

    Attributes:
        street: the index of the street.
        side: +1 left, -1 right of the direction from the street's first end to its second.
        number: position along that side, counted from the street's first end.
        start: the left end of the front for a viewer on the street; latitude and longitude in degrees.
        end: the right end of the front; latitude and longitude in degrees.
        width: metres along the street.
        depth: metres away from the street.
        key: 64 bits from which the appearance of the house derives.
        places: the indexes of the places whose fronts are on the lot, from left to right.
    """

    street: int
    side: int
    number: int
    start: Point
    end: Point
    width: float
    depth: float
    key: int
    places: tuple[int, ...]


class Lots:
    """The lots of a city. Those of a street are computed when first asked for; those of 1024 streets are kept."""

    def __init__(self, city: City) -> None:
        """Store the city; all else is computed when it is first asked for."""
        self.city = city
        self._building_lines = BuildingLines(city)
        self._kept = lru_cache(maxsize=MOST_KEPT)(self._divide)

    def near(self, location: Point, radius: float) -> tuple[Lot, ...]:
        """Return the lots whose front comes within ``radius`` metres, by street, side (left first) and number."""
        streets = [self._kept(street) for street in self.streets_near(location, radius + self._widest + 1.0)]
        lots = [lot for found, _ in streets for lot in found]
        if not lots:
            return ()
        feet = np.concatenate([feet for _, feet in streets])
        starts, ends = to_local(location, feet[:, :2]), to_local(location, feet[:, 2:])
        ahead = ends - starts
        share = -np.einsum("ij,ij->i", starts, ahead) / np.maximum(np.einsum("ij,ij->i", ahead, ahead), 1e-12)
        away = np.hypot(*(starts + ahead * np.clip(share, 0.0, 1.0)[:, None]).T)
        return tuple(lots[index] for index in np.flatnonzero(away <= radius))

    def of_street(self, street: int) -> tuple[Lot, ...]:
        """Return the lots of one street, by side (left first) and number."""
        return self._kept(street)[0]

    def streets_near(self, location: Point, radius: float) -> tuple[int, ...]:
        """Return the streets, ascending, some part of whose centre line lies within ``radius`` metres."""
        return self._building_lines.streets_near(location, radius)

    def nodes_near(self, location: Point, radius: float) -> tuple[int, ...]:
        """Return the nodes within ``radius`` metres, ascending."""
        return self._building_lines.nodes_near(location, radius)

    def front(self, street: int, location: Point) -> Point | None:
        """Return the point nearest to ``location`` where the front of a place can be, on that side of a street.

        It is at least 4 m from the ends of the building line, or in the middle of a shorter one, and rounded to 1e-6
        degrees. None if there is no building line.
        """
        here = self._flat(street, location)
        lines = self._building_lines.of_street(street, self.side(street, location))
        spots = [(*line.nearest(here, FRONT / 2), number) for number, line in enumerate(lines)]
        if not spots:
            return None
        _, along, number = min(spots)
        return from_local(self.city.streets[street].points[0], *lines[number].at(np.array(along)).tolist(), digits=6)

    def headings_at(self, location: Point) -> tuple[float, ...]:
        """Return the directions, up and down, of the streets at a position: ascending, degrees clockwise from north."""
        found = []
        for index in self.streets_near(location, _ON_STREET):
            street, along = self.city.streets[index], self.along(index, location)
            found += [street.heading(along, True), street.heading(along, False)]
        return tuple(sorted(set(found)))

    @cached_property
    def _widest(self) -> float:
        return max(map(building_line_offset, self.city.streets))

    @cached_property
    def _places(self) -> dict[int, list[int]]:
        """Indexes of places by street."""
        found: dict[int, list[int]] = {}
        for index, place in enumerate(self.city.places):
            found.setdefault(place.street, []).append(index)
        return found

    def _flat(self, street: int, location: Point) -> Array:
        return np.asarray(to_local(self.city.streets[street].points[0], np.array([location]))[0])

    def side(self, street: int, location: Point) -> int:
        """Return the side of a street that a position is on: +1 left, -1 right of the direction from its first end."""
        return self._foot(street, location)[1]

    def along(self, street: int, location: Point) -> float:
        """Return the metres from a street's first end to its point nearest to a position, rounded to centimetres."""
        return round(self._foot(street, location)[0], 2)

    def _foot(self, street: int, location: Point) -> tuple[float, int]:
        line = self.city.streets[street]
        points = to_local(location, np.array(line.points))
        ahead = np.diff(points, axis=0)
        square = np.maximum(np.einsum("ij,ij->i", ahead, ahead), 1e-12)
        share = np.clip(-np.einsum("ij,ij->i", points[:-1], ahead) / square, 0.0, 1.0)
        feet = points[:-1] + ahead * share[:, None]
        away = np.hypot(*feet.T)
        off = (feet[:, 0] * ahead[:, 1] - feet[:, 1] * ahead[:, 0]) / np.sqrt(square)
        nearest = np.flatnonzero(away <= away.min() + 1e-3)  # two segments where it is a bend
        best = int(nearest[np.argmax(np.abs(off[nearest]))])
        before, after = line.cumulative[best : best + 2]
        return before + float(share[best]) * (after - before), 1 if off[best] >= 0 else -1

    def _divide(self, street: int) -> tuple[tuple[Lot, ...], Array]:
        """Return a street's lots, and the ends of each: latitude and longitude of the left and of the right one."""
        lots = tuple(self._build(street))
        return lots, np.array([(*lot.start, *lot.end) for lot in lots]).reshape(-1, 4)

    def _build(self, street: int) -> Iterator[Lot]:
        origin = self.city.streets[street].points[0]
        parts = [(side, *part) for side in (1, -1) for part in enumerate(self._split(street, side))]
        if not parts:
            return
        keys = [self._hash(f"{street}:{side}:{number}") for side, number, _ in parts]
        feet = np.array([foot for _, _, (foot, _) in parts])
        wanted = np.array([SHALLOWEST + key % 61 / 60 * (DEEPEST - SHALLOWEST) for key in keys])
        depths = self._depths(street, np.array([side for side, _, _ in parts]), feet, wanted)
        widths = np.round(np.hypot(*(feet[:, 2:] - feet[:, :2]).T), 2)
        for (side, number, (_, places)), key, foot, width, depth in zip(
            parts, keys, feet.tolist(), widths.tolist(), depths.tolist(), strict=True
        ):
            if depth:
                start, end = (from_local(origin, *point) for point in (foot[:2], foot[2:])[::side])
                yield Lot(street, side, number, start, end, width, depth, key, places[::side])

    def _split(self, street: int, side: int) -> Iterator[tuple[Array, tuple[int, ...]]]:
        """Yield the two ends of each lot of one side, in the order of the street, and the places on it."""
        lines = self._building_lines.of_street(street, side)
        for number, (line, places) in enumerate(zip(lines, self._place_fronts(street, side, lines), strict=True)):
            bounds = self._bounds(line, [along for along, _ in places], f"{street}:{side}:{number}")
            ends = line.at(np.array(bounds))
            for index, (first, last) in enumerate(pairwise(bounds)):
                last += last == bounds[-1]
                yield ends[index : index + 2].ravel(), tuple(on for along, on in places if first <= along < last)

    def _place_fronts(self, street: int, side: int, lines: Sequence[BuildingLine]) -> list[list[tuple[float, int]]]:
        """Return the fronts on each line, metres along it and the place's index; of two too near one stays."""
        found: list[list[tuple[float, int]]] = [[] for _ in lines]
        spots = []
        for index in self._places.get(street, ()) if lines else ():
            location = self.city.places[index].location
            if self.side(street, location) == side:
                here = self._flat(street, location)
                spots.append(min((*line.nearest(here), number, index) for number, line in enumerate(lines)))
        for _, along, number, index in sorted(spots, key=lambda spot: (round(spot[0], 2), spot[3])):
            if all(abs(along - other) >= FRONT for other, _ in found[number]):
                found[number].append((along, index))
        return [sorted(places) for places in found]

    def _bounds(self, line: BuildingLine, taken: list[float], name: str) -> list[float]:
        """Return the metres along a building line at which lots begin and end, cutting no front if that is possible."""
        length, bounds = line.length, [0.0]
        while (rest := length - bounds[-1]) > 0.0:
            start = bounds[-1]
            most = line.reach(start, min(rest, WIDEST), _LEAST)
            if rest <= max(most, 2 * _LEAST):
                bounds.append(length)
                break
            share = self._hash(f"{name}:{len(bounds)}") / 2**64
            bounds.append(start + _width(rest, most, share, [along - start for along in taken]))
        return bounds

    def _depths(self, street: int, sides: Array, feet: Array, wanted: Array) -> Array:
        """Return the depths of houses: halved until they stand on no street's pavement, 0 where that is impossible."""
        origin = self.city.streets[street].points[0]
        starts, ahead = feet[:, :2], feet[:, 2:] - feet[:, :2]
        back = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) * (sides / np.hypot(*ahead.T))[:, None]
        along, away = _OUTLINE[:, 0], _OUTLINE[:, 1]
        depths = np.zeros(len(feet))
        for halved in (1.0, 0.5, 0.25, 0.0):
            left = np.flatnonzero(depths == 0.0)
            if len(left):
                deep = np.maximum(wanted[left] * halved, LEAST_DEPTH)
                points = starts[left, None] + along[:, None] * ahead[left, None]
                points = points + (away[:, None] * deep[:, None, None]) * back[left, None]
                free = self._building_lines.clearance(origin, points.reshape(-1, 2), street).reshape(len(left), -1)
                fits = free.min(axis=1) >= -_INSIDE
                depths[left[fits]] = np.round(deep[fits], 2)
        return depths

    def _hash(self, name: str) -> int:
        return int.from_bytes(blake2b(f"{self.city.name}:{name}".encode(), digest_size=8).digest(), "big")


def move_to_fronts(city: City, ranks: Sequence[int] | None = None) -> City:
    """Move each place of a city to its front; places that find no room are left out.

    A front is at the building line of the place's street, on the place's side, at most 35 m from the place. Along one
    side of a street two are at least 9 m apart, and no two of one name are within 30 m.

    Args:
        city: the city, with its places at the positions that a map gives.
        ranks: one for each place; of two that are too near the lower rank stays, then the one nearer to its front.
    """
    lots = Lots(city)
    spots = []
    for index, place in enumerate(city.places):
        front = lots.front(place.street, place.location)
        if front and (away := distance(front, place.location)) <= FURTHEST:
            spots.append((ranks[index] if ranks else 0, round(away, 2), index, front))
    kept: dict[int, Place] = {}
    taken: dict[tuple[int, int] | str, list[Point]] = {}
    for _, _, index, front in sorted(spots):
        place = city.places[index]
        side = taken.setdefault((place.street, lots.side(place.street, place.location)), [])
        named = taken.setdefault(place.name, [])
        is_apart = all(distance(front, other) >= APART for other in side)
        if is_apart and all(distance(front, other) > LANDMARK_RADIUS for other in named):
            side.append(front)
            named.append(front)
            kept[index] = replace(place, location=front, along=lots.along(place.street, front))
    return replace(city, places=tuple(sorted(kept.values(), key=lambda place: (place.street, place.along, place.name))))


def _width(rest: float, most: float, share: float, taken: Sequence[float]) -> float:
    """Return the width of a lot in metres: ``share`` of the possible range, or the nearest that cuts no front.

    Args:
        rest: metres that are left of the building line.
        most: metres of the widest lot here.
        share: 0 to 1.
        taken: metres from the lot's start to the middles of fronts.
    """
    for least in (NARROWEST, _LEAST):
        high = min(most, rest - least)
        wanted = least + share * (high - least)
        options = [wanted, *(each + off for each in taken for off in (-FRONT / 2, FRONT / 2))]
        options = [
            each
            for each in options
            if least <= each <= high and all(abs(each - other) > FRONT / 2 - 1e-6 for other in taken)
        ]
        if options:
            return min(options, key=lambda each: abs(each - wanted))
    return min(most, rest - _LEAST)
