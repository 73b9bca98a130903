"""A route of the paper's public data, as far as playing it needs, and a file of such routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import floor
from pathlib import Path

from verienv.virl.actions import WORDS
from verienv.virl.prompts import LONGEST_QUESTION, PHRASINGS, numbered, step_line, view, write_question
from verienv.virl.routes.expert_path import Leg, expert_path
from verienv.virl.routes.options import RouteOptions
from verienv.virl.routes.route import Route, Waypoint
from verienv.virl.world.geometry import Point, between, distance

_NOTHING = "No landmark is near. -> forward()\n"
"""The shortest line of a question's history: no route has more waypoints than fit with it."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """The end of a leg.

    Attributes:
        location: latitude and longitude in degrees.
        heading: of the leg that ends here, in degrees.
        landmark: its name in printable ASCII, "" if there is none; at the last milestone, the destination's.
        landmark_name: its name in its own script.
        landmark_bearing: the direction from here in which it stands, in degrees.
    """

    location: Point
    heading: float
    landmark: str = ""
    landmark_name: str = ""
    landmark_bearing: float = 0.0


@dataclass(frozen=True, slots=True)
class PublicRoute:
    """All that playing a route needs.

    Attributes:
        start: the name of the place at which it begins, printable ASCII; "" if it is not known.
        location: where it begins.
        heading: in which the agent looks at first, in degrees.
        milestones: the ends of its legs, at least one; the last has the destination for landmark.
    """

    start: str
    location: Point
    heading: float
    milestones: tuple[Milestone, ...]

    @property
    def points(self) -> tuple[Point, ...]:
        """The start and the milestones."""
        return self.location, *(milestone.location for milestone in self.milestones)

    def route(self, instance: str, city: str, options: RouteOptions) -> Route:
        """The route as it is played, with a waypoint every ``options.spacing`` metres or a little more.

        Legs are divided evenly and straight; between milestones no landmark is seen and no street crosses.

        Raises:
            ValueError: if its questions could become longer than ``LONGEST_QUESTION``.
        """
        steps = [max(1, floor(distance(*leg) / options.spacing)) for leg in pairwise(self.points)]
        too_long = (
            f"the questions on its {sum(steps)} steps of {options.spacing:g} m could exceed {LONGEST_QUESTION} "
            "characters; choose a larger spacing"
        )
        if sum(steps) * len(_NOTHING) > LONGEST_QUESTION:
            raise ValueError(too_long)
        legs = []
        for (start, end), count, milestone in zip(pairwise(self.points), steps, self.milestones, strict=True):
            heading = milestone.heading
            way = [Waypoint(between(start, end, step / count), heading) for step in range(1, count)]
            arrival = Waypoint(
                end,
                heading,
                landmark=milestone.landmark,
                landmark_name=milestone.landmark_name,
                landmark_bearing=milestone.landmark_bearing,
                at_intersection=milestone is not self.milestones[-1],
            )
            legs.append(Leg(heading, (*way, arrival)))
        first = Waypoint(self.location, self.heading)
        route = expert_path(instance, city, self.start, self.milestones[-1].landmark, first, legs, options)
        if longest_question(route) > LONGEST_QUESTION:
            raise ValueError(too_long)
        return route


@dataclass(frozen=True)
class PublicFile:
    """A file of routes.

    Attributes:
        path: where it is.
        name: what its instances are called by.
        routes: the routes that can be played, by their index in the file.
        defects: what is wrong with each of the others.
        panoramas: where panoramas were taken near the routes, and their ids; none unless the file is a converted one.
        rotations: the rotation of each panorama for which it is known, in degrees.
        is_converted: whether it is a file of our own (``converted``).
    """

    path: Path
    name: str
    routes: Mapping[int, PublicRoute]
    defects: Mapping[int, str]
    panoramas: Mapping[Point, str] = field(default_factory=dict)
    rotations: Mapping[str, float] = field(default_factory=dict)
    is_converted: bool = False


def longest_question(route: Route) -> int:
    """Characters of the longest question on a route, in any phrasing and action space: the one at its end."""
    *before, end = route.waypoints
    told, seen = numbered(route.instructions), view(end)
    histories = {actions: [step_line(replace(waypoint, actions=actions)) for waypoint in before] for actions in WORDS}
    return max(
        len(write_question(told, history, seen, actions, phrasing))
        for actions, history in histories.items()
        for phrasing in range(len(PHRASINGS))
    )
