"""A free walk: where the walker stands, the way so far, and how it is measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from verienv.virl.actions import Action
from verienv.virl.routes.route import Route, Waypoint
from verienv.virl.walking.expert import WayHome
from verienv.virl.walking.measures import SUCCESS_RADIUS, Trace
from verienv.virl.walking.streets import Stand
from verienv.virl.world.geometry import Point, distance


def most_actions(expert: int) -> int:
    """Return the actions after which a walk ends: four times the expert's, and 20."""
    return 4 * expert + 20


def ends_where_it_begins(route: Route) -> bool:
    """Return whether ``stop()`` as the first action of a walk would count as success."""
    return distance(route.waypoints[0].location, route.waypoints[-1].location) <= SUCCESS_RADIUS


@dataclass(frozen=True)
class Walk:
    """A walk along a route, or astray from it.

    Attributes:
        home: the expert of the route.
        stand: where the walker is.
        track: the positions so far, the newest last; a turn adds none.
        at: the waypoint of the route that this is, None off the route.
        trace: the walk as its measures see it.
        taken: actions so far.
        furthest: the most waypoints of the route that have lain behind.
        last, last_turn: the newest action, and the newest turn; "" for none.
        strides: how many strides were taken since that turn, or since the beginning.
        stayed: whether the newest action was ``forward()`` and led nowhere.
        came: whether that action led to a waypoint of the route further than those before.
        turns_met: the waypoints of the route at which one has stood and a turn was due.
        turns_right: at how many of them one turned as the route does at the first visit.
    """

    home: WayHome
    stand: Stand
    track: tuple[Point, ...]
    trace: Trace
    at: int | None = 0
    taken: int = 0
    furthest: int = 0
    last: Action = ""
    last_turn: Action = ""
    strides: int = 0
    stayed: bool = False
    came: bool = True
    turns_met: frozenset[int] = frozenset()
    turns_right: int = 0

    @classmethod
    def begin(cls, home: WayHome) -> Walk:
        """Return the walk at the beginning of a route."""
        start = home.route.waypoints[0].location
        return cls(home, home.stands[0], (start,), Trace.begin(home.track, start))

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
        return self.trace.error <= SUCCESS_RADIUS

    @property
    def whereabouts(self) -> str:
        """The position of the walker in words, for people."""
        metres = round(self.trace.error)
        where = "off the route" if self.at is None else f"{self.at} of {self.home.actions} waypoints lie behind"
        return f"{where}, {metres} m from the goal as the crow flies.".capitalize()

    def after(self, action: Action) -> Walk:
        """Return the walk after a legal action."""
        stand = self.home.after(self.stand, self.at, action)
        moved = action == "forward()" and stand != self.stand
        track, trace = self.track, self.trace
        if moved:
            here = self.home.streets.location(stand)
            track, trace = (*track, here), trace.after(here)
        is_astray, turns = self.at is None, action.startswith("turn")
        is_free = is_astray and self.home.recovery == "goal"  # the route means nothing any more
        at = None if is_free else self.home.index(stand, self.furthest, astray=is_astray, turned=turns)
        met, right = self._turns(action)
        return Walk(
            self.home,
            stand,
            track,
            trace,
            at,
            self.taken + 1,
            max(self.furthest, at or 0),
            last=action,
            last_turn=action if turns else self.last_turn,
            strides=0 if turns else self.strides + moved,
            stayed=action == "forward()" and not moved,
            came=(at or 0) > self.furthest,
            turns_met=met,
            turns_right=right,
        )

    def _turns(self, action: Action) -> tuple[frozenset[int], int]:
        """Return ``turns_met`` and ``turns_right`` after an action."""
        if self.at is None or self.at in self.turns_met or self.waypoint.move != "turn":
            return self.turns_met, self.turns_right
        return self.turns_met | {self.at}, self.turns_right + (action == self.waypoint.action)

    def stays(self, action: Action) -> bool:
        """Whether ``forward()`` leads nowhere here."""
        return action == "forward()" and self.home.after(self.stand, self.at, action) == self.stand

    def potential(self) -> float:
        """Return the share of the expert's actions that are saved: 0 at the beginning, below it further away."""
        return 1.0 - self.home.left(self.stand, self.at) / self.home.actions

    def progress(self) -> float:
        """Return the share of the expert's actions that are saved by now, from 0 to 1."""
        return min(max(self.potential(), 0.0), 1.0)

    def measures(self, stopped: bool) -> dict[str, float]:
        """Return the measures of the walk so far; ``stopped`` whether it ended by ``stop()``.

        Those of the field, and ``success_in_block`` (it stopped in the block of the goal) and ``turns_right`` (the
        share of the route's turns at which the first action was the turn; 1 for a route without any).
        """
        turns = self.home.route.turn_count
        return {
            **self.trace.measures(stopped),
            "success_in_block": float(stopped and self.home.in_block(self.stand)),
            "turns_right": self.turns_right / turns if turns else 1.0,
        }
