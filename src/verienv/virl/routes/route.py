"""A route as the policy meets it: poses one after the other, what is true at each, and the sentences it follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from numbers import Real
from typing import Any, Literal, get_args

from verienv.core.shown import shown
from verienv.virl.world.geometry import STRAIGHT, Point, compass_word, position_phrase, position_word, turn_word

TASK = "virl"

Move = Literal["forward", "turn", "stop"]
ActionSpace = Literal["absolute", "relative"]
MOVES: tuple[Move, ...] = get_args(Move)
ACTION_SPACES: tuple[ActionSpace, ...] = get_args(ActionSpace)

LONGEST_TEXT = 1900
"""Characters of a sentence or a name: an answer that tells one is read whole."""

MOST_DEGREES = 1e9
"""Angles beyond have no digits left that say where they point."""


@dataclass(frozen=True)
class Waypoint:
    """One pose on the expert's path: the place and heading of the agent, the truth there, and the expert's move.

    Angles are any finite numbers of degrees, taken modulo 360; a move, a rule or a number that cannot be is a
    ValueError, and so is a turn that is none under the rule.

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

    def __post_init__(self) -> None:
        if self.move not in MOVES or self.actions not in ACTION_SPACES:
            name, words = ("actions", ACTION_SPACES) if self.move in MOVES else ("move", MOVES)
            raise ValueError(f"Waypoint: {name}={shown(getattr(self, name))}: expected {' or '.join(words)}")
        for name in ("heading", "turn_to", "landmark_bearing"):
            object.__setattr__(self, name, _read_degrees(name, getattr(self, name)))
        object.__setattr__(self, "location", _read_location(self.location))
        object.__setattr__(self, "streets", tuple([_read_degrees("streets", each) for each in _list(self, "streets")]))
        for name in ("sentence", "landmark", "landmark_name"):
            text = getattr(self, name)
            if not isinstance(text, str) or len(text) > LONGEST_TEXT:
                raise ValueError(f"Waypoint: {name}={shown(text)}: expected a text of up to {LONGEST_TEXT} characters")
        if type(self.at_intersection) is not bool:
            raise ValueError(f"Waypoint: at_intersection={shown(self.at_intersection)}: expected True or False")
        if self.move == "turn" and self.actions == "relative" and not turn_word(self.heading, self.turn_to):
            raise ValueError(
                f"Waypoint: under actions='relative' its turn from {self.heading:g} to {self.turn_to:g} degrees is "
                f"none, since it leads straight on; expected more than {STRAIGHT} degrees, or another move"
            )

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


def _read_degrees(name: str, value: Any) -> float:
    """Return an angle as a plain number. Raises ValueError for anything else."""
    if type(value) not in (float, int) and isinstance(value, Real) and not isinstance(value, bool):
        value = float(value)  # one of numpy's
    if type(value) not in (float, int) or not abs(value) <= MOST_DEGREES:
        raise ValueError(f"Waypoint: {name}={shown(value)}: expected degrees, a finite number")
    return value  # type: ignore[no-any-return]


def _read_location(location: Any) -> Point:
    if not isinstance(location, tuple | list) or len(location) != 2:
        raise ValueError(f"Waypoint: location={shown(location)}: expected latitude and longitude in degrees")
    latitude, longitude = _read_degrees("location", location[0]), _read_degrees("location", location[1])
    if abs(latitude) > 90 or abs(longitude) > 360:
        raise ValueError(f"Waypoint: location={shown(location)}: expected latitude and longitude in degrees")
    return latitude, longitude


def _list(owner: Waypoint | Route, name: str) -> tuple[Any, ...] | list[Any]:
    listed = getattr(owner, name)
    if not isinstance(listed, tuple | list):
        raise ValueError(f"{type(owner).__name__}: {name}={shown(listed)}: expected a tuple")
    return listed


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
        landmark_count: the different landmarks near them.

    Raises:
        ValueError: if there is no waypoint, or a part is of another type.
    """

    id: str
    city: str
    start: str
    destination: str
    instructions: tuple[str, ...]
    waypoints: tuple[Waypoint, ...]
    turn_count: int = field(init=False, compare=False, repr=False)
    landmark_count: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name, kind in (("instructions", str), ("waypoints", Waypoint)):
            parts = tuple(_list(self, name))
            if wrong := [part for part in parts if not isinstance(part, kind)]:
                raise ValueError(f"Route: {name} hold {shown(wrong[0])}; expected a tuple of {kind.__name__} alone")
            object.__setattr__(self, name, parts)
        if not self.waypoints:
            raise ValueError("Route: waypoints=(): expected at least one, where the route begins")
        turns = sum(waypoint.move == "turn" for waypoint in self.waypoints)
        object.__setattr__(self, "turn_count", turns)
        landmarks = {waypoint.landmark for waypoint in self.waypoints} - {""}
        object.__setattr__(self, "landmark_count", len(landmarks))


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
