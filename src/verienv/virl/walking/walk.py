"""A free walk: where the walker stands, the way so far, and how it is measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from verienv.virl.actions import Action
from verienv.virl.routes.route import Waypoint
from verienv.virl.walking.expert import WayHome
from verienv.virl.walking.measures import SUCCESS_RADIUS, measure
from verienv.virl.walking.streets import Stand
from verienv.virl.world.geometry import Point, distance


def most_actions(expert: int) -> int:
    """Return the actions after which a walk ends: four times the expert's, and 20."""
    return 4 * expert + 20


@dataclass(frozen=True)
class Walk:
    """A walk along a route, or astray from it.

    Attributes:
        home: the expert of the route.
        stand: where the walker is.
        track: the positions so far, the newest last; a turn adds none.
        at: the waypoint of the route that this is, None off the route.
        taken: actions so far.
        furthest: the most waypoints of the route that have lain behind.
    """

    home: WayHome
    stand: Stand
    track: tuple[Point, ...]
    at: int | None = 0
    taken: int = 0
    furthest: int = 0

    @classmethod
    def begin(cls, home: WayHome) -> Walk:
        """Return the walk at the beginning of a route."""
        return cls(home, home.stands[0], (home.route.waypoints[0].location,))

    @cached_property
    def waypoint(self) -> Waypoint:
        """The truth here, and the expert's move."""
        return self.home.waypoint(self.stand, self.at)

    @property
    def left(self) -> int:
        """The number of actions that are left, ``stop()`` included."""
        return most_actions(self.home.actions) - self.taken

    @property
    def is_near(self) -> bool:
        """Whether ``stop()`` counts as success here."""
        return distance(self.track[-1], self.home.goal) <= SUCCESS_RADIUS

    @property
    def whereabouts(self) -> str:
        """The position of the walker in words, for people."""
        metres = round(distance(self.track[-1], self.home.goal))
        where = "off the route" if self.at is None else f"{self.at} of {self.home.actions} waypoints lie behind"
        return f"{where}, {metres} m from the goal as the crow flies.".capitalize()

    def after(self, action: Action) -> Walk:
        """Return the walk after a legal action."""
        stand = self.home.after(self.stand, self.at, action)
        moved = action == "forward()" and stand != self.stand
        track = (*self.track, self.home.streets.location(stand)) if moved else self.track
        is_astray = self.at is None
        is_free = is_astray and self.home.recovery == "goal"  # the route means nothing any more
        at = None if is_free else self.home.index(stand, self.furthest, astray=is_astray)
        return Walk(self.home, stand, track, at, self.taken + 1, max(self.furthest, at or 0))

    def stays(self, action: Action) -> bool:
        """Whether ``forward()`` leads nowhere here."""
        return action == "forward()" and self.home.after(self.stand, self.at, action) == self.stand

    def progress(self) -> float:
        """Return the share of the expert's actions that are saved by now, from 0 to 1."""
        done = 1.0 - self.home.left(self.stand, self.at) / self.home.actions
        return min(max(done, 0.0), 1.0)

    def measures(self, stopped: bool) -> dict[str, float]:
        """Return the measures of the field, of the walk so far; ``stopped`` whether it ended by ``stop()``."""
        return measure(self.track, [one.location for one in self.home.route.waypoints], stopped)
