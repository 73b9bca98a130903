"""Procedural cities: streets on a grid, around a centre, or grown crooked, with made-up names.

A city is a pure function of its kind and seed. Positions are computed in metres and rounded to 1e-6 degrees, so that
the last bit of a platform's sine does not matter.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from math import atan2, cos, degrees, hypot, pi, radians, sin
from typing import Literal, get_args

import numpy as np

from verienv.core.shown import shown
from verienv.virl.world.building_lines import building_line_offset
from verienv.virl.world.city import City, Place, Street
from verienv.virl.world.geometry import METRE, Point, distance
from verienv.virl.world.lots import Lots
from verienv.virl.world.network import largest_component
from verienv.virl.world.procedural_names import CHAINS, place_name, street_names

CityKind = Literal["grid", "radial", "organic"]
Metres = tuple[float, float]
"""Metres east and north of the middle of the city."""

CENTRE: Point = (0.5, -30.0)
"""Position of every procedural city, in the middle of an ocean."""

SHORTEST, LONGEST = 60.0, 160.0
"""Metres of a block."""

LEAST_ANGLE = 38.0
"""Degrees between two streets that leave a junction, at least."""

SIDE = 18
"""Junctions along a side of a grid."""

RINGS, SPOKES = 9, 48
"""Rings and spokes of a radial city; spokes are counted at the outermost ring."""

CORNERS, CHAIN_PLACES = 0.9, 0.12
"""The share of nodes with a place at a corner, and the share of places that belong to a chain."""

CLASSES = ("secondary", "residential", "residential", "tertiary", "residential", "residential")


@dataclass
class _Plan:
    """The plan of a city, in metres.

    Attributes:
        nodes: positions of junctions.
        names: names of streets.
        streets: first node, second node, the number of the name.
        arcs: the points between first and second node of streets that are not straight.
    """

    nodes: list[Metres]
    names: list[str]
    streets: list[tuple[int, int, int]] = field(default_factory=list)
    arcs: dict[tuple[int, int], list[Metres]] = field(default_factory=dict)


@lru_cache(maxsize=32)
def procedural_city(kind: CityKind, seed: int) -> City:
    """A made-up city of a few hundred junctions, the same in every process.

    Args:
        kind: "grid" (straight streets, blocks of many sizes), "radial" (rings and spokes around a centre) or "organic"
            (a crooked grid with diagonals and many T-junctions).
        seed: 0 or more.

    Raises:
        ValueError: if there is no such kind, or the seed is negative or no integer.
    """
    kinds = get_args(CityKind)
    if kind not in kinds:
        raise ValueError(f"kind={shown(kind)}: expected one of {', '.join(kinds)}")
    if type(seed) is not int or seed < 0:
        raise ValueError(f"seed={shown(seed)}: expected an integer of 0 or more")
    rng = np.random.default_rng([kinds.index(kind), seed])
    plan = {"grid": _grid, "radial": _radial, "organic": _organic}[kind](rng)
    angle = 2 * pi * float(rng.random())
    nodes = tuple(_position(node, angle) for node in plan.nodes)
    streets = tuple(
        Street(
            (first, second), plan.names[name], plan.names[name], CLASSES[name % len(CLASSES)],
            (nodes[first], *(_position(point, angle) for point in plan.arcs.get((first, second), ())), nodes[second]),
        )
        for first, second, name in plan.streets
    )  # fmt: skip
    paper = City(f"{kind}-{seed}", f"{kind.capitalize()} city {seed}", "", nodes, streets, ())
    return replace(paper, places=_places(paper, rng))


def _grid(rng: np.random.Generator) -> _Plan:
    gaps = SHORTEST + 5.0 + rng.random((2, SIDE - 1)) * (LONGEST - SHORTEST - 10.0)
    east, north = (np.concatenate([[0.0], np.cumsum(axis)]) for axis in gaps)
    plan = _lattice(np.stack(np.meshgrid(east, north, indexing="ij"), axis=-1), street_names(rng, 2 * SIDE))
    _thin(plan, rng, share=0.08)
    return plan


def _organic(rng: np.random.Generator) -> _Plan:
    axis = np.arange(SIDE) * 105.0
    lattice = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    names = street_names(rng, 2 * SIDE)
    waves, phases = 2 * pi / (700.0 + 500.0 * rng.random((2, 2))), 2 * pi * rng.random((2, 2))
    shift = 36.0 * (rng.random(lattice.shape) - 0.5)
    for along in (0, 1):  # long waves across, shallow ones along
        for to, size in ((1 - along, 30.0), (along, 12.0)):
            shift[..., to] += size * np.sin(lattice[..., along] * waves[along, to] + phases[along, to])
    while not _holds(plan := _lattice(lattice + shift, names)):
        shift *= 0.9
    _thin(plan, rng, share=0.2)
    diagonals = [(near, near + SIDE + 1) for near in range(SIDE * (SIDE - 1)) if (near + 1) % SIDE]
    diagonals = [(first, second) if rng.random() < 0.5 else (first + 1, second - 1) for first, second in diagonals]
    plan.names += street_names(rng, len(diagonals), ("Passage", "Cut", "Walk"))
    for number, ends in enumerate(diagonals):
        if rng.random() < 0.3:
            plan.streets.append((*ends, 2 * SIDE + number))
            if not _holds(plan):
                plan.streets.pop()
    return plan


def _radial(rng: np.random.Generator) -> _Plan:
    spoke_names = street_names(rng, SPOKES, ("Avenue", "Road", "Street"))
    plan = _Plan([(0.0, 0.0)], spoke_names + street_names(rng, RINGS, ("Ring", "Circle")))
    radius, spokes = 90.0, 6
    inside = [0] * spokes  # the node at the inner end of each spoke; -1 where there is none
    for ring in range(RINGS):
        if ring and 2 * pi * radius / spokes > 150.0:  # between two spokes a new one begins at this ring
            spokes *= 2
            inside = [inside[number // 2] if number % 2 == 0 else -1 for number in range(spokes)]
        nodes = [len(plan.nodes) + number for number in range(spokes)]
        plan.nodes += [_on_circle(radius, number / spokes) for number in range(spokes)]
        for number, node in enumerate(nodes):
            after = nodes[(number + 1) % spokes]
            if inside[number] >= 0:
                plan.streets.append((inside[number], node, number * SPOKES // spokes))
            plan.streets.append((node, after, SPOKES + ring))
            plan.arcs[node, after] = [_on_circle(radius, (number + part / 6) / spokes) for part in range(1, 6)]
        inside = nodes
        radius += 80.0 + 40.0 * float(rng.random())
    _thin(plan, rng, share=0.1)
    return plan


def _on_circle(radius: float, turns: float) -> Metres:
    return radius * sin(2 * pi * turns), radius * cos(2 * pi * turns)


def _lattice(positions: np.ndarray, names: list[str]) -> _Plan:
    """Streets along both axes of ``positions`` (``SIDE`` by ``SIDE`` by 2); each line has a name."""
    plan = _Plan([(float(east), float(north)) for east, north in positions.reshape(-1, 2)], list(names))
    for column in range(SIDE):
        for row in range(SIDE):
            node = column * SIDE + row
            if row + 1 < SIDE:
                plan.streets.append((node, node + 1, column))
            if column + 1 < SIDE:
                plan.streets.append((node, node + SIDE, SIDE + row))
    return plan


def _holds(plan: _Plan) -> bool:
    """Return whether no (straight) block is too short or too long, and no two leave a node at too small an angle."""
    angles = defaultdict(list)
    for first, second, _ in plan.streets:
        east, north = (after - before for before, after in zip(plan.nodes[first], plan.nodes[second], strict=True))
        if not SHORTEST <= hypot(east, north) <= LONGEST:
            return False
        angle = degrees(atan2(east, north)) % 360.0
        angles[first].append(angle)
        angles[second].append((angle + 180.0) % 360.0)
    for leaving in angles.values():
        leaving.sort()
        if any(after - before < LEAST_ANGLE for before, after in pairwise([*leaving, leaving[0] + 360.0])):
            return False
    return True


def _thin(plan: _Plan, rng: np.random.Generator, share: float) -> None:
    """Take streets away where four or more meet at both ends, at most ``share`` of them; the rest stays connected."""
    leaving = [sum(node in street[:2] for street in plan.streets) for node in range(len(plan.nodes))]
    order = np.argsort(rng.random(len(plan.streets)), kind="stable")
    for street in [plan.streets[index] for index in order[: round(share * len(order))]]:
        first, second, _ = street
        if min(leaving[first], leaving[second]) < 4:
            continue
        rest = [other for other in plan.streets if other != street]
        if len(largest_component(len(plan.nodes), (other[:2] for other in rest))) == len(plan.nodes):
            plan.streets = rest
            leaving[first] -= 1
            leaving[second] -= 1


def _position(point: Metres, angle: float) -> Point:
    """Convert metres of a plan that is turned by ``angle`` radians to latitude and longitude in degrees."""
    east = point[0] * cos(angle) - point[1] * sin(angle)
    north = point[0] * sin(angle) + point[1] * cos(angle)
    return _moved(CENTRE, east, north)


def _moved(point: Point, east: float, north: float) -> Point:
    return round(point[0] + north * METRE, 6), round(point[1] + east * METRE / cos(radians(CENTRE[0])), 6)


def _places(paper: City, rng: np.random.Generator) -> tuple[Place, ...]:
    """Places with their fronts along the streets, at least 12 m from one another, sorted by street."""
    lots = Lots(paper)
    places: list[Place] = []
    taken = np.zeros((0, 2))
    named: dict[str, list[Point]] = {}
    for street, spot in _spots(paper.streets, rng):
        location = lots.front(street, spot)
        if location is None or (np.hypot(*((taken - location) / METRE).T) < 12.0).any():
            continue
        name, kind = place_name(rng, CHAIN_PLACES)
        while name in named and ((name, kind) not in CHAINS or any(distance(location, o) < 200.0 for o in named[name])):
            name, kind = place_name(rng, CHAIN_PLACES)
        named.setdefault(name, []).append(location)
        taken = np.vstack([taken, location])
        places.append(Place(name, name, kind, location, street, lots.along(street, location)))
    return tuple(sorted(places, key=lambda place: (place.street, place.along)))


def _spots(streets: tuple[Street, ...], rng: np.random.Generator) -> list[tuple[int, Point]]:
    """Return streets and positions at which places may stand: at the corners first, then along the blocks."""
    ends = sorted({(node, index) for index, street in enumerate(streets) for node in street.ends})
    branches: dict[int, list[int]] = {}
    for node, index in ends:
        branches.setdefault(node, []).append(index)
    spots = []
    for node, indexes in branches.items():
        if rng.random() < CORNERS:
            index = indexes[rng.integers(len(indexes))]
            along = 8.0 + 8.0 * float(rng.random())
            along = along if streets[index].ends[0] == node else streets[index].length - along
            spots.append((index, _beside(streets[index], along, rng)))
    for index, street in enumerate(streets):
        for _ in range(rng.integers(2, 6)):
            spots.append((index, _beside(street, 20.0 + (street.length - 40.0) * float(rng.random()), rng)))
    return spots


def _beside(street: Street, along: float, rng: np.random.Generator) -> Point:
    """Return a position left or right of the street."""
    right = radians(street.heading(along, forward=True) + 90.0)
    off = building_line_offset(street) * (1.0 if rng.random() < 0.5 else -1.0)
    return _moved(street.at(along), off * sin(right), off * cos(right))
