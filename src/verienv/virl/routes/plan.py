"""A plan: the streets of a route, independent of spacing and wording. Plans are what is shipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor
from typing import Any, Self

from verienv.virl.routes.expert_path import Leg, expert_path
from verienv.virl.routes.instructions import satisfies, turns_that_fit
from verienv.virl.routes.options import RouteOptions
from verienv.virl.routes.route import Route, Waypoint
from verienv.virl.world.city import AHEAD, City, Street
from verienv.virl.world.geometry import bearing, compass_word, position_word, turn, turn_word

SHORTEST_SPACING = 15.0
"""Metres. Nearer to the destination than this its landmark may be where the last sentence says."""

SHARPEST_BEND = 45.0
"""Degrees within 20 m: no route follows a street around a corner that is sharper, since ``forward()`` leads on."""

_MEASURED_EVERY = 2.5

Block = tuple[int, float, float]
"""A street, and where on it one sets out and arrives, in metres from its first end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A route through a city.

    Attributes:
        start: the index of the place at which it begins.
        destination: the index of the place to which it leads.
        heading: the heading of the agent at first, whole degrees.
        legs: the streets of each leg, each by its index, or ``~index`` where it is walked from its second end on.
    """

    start: int
    destination: int
    heading: int
    legs: tuple[tuple[int, ...], ...]

    def to_json(self) -> list[Any]:
        """Return the plan as a JSON list: start, destination, heading, legs."""
        return [self.start, self.destination, self.heading, [list(leg) for leg in self.legs]]

    @classmethod
    def from_json(cls, listed: Any) -> Self:
        """Read what ``to_json`` gives. Raises ValueError or TypeError for anything else."""
        start, destination, heading, legs = listed
        plan = cls(start, destination, heading, tuple(tuple(leg) for leg in legs))
        numbers = [start, destination, heading, *(street for leg in plan.legs for street in leg)]
        if not all(type(number) is int for number in numbers) or not plan.legs or not all(plan.legs):
            raise ValueError("a plan is [start, destination, heading, legs], all integers, no leg empty")
        return plan

    def blocks(self, city: City) -> list[list[Block]]:
        """Leg by leg, what is walked of each street."""
        found: list[list[Block]] = []
        for leg in self.legs:
            whole = [(s, 0.0, city.streets[s].length) if s >= 0 else (~s, city.streets[~s].length, 0.0) for s in leg]
            found.append(whole)
        first, last = found[0][0], found[-1][-1]
        found[0][0] = (first[0], city.places[self.start].along, first[2])
        found[-1][-1] = (last[0], found[-1][-1][1], city.places[self.destination].along)
        return found

    def length(self, city: City) -> float:
        """Metres from start to destination."""
        return sum(abs(end - start) for leg in self.blocks(city) for _, start, end in leg)

    def route(self, city: City, instance: str, options: RouteOptions) -> Route:
        """Return the route: a waypoint every ``options.spacing`` metres or a little more, and at each end of a street.

        Raises:
            ValueError: if landmarks alone are to tell a turn where none is near, or the plan is of another city.
        """
        streets = [street if street >= 0 else ~street for leg in self.legs for street in leg]
        if not 0 <= min(self.start, self.destination) <= max(self.start, self.destination) < len(city.places):
            raise ValueError(f"the plan leads from place {self.start} to {self.destination}; {city.name} has others")
        if not all(self.legs) or max(streets, default=len(city.streets)) >= len(city.streets):
            raise ValueError(f"the plan leads along streets that {city.name} has not")
        first, legs = self._poses(city, self.blocks(city), options.spacing)
        start, destination = city.places[self.start].label, city.places[self.destination].label
        return expert_path(instance, city.title, start, destination, first, legs, options)

    def _poses(self, city: City, blocks: list[list[Block]], spacing: float) -> tuple[Waypoint, list[Leg]]:
        legs = [
            Leg(city.streets[leg[0][0]].heading(leg[0][1], leg[0][2] > leg[0][1]), tuple(_walked(city, leg, spacing)))
            for leg in blocks
        ]
        street, along, _ = blocks[0][0]
        return pose_at(city, street, along, float(self.heading)), legs

    def is_sound(self, city: City) -> bool:
        """Whether every sentence of the route, however far apart its waypoints, can mean this way alone.

        A leg ends at the first junction that satisfies its sentence, and one without a landmark is one block; the
        destination is where the last sentence says for the first time; where the way turns, no other street lies in
        the same direction by either word; where it leads straight on, one street alone does; no turn leads back, and no
        street bends sharply.
        """
        blocks = self.blocks(city)
        if any(bends_sharply(city.streets[street], *sorted((a, b))) for leg in blocks for street, a, b in leg):
            return False
        at, legs = self._poses(city, blocks, 1e9)
        for leg, leads, streets in zip(legs, blocks, self.legs, strict=True):
            is_last = leg is legs[-1]
            end = leg.poses[-1]
            if not _leads(at, leg.heading):
                return False
            inner = leg.poses[:-1]
            if any(not _goes_straight_on(city, pose, ahead) for pose, ahead in zip(inner, streets[1:], strict=True)):
                return False
            earlier = _dense(city, leads) if is_last else inner
            if not satisfies(end, end, is_last) or any(satisfies(pose, end, is_last) for pose in earlier):
                return False
            at = end
        return at.landmark == city.places[self.destination].label

    def landmarks_suffice(self, city: City) -> bool:
        """Whether landmarks alone tell every turn: one is near, and its sentence fits one street only."""
        first, legs = self._poses(city, self.blocks(city), 1e9)
        for at, leg in zip((first, *(leg.poses[-1] for leg in legs)), legs, strict=False):
            if turn_word(at.heading, leg.heading):
                streets = [street for street in at.streets if abs(turn(street, leg.heading)) < 1e-6]
                if not at.landmark or turns_that_fit(at, leg.heading) != streets:
                    return False
        return True


def _walked(city: City, blocks: list[Block], spacing: float) -> Iterator[Waypoint]:
    """Yield the waypoint after each ``forward()`` along some streets, one at each end of a street."""
    for street, start, end in blocks:
        steps = max(1, floor(abs(end - start) / spacing))
        for step in range(1, steps + 1):
            along = end if step == steps else start + (end - start) * step / steps
            yield pose_at(city, street, along, city.streets[street].heading(along, end > start))


def _dense(city: City, blocks: list[Block]) -> Iterator[Waypoint]:
    """Every place but the end's near surroundings at which a waypoint of the last leg may lie."""
    for number, (street, start, end) in enumerate(blocks):
        way = abs(end - start) - (SHORTEST_SPACING if number == len(blocks) - 1 else 0.0)
        for step in range(1, floor(way / _MEASURED_EVERY) + 1):
            along = start + (_MEASURED_EVERY * step if end > start else -_MEASURED_EVERY * step)
            yield pose_at(city, street, along, city.streets[street].heading(along, end > start))
        if number < len(blocks) - 1:
            yield pose_at(city, street, end, city.streets[street].heading(end, end > start))


