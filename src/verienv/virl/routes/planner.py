"""Planning: routes of a wanted number of turns and length, between places, with sentences that mean one way alone."""

from __future__ import annotations

import numpy as np

from verienv.virl.routes.plan import SHORTEST_SPACING, Plan, departing
from verienv.virl.world.city import City, Place
from verienv.virl.world.geometry import BACK, position_word, turn, turn_word

MOST_TRIES = 20_000
_FROM_CORNER = 5.0
_MOST_BLOCKS = 40


class Planner:
    """Plans routes through a city.

    A route is a random walk without loops, kept if its length is wanted and its plan is sound (``Plan.is_sound``).
    """

    def __init__(self, city: City) -> None:
        self.city = city
        self.anchors: dict[int, list[int]] = {}
        """By street, the places that are the landmark at their own foot: routes begin and end at them."""
        for index, place in enumerate(city.places):
            if self._is_anchor(place):
                self.anchors.setdefault(place.street, []).append(index)
        self._starts = [index for places in self.anchors.values() for index in places]

    def _is_anchor(self, place: Place) -> bool:
        inside = _FROM_CORNER <= place.along <= self.city.streets[place.street].length - _FROM_CORNER
        return inside and self.city.landmark_at(self.city.foot(place)) is place

    def plan(
        self,
        rng: np.random.Generator,
        turns: int,
        length: tuple[float, float] = (150.0, 1200.0),
    ) -> Plan:
        """A sound plan.

        Args:
            rng: the one source of chance.
            turns: how many, that at the beginning included.
            length: the least and the greatest length in metres.

        Raises:
            ValueError: if none is found in 20,000 tries.
        """
        for _ in range(MOST_TRIES if self._starts else 0):
            plan = self._walk(turns, length[1], rng)
            if plan and length[0] <= plan.length(self.city) <= length[1] and plan.is_sound(self.city):
                return plan
        raise ValueError(
            f"no route of {turns} turns and {length[0]:.0f} to {length[1]:.0f} metres was found in "
            f"{self.city.title}; ask for fewer turns, or choose a city with more places and junctions"
        )

    def _walk(self, turns: int, longest: float, rng: np.random.Generator) -> Plan | None:
        """A random walk from a place to a place; None where it gets nowhere."""
        start = self._starts[int(rng.integers(len(self._starts)))]
        place = self.city.places[start]
        forward = bool(rng.integers(2))
        out = self.city.streets[place.street].heading(place.along, forward)
        heading = int(rng.integers(360))
        while abs(turn(heading, out)) > BACK:
            heading = int(rng.integers(360))
        turns -= bool(turn_word(heading, out))
        legs = [[place.street if forward else ~place.street]]
        walked, visited = 0.0, set[int]()
        for _ in range(_MOST_BLOCKS):
            if turns == 0:
                goal = self._goal(legs, place.along if len(legs) == len(legs[0]) == 1 else None, rng)
                if goal is not None:
                    return Plan(start, goal, heading, tuple(tuple(leg) for leg in legs))
            street = legs[-1][-1]
            node = self._end(street)
            walked += self.city.streets[street if street >= 0 else ~street].length
            if node in visited or walked > longest:
                return None
            visited.add(node)
            step = self._step(street, node, turns, rng)
            if step is None:
                return None
            following, turns_here, ends_leg = step
            turns -= turns_here
            if ends_leg:
                legs.append([following])
            else:
                legs[-1].append(following)
        return None

    def _goal(self, legs: list[list[int]], begun: float | None, rng: np.random.Generator) -> int | None:
        """A place on the newest street to end at, ahead of ``begun`` metres where the route begins on that street."""
        street = legs[-1][-1]
        line = self.city.streets[street if street >= 0 else ~street]
        start = begun if begun is not None else (0.0 if street >= 0 else line.length)
        ahead = 1.0 if street >= 0 else -1.0
        found = [
            index
            for index in self.anchors.get(street if street >= 0 else ~street, ())
            if (self.city.places[index].along - start) * ahead > SHORTEST_SPACING
        ]
        return found[int(rng.integers(len(found)))] if found else None

    def _end(self, street: int) -> int:
        return self.city.streets[street].ends[1] if street >= 0 else self.city.streets[~street].ends[0]

    def _step(self, street: int, node: int, turns: int, rng: np.random.Generator) -> tuple[int, bool, bool] | None:
        """The next street, whether one turns into it, and whether it begins a leg. None at a dead end."""
        line = self.city.streets[street if street >= 0 else ~street]
        arriving = line.heading(line.length, True) if street >= 0 else line.heading(0.0, False)
        straight, aside = list[int](), list[int]()
        for each, ahead in self.city.branches(node):
            heading = departing(self.city, each, ahead)
            if position_word(arriving, heading) != "behind":
                (aside if turn_word(arriving, heading) else straight).append(each if ahead else ~each)
        if turns and aside and rng.random() < (0.5 if straight else 1.0):
            return aside[int(rng.integers(len(aside)))], True, True
        if len(straight) != 1:
            return None
        return straight[0], False, self.city.is_junction(node) and rng.random() < 0.4
