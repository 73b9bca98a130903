"""A route as the policy meets it: poses one after the other, what is true at each, and the sentences it follows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

from verienv.virl.world.geometry import Point, compass_word, position_phrase, position_word, turn_word

TASK = "virl"

Move = Literal["forward", "turn", "stop"]
ActionSpace = Literal["absolute", "relative"]


@dataclass(frozen=True)
class Waypoint:
    """One pose on the expert's path: the place and heading of the agent, the truth there, and the expert's move.

    Attributes:
        location: latitude and longitude in degrees.
        heading: degrees clockwise from north.
        move: what the expert does here.
        turn_to: the heading that a turn leads to, in degrees; of no meaning for other moves.
        sentence: the instruction that is followed here, "" if it does not matter.
        landmark: the name of the landmark near here, printable ASCII; "" if there is none.
        landmark_name: its name in its own script.
        landmark_bearing: the direction in which it stands, degrees clockwise from north.
        at_intersection: whether streets cross here.
        streets: the directions in which streets lead from here, degrees clockwise from north.
        actions: the rule, the action space: "absolute" (words of the compass) or "relative" (left and right).
    """

    location: Point = (0.0, 0.0)
    heading: float = 0.0
    move: Move = "forward"
    turn_to: float = 0.0
    sentence: str = ""
    landmark: str = ""
    landmark_name: str = ""
    landmark_bearing: float = 0.0
    at_intersection: bool = False
    streets: tuple[float, ...] = ()
    actions: ActionSpace = "absolute"

    @cached_property
    def landmark_position(self) -> str:
        """The position word of the landmark, seen along the heading; "" without a landmark."""
        return position_word(self.heading, self.landmark_bearing) if self.landmark else ""

    @property
    def where(self) -> str:
        """The landmark's position as a sentence tells it, such as "on your left front"."""
        return position_phrase(self.landmark_position)

    @cached_property
    def observation(self) -> str:
        """The true observation in words, as the question and the expert word it."""
        near = f"{self.landmark} is {self.where}." if self.landmark else "No landmark is near."
        return f"{near} You are at an intersection." if self.at_intersection else near

    @cached_property
    def action(self) -> str:
        """The expert's action under the rule, such as ``turn_direction(northwest)``."""
        if self.move != "turn":
            return f"{self.move}()"
        word = compass_word(self.turn_to) if self.actions == "absolute" else turn_word(self.heading, self.turn_to)
        return f"turn_direction({word})"


@dataclass(frozen=True, slots=True)
class Route:
    """The expert's path with its instructions.

    Attributes:
        id: the instance, such as "virl:helsinki:12".
        city: where it lies.
        start: the place it begins at.
        destination: the place it leads to.
        instructions: the sentences, without their numbers.
        waypoints: the poses, first to last; the last one's move is "stop".
        turn_count: the turns among them.
    """

    id: str
    city: str
    start: str
    destination: str
    instructions: tuple[str, ...]
    waypoints: tuple[Waypoint, ...]

    @property
    def turn_count(self) -> int:
        return sum(waypoint.move == "turn" for waypoint in self.waypoints)


def current_instruction(route: Route, passed: int) -> int | None:
    """Return the instruction that is due after ``passed`` waypoints, from 0; None if the route does not say.

    Of two equal sentences in a row, such as "Walk forward to the next intersection.", the first ends where streets
    cross.
    """
    way, sentences = route.waypoints[: passed + 1], route.instructions
    if way[0].sentence not in sentences:
        return None
    at = sentences.index(way[0].sentence)
    for before, here in pairwise(way):
        ends = before.move == "forward" and here.at_intersection and sentences[at + 1 : at + 2] == (here.sentence,)
        if here.sentence != sentences[at] or ends:
            if here.sentence not in sentences[at + 1 :]:
                return None
            at = sentences.index(here.sentence, at + 1)
    return at
