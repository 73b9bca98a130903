"""A route of the paper's data, with all that playing it needs, and a file of such routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import floor
from pathlib import Path

from verienv.virl.actions import WORDS
from verienv.virl.prompts import LONGEST_QUESTION, PHRASINGS, number_lines, step_line, view, write_question
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
        heading: the heading of the leg that ends here, in degrees.
        landmark: the landmark's name in printable ASCII, "" if there is none; at the last milestone, the destination's.
        landmark_name: the landmark's name in its own script.
        landmark_bearing: the direction from here to the landmark, in degrees.
    """

    location: Point
    heading: float
    landmark: str = ""
    landmark_name: str = ""
    landmark_bearing: float = 0.0


@dataclass(frozen=True, slots=True)
class PaperRoute:
    """A route of the paper's data.

    Attributes:
        start: the name of the place at the start, printable ASCII; "" if it is not known.
        location: the position of the start, latitude and longitude in degrees.
        heading: the heading of the agent at the start, in degrees.
        milestones: the ends of its legs, at least one; the landmark of the last is the destination.
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
        """Return the route as it is played, with a waypoint every ``options.spacing`` metres or a little more.

        Legs are divided evenly and straight; between milestones there is no landmark and no street crosses.

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
class PaperFile:
    """A file of the paper's routes.

    Attributes:
        path: the path of the file.
        name: the name in the instances of its routes.
        routes: the routes that can be played, by their index in the file.
        defects: the defect of each other route, by its index.
        panoramas: the ids of panoramas near the routes, by position; empty unless the file is a converted one.
        rotations: the rotations of panoramas in degrees, by id, where they are known.
        is_converted: whether the file is one of our own (``converted``).
    """

    path: Path
    name: str
    routes: Mapping[int, PaperRoute]
    defects: Mapping[int, str]
    panoramas: Mapping[Point, str] = field(default_factory=dict)
    rotations: Mapping[str, float] = field(default_factory=dict)
    is_converted: bool = False


def longest_question(route: Route) -> int:
    """Count the characters of a route's longest question, in any phrasing and action space: the one at its end."""
    *before, end = route.waypoints
    instructions, here = number_lines(route.instructions), view(end)
    histories = {actions: [step_line(replace(waypoint, actions=actions)) for waypoint in before] for actions in WORDS}
    return max(
        len(write_question(instructions, history, here, actions, phrasing))
        for actions, history in histories.items()
        for phrasing in range(len(PHRASINGS))
    )
