"""The fronts of houses along the streets of a city, and which place has its front on which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from hashlib import blake2b
from itertools import pairwise

import numpy as np

from verienv.virl.world.building_lines import (
    MOST_KEPT,
    PAVEMENT,
    Facades,
    building_line,
    local,
    position,
    road_width,
)
from verienv.virl.world.city import SIGHT, City, Place
from verienv.virl.world.geometry import Point, distance
from verienv.virl.world.runs import Array, Run

__all__ = ["PAVEMENT", "Frontage", "Lot", "building_line", "local", "road_width", "with_fronts"]

NARROWEST, WIDEST = 8.0, 20.0
"""Metres of a lot; where there is less room, or the street bends, down to 4."""

SHALLOWEST, DEEPEST, LEAST_DEPTH = 10.0, 16.0, 2.0
"""Metres of depth; halved down to the last where another street is near."""

FRONT = 8.0
"""Metres that the front of a place takes."""

APART = 9.0
"""Metres between the fronts of two places along one side of a street."""

FURTHEST = 35.0
"""Metres from where a map has a place to its front."""

_LEAST = 4.0  # metres
_INSIDE = 0.09  # metres by which a lot may reach over another street's building line

_OUTLINE = np.array(
    [(along / 10, 0.0) for along in range(11)]
    + [(along / 10, 1.0) for along in range(11)]
    + [(along, away / 8) for along in (0.0, 1.0) for away in range(1, 8)]
)
"""Of a house: the share of its width and of its depth of points at most 2 m apart."""


@dataclass(frozen=True, slots=True)
class Lot:
    """The front of one house.

    Attributes:
        street: the index of the street.
        side: +1 left, -1 right of the direction from the street's first end to its second.
        number: along that side, from the street's first end.
        start: the foot of the front's left end, seen from the street; latitude and longitude in degrees.
        end: that of its right end.
        width: metres.
        depth: metres.
        key: 64 bits from which all of its looks derive.
        places: the indexes of the places whose front is on it, from left to right.
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


