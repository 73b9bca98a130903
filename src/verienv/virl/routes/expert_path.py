"""The expert's path along the legs of a route: every pose, the move made at it, and the sentence it follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from verienv.virl.routes.instructions import STOP, turn_sentence, walk_sentence
from verienv.virl.routes.options import RouteOptions
from verienv.virl.routes.route import Route, Waypoint
from verienv.virl.world.geometry import turn_word


@dataclass(frozen=True, slots=True)
class Leg:
    """The way between two turns.

    Attributes:
        heading: the direction in which the agent sets out, in degrees.
        poses: the truth after each ``forward()``, the end of the leg last; at least one.
    """

    heading: float
    poses: tuple[Waypoint, ...]


def expert_path(
    instance: str,
    city: str,
    start: str,
    destination: str,
    first: Waypoint,
    legs: Sequence[Leg],
    options: RouteOptions,
) -> Route:
    """Return the route along ``legs``, from ``first``, the pose at the beginning.

    A leg begins with a turn unless it leads straight on. The last leg's end must see the destination.
    """
    instructions: list[str] = []
    waypoints: list[Waypoint] = []
    at = first
    for leg in legs:
        if turn_word(at.heading, leg.heading):
            sentence = turn_sentence(at, leg.heading, options.directions)
            instructions.append(sentence)
            waypoints.append(replace(at, move="turn", turn_to=leg.heading, sentence=sentence, actions=options.actions))
            at = replace(at, heading=leg.heading)
        sentence = walk_sentence(leg.poses[-1], leg is legs[-1])
        instructions.append(sentence)
        waypoints += [
            replace(pose, move="forward", sentence=sentence, actions=options.actions) for pose in (at, *leg.poses[:-1])
        ]
        at = leg.poses[-1]
    instructions.append(STOP)
    waypoints.append(replace(at, move="stop", sentence=STOP, actions=options.actions))
    return Route(instance, city, start, destination, tuple(instructions), tuple(waypoints))
