"""Moves in a street network: where each legal action leads from any place and heading."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import floor

from verienv.virl.actions import WORDS, Action
from verienv.virl.routes.plan import departing, pose_at
from verienv.virl.routes.route import ActionSpace
from verienv.virl.world.city import City
from verienv.virl.world.geometry import COMPASS, STRAIGHT, Point, compass_word, turn, turn_word, wrap_angle

Place = tuple[int, float]
"""A street, and metres along it from its first end."""

_NOMINAL = {"left": -90.0, "right": 90.0, "slightly left": -45.0, "slightly right": 45.0}
"""Degrees by which a word of the relative rule turns where no street lies that way."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way that leads from a place to the next stop: a node, or the beginning or the goal of the route.

    Attributes:
        heading: the direction in which one sets out, in degrees.
        street: the street.
        start, end: where on it one sets out and arrives, in metres from its first end.
    """

    heading: float
    street: int
    start: float
    end: float

    @property
    def forward(self) -> bool:
        """Whether it leads away from the street's first end."""
        return self.end > self.start


@dataclass(frozen=True, slots=True)
class Stand:
    """A place and a heading of a walker, who has taken ``step`` of the even ``steps`` from ``start`` to ``end``.

    Attributes:
        street: the street, of several that meet here the one that led here.
        start, end: metres from its first end.
        step, steps: strides taken of this way, and those that it has; 0 of 0 where the walk begins.
        heading: degrees clockwise from north.
    """

    street: int
    start: float
    end: float
    step: int
    steps: int
    heading: float

    @property
    def along(self) -> float:
        """Metres from the street's first end."""
        if self.step == self.steps:
            return self.end
        return self.start + (self.end - self.start) * self.step / self.steps

    @property
    def place(self) -> Place:
        return self.street, self.along


class Streets:
    """A city's streets as a walker meets them, who stops at their ends and at some places besides.

    Attributes:
        city: the city.
        spacing: the shortest stride in metres; the way to the next stop is divided evenly.
        actions: the rule.
    """

    def __init__(self, city: City, stops: Iterable[Place], spacing: float, actions: ActionSpace) -> None:
        self.city, self.spacing, self.actions = city, spacing, actions
        self._stops: dict[int, list[float]] = {}
        for street, along in sorted(set(stops)):
            if 0.0 < along < city.streets[street].length:
                self._stops.setdefault(street, []).append(along)

    def stop(self, street: int, along: float, forward: bool) -> float:
        """Return the next stop on a street ahead of a place, in metres from its first end."""
        stops = self._stops.get(street, [])
        if forward:
            at = bisect_right(stops, along)
            return stops[at] if at < len(stops) else self.city.streets[street].length
        at = bisect_left(stops, along)
        return stops[at - 1] if at else 0.0

    def ways(self, place: Place) -> tuple[Way, ...]:
        """Return the ways that lead from a place."""
        return tuple(
            Way(heading, street, along, self.stop(street, along, forward))
            for heading, street, along, forward in _leaving(self.city, *place)
        )

    def strides(self, way: Way) -> int:
        """Return how many times ``forward()`` leads along a way to its end."""
        return max(1, floor(abs(way.end - way.start) / self.spacing))

    def after(self, stand: Stand, action: Action) -> Stand:
        """Return where a legal action leads: forward() towards no street, and stop(), leave the walker where it is."""
        if action == "forward()":
            return self._forward(stand)
        if action == "stop()":
            return stand
        word = action.removeprefix("turn_direction(").removesuffix(")")
        headings = [way.heading for way in self.ways(stand.place)]
        return replace(stand, heading=turned(stand.heading, word, headings, self.actions))

    def _forward(self, stand: Stand) -> Stand:
        ways = self.ways(stand.place)
        at = ahead(stand.heading, [way.heading for way in ways])
        if at is None:
            return stand
        way = ways[at]
        goes_on = way.street == stand.street and stand.step < stand.steps and way.end == stand.end
        step, steps = (stand.step + 1, stand.steps) if goes_on else (1, self.strides(way))
        moved = Stand(way.street, stand.start if goes_on else way.start, way.end, step, steps, stand.heading)
        return replace(moved, heading=self.city.streets[way.street].heading(moved.along, way.forward))

    def location(self, stand: Stand) -> Point:
        """Return the latitude and longitude of a stand."""
        return pose_at(self.city, *stand.place, stand.heading).location


def ahead(heading: float, streets: list[float]) -> int | None:
    """Return which street ``forward()`` takes: that which lies straight on, of several the nearest; None for none."""
    found = [(abs(turn(heading, street)), at) for at, street in enumerate(streets)]
    off, at = min(found, default=(360.0, 0))
    return at if off <= STRAIGHT else None


def turned(heading: float, word: str, streets: list[float], actions: ActionSpace) -> float:
    """Return the heading after a turn in a word of the rule.

    It is that of the street which lies that way: of several the one nearest to the word's own direction, but for one
    that is faced already, from which the same word of the compass leads to the next. Where there is none it is the
    word's own direction.
    """
    if actions == "absolute":
        middle = 45.0 * COMPASS.index(word)
        found = [street for street in streets if compass_word(street) == word]
        found.sort(key=lambda street: turn(middle, street))
        if heading in found and len(found) > 1:
            return found[(found.index(heading) + 1) % len(found)]
    else:
        middle = wrap_angle(heading + _NOMINAL[word])
        found = [street for street in streets if turn_word(heading, street) == word]
    return min(found, key=lambda street: abs(turn(middle, street)), default=middle)


def block_around(city: City, place: Place) -> frozenset[int]:
    """Return the streets of the block of a place: those that it can be reached from without passing a crossing.

    The block of a crossing is made of all those that meet there.
    """
    street, along = place
    line = city.streets[street]
    found = {street}
    if along in (0.0, line.length):
        found.update(each for each, _ in city.branches(line.ends[0 if along == 0.0 else 1]))
    newest = list(found)
    while newest:
        for node in city.streets[newest.pop()].ends:
            if not city.is_junction(node):
                further = {each for each, _ in city.branches(node)} - found
                found |= further
                newest += further
    return frozenset(found)


@lru_cache(maxsize=2**16)
def turnings(city: City, place: Place, heading: float, actions: ActionSpace) -> tuple[tuple[str, ...] | None, ...]:
    """Return the fewest turns after which ``forward()`` takes each way from a place, None for a way that none leads to.

    At most four turns are tried.
    """
    streets = [way[0] for way in _leaving(city, *place)]
    found: list[tuple[str, ...] | None] = [None] * len(streets)
    met, newest = {heading}, [(heading, tuple[str, ...]())]
    for _ in range(5):
        further = []
        for at, words in newest:
            way = ahead(at, streets)
            if way is not None and found[way] is None:
                found[way] = words
        if None not in found:
            break
        for at, words in newest:
            for word in WORDS[actions]:
                to = turned(at, word, streets, actions)
                if to not in met:
                    met.add(to)
                    further.append((to, (*words, word)))
        newest = further
    return tuple(found)


@lru_cache(maxsize=2**16)
def _leaving(city: City, street: int, along: float) -> tuple[tuple[float, int, float, bool], ...]:
    """Return the ways that leave a place: heading, street, metres along it, and whether from its first end."""
    line = city.streets[street]
    if along in (0.0, line.length):
        node = line.ends[0 if along == 0.0 else 1]
        return tuple(
            (departing(city, each, forward), each, 0.0 if forward else city.streets[each].length, forward)
            for each, forward in city.branches(node)
        )
    return tuple((line.heading(along, forward), street, along, forward) for forward in (True, False))