class Frontage:
    """The lots of a city. Each street's are computed when they are first asked for, and some hundred are kept."""

    def __init__(self, city: City) -> None:
        """Nothing is computed until asked."""
        self.city = city
        self._facades = Facades(city)
        self._of = lru_cache(maxsize=MOST_KEPT)(self._lots_of)

    def lots_near(self, location: Point, radius: float) -> tuple[Lot, ...]:
        """The lots some part of whose front lies within ``radius`` metres, by street, side (left first) and number."""
        streets = [self._of(street) for street in self.streets_near(location, radius + self._widest + 1.0)]
        lots = [lot for found, _ in streets for lot in found]
        if not lots:
            return ()
        feet = np.concatenate([feet for _, feet in streets])
        starts, ends = local(location, feet[:, :2]), local(location, feet[:, 2:])
        ahead = ends - starts
        share = -np.einsum("ij,ij->i", starts, ahead) / np.maximum(np.einsum("ij,ij->i", ahead, ahead), 1e-12)
        away = np.hypot(*(starts + ahead * np.clip(share, 0.0, 1.0)[:, None]).T)
        return tuple(lots[index] for index in np.flatnonzero(away <= radius))

    def lots(self, street: int) -> tuple[Lot, ...]:
        """The lots of one street, by side (left first) and number."""
        return self._of(street)[0]

    def streets_near(self, location: Point, radius: float) -> tuple[int, ...]:
        """The streets some part of whose centre line lies within ``radius`` metres, ascending."""
        return self._facades.streets_near(location, radius)

    def nodes_near(self, location: Point, radius: float) -> tuple[int, ...]:
        """The nodes within ``radius`` metres, ascending."""
        return self._facades.nodes_near(location, radius)

    def front(self, street: int, location: Point) -> Point | None:
        """The point nearest to ``location`` where the front of a place can be, on that side of a street.

        It is 4 m from the end of what can be built on, or in the middle of that, and rounded to 1e-6 degrees. None if
        nothing can be built there.
        """
        here = self._flat(street, location)
        runs = self._facades.runs(street, self.side(street, location))
        spots = [(*run.nearest(here, FRONT / 2), number) for number, run in enumerate(runs)]
        if not spots:
            return None
        _, along, number = min(spots)
        return position(self.city.streets[street].points[0], *runs[number].at(np.array(along)).tolist(), digits=6)

    @cached_property
    def _widest(self) -> float:
        return max(map(building_line, self.city.streets))

    @cached_property
    def _places(self) -> dict[int, list[int]]:
        """By street the indexes of its places."""
        found: dict[int, list[int]] = {}
        for index, place in enumerate(self.city.places):
            found.setdefault(place.street, []).append(index)
        return found

    def _flat(self, street: int, location: Point) -> Array:
        return np.asarray(local(self.city.streets[street].points[0], np.array([location]))[0])

    def side(self, street: int, location: Point) -> int:
        """On which side of a street a position lies: +1 left, -1 right of the direction from its first end."""
        return self._foot(street, location)[1]

    def along(self, street: int, location: Point) -> float:
        """Metres from a street's first end to its point nearest to a position, rounded to centimetres."""
        return round(self._foot(street, location)[0], 2)

    def _foot(self, street: int, location: Point) -> tuple[float, int]:
        line = self.city.streets[street]
        points = local(location, np.array(line.points))
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

    def _lots_of(self, street: int) -> tuple[tuple[Lot, ...], Array]:
        """A street's lots, and the ends of each: latitude and longitude of the left, of the right one."""
        lots = tuple(self._built(street))
        return lots, np.array([(*lot.start, *lot.end) for lot in lots]).reshape(-1, 4)

    def _built(self, street: int) -> Iterator[Lot]:
        origin = self.city.streets[street].points[0]
        parts = [(side, *part) for side in (1, -1) for part in enumerate(self._divided(street, side))]
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
                start, end = (position(origin, *point) for point in (foot[:2], foot[2:])[::side])
                yield Lot(street, side, number, start, end, width, depth, key, places[::side])

    def _divided(self, street: int, side: int) -> Iterator[tuple[Array, tuple[int, ...]]]:
        """Where one side's lots begin and end, in the order of the street, and the places on each."""
        runs = self._facades.runs(street, side)
        for number, (run, places) in enumerate(zip(runs, self._on_runs(street, side, runs), strict=True)):
            bounds = self._bounds(run, [along for along, _ in places], f"{street}:{side}:{number}")
            ends = run.at(np.array(bounds))
            for index, (first, last) in enumerate(pairwise(bounds)):
                last += last == bounds[-1]
                yield ends[index : index + 2].ravel(), tuple(on for along, on in places if first <= along < last)

    def _on_runs(self, street: int, side: int, runs: Sequence[Run]) -> list[list[tuple[float, int]]]:
        """For each run, where on it the fronts of places are, and whose: the nearest first where two are too near."""
        found: list[list[tuple[float, int]]] = [[] for _ in runs]
        spots = []
        for index in self._places.get(street, ()) if runs else ():
            location = self.city.places[index].location
            if self.side(street, location) == side:
                here = self._flat(street, location)
                spots.append(min((*run.nearest(here), number, index) for number, run in enumerate(runs)))
        for _, along, number, index in sorted(spots, key=lambda spot: (round(spot[0], 2), spot[3])):
            if all(abs(along - other) >= FRONT for other, _ in found[number]):
                found[number].append((along, index))
        return [sorted(places) for places in found]

    def _bounds(self, run: Run, taken: list[float], name: str) -> list[float]:
        """Where along a run its lots begin and end, in metres: on no front of a place, if that can be."""
        length, bounds = run.length, [0.0]
        while (rest := length - bounds[-1]) > 0.0:
            start = bounds[-1]
            most = run.reach(start, min(rest, WIDEST), _LEAST)
            if rest <= max(most, 2 * _LEAST):
                bounds.append(length)
                break
            share = self._hash(f"{name}:{len(bounds)}") / 2**64
            bounds.append(start + _width(rest, most, share, [along - start for along in taken]))
        return bounds

    def _depths(self, street: int, sides: Array, feet: Array, wanted: Array) -> Array:
        """How deep the houses on some feet are: halved until they stand on no street's pavement, 0 where they would."""
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
                free = self._facades.clearance(origin, points.reshape(-1, 2), street).reshape(len(left), -1)
                fits = free.min(axis=1) >= -_INSIDE
                depths[left[fits]] = np.round(deep[fits], 2)
        return depths

    def _hash(self, name: str) -> int:
        return int.from_bytes(blake2b(f"{self.city.name}:{name}".encode(), digest_size=8).digest(), "big")


def with_fronts(city: City, ranks: Sequence[int] | None = None) -> City:
    """The city with each place moved to its front; places that find no room are left out.

    A front is at the building line of the place's street, on the place's side, at most 35 m from the place. Along one
    side of a street two are at least 9 m apart, and no two of one name are within 30 m.

    Args:
        city: whose places stand where a map has them.
        ranks: of each place; where two are too near the lower rank stays, then the one nearer to its front.
    """
    frontage = Frontage(city)
    spots = []
    for index, place in enumerate(city.places):
        front = frontage.front(place.street, place.location)
        if front and (away := distance(front, place.location)) <= FURTHEST:
            spots.append((ranks[index] if ranks else 0, round(away, 2), index, front))
    kept: dict[int, Place] = {}
    taken: dict[tuple[int, int] | str, list[Point]] = {}
    for _, _, index, front in sorted(spots):
        place = city.places[index]
        side = taken.setdefault((place.street, frontage.side(place.street, place.location)), [])
        named = taken.setdefault(place.name, [])
        if all(distance(front, other) >= APART for other in side) and all(distance(front, o) > SIGHT for o in named):
            side.append(front)
            named.append(front)
            kept[index] = replace(place, location=front, along=frontage.along(place.street, front))
    return replace(city, places=tuple(sorted(kept.values(), key=lambda place: (place.street, place.along, place.name))))


def _width(rest: float, most: float, share: float, taken: Sequence[float]) -> float:
    """The width of a lot where ``rest`` metres are left, ``share`` of the possible, or the next that cuts no front."""
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