def pose_at(city: City, street: int, along: float, heading: float) -> Waypoint:
    """Return the waypoint at ``along`` metres on a street, for an agent that looks along ``heading``."""
    line = city.streets[street]
    if along in (0.0, line.length):
        node = line.ends[0 if along == 0.0 else 1]
        location, crossing = city.nodes[node], city.is_junction(node)
        streets = tuple(departing(city, each, ahead) for each, ahead in city.branches(node))
    else:
        location, crossing = line.at(along), False
        streets = (line.heading(along, True), line.heading(along, False))
    place = city.landmark_at(location)
    if place is None:
        return Waypoint(location, heading, at_intersection=crossing, streets=streets)
    return Waypoint(
        location,
        heading,
        landmark=place.label,
        landmark_name=place.name,
        landmark_bearing=bearing(location, place.location),
        at_intersection=crossing,
        streets=streets,
    )


def bends_sharply(street: Street, start: float, end: float) -> bool:
    """Whether a street bends by more than 45 degrees within 20 m somewhere from ``start`` to ``end`` metres."""
    along, heading = start, street.heading(start, True)
    while along < end - AHEAD:
        along += AHEAD / 2
        further = street.heading(along, True)
        if abs(turn(heading, further)) > SHARPEST_BEND:
            return True
        heading = further
    return False


def departing(city: City, street: int, forward: bool) -> float:
    """The heading in which one sets out on a street, from its first end if ``forward``, in degrees."""
    line = city.streets[street]
    return line.heading(0.0, True) if forward else line.heading(line.length, False)


def _leads(at: Waypoint, heading: float) -> bool:
    """Whether the words for the way on at a place, by turn and by compass, mean the street at ``heading`` alone."""
    others = [street for street in at.streets if abs(turn(street, heading)) > 1e-6]
    if position_word(at.heading, heading) == "behind":
        return False
    side = turn_word(at.heading, heading)
    ahead = [street for street in others if position_word(at.heading, street) != "behind"]
    if any(turn_word(at.heading, street) == side for street in ahead):
        return False
    return not side or all(compass_word(street) != compass_word(heading) for street in others)


def _goes_straight_on(city: City, pose: Waypoint, street: int) -> bool:
    """Whether ``street`` alone leads straight on where one has arrived at an end of a street."""
    heading = departing(city, street if street >= 0 else ~street, street >= 0)
    return not turn_word(pose.heading, heading) and _leads(pose, heading)
