"""A route as the numbers of ``VIRLDiscrete`` tell it, waypoint by waypoint."""

from __future__ import annotations

import numpy as np

from verienv.numeric.sentences import (
    ACTIONS,
    HEAD,
    IN_HEAD,
    IN_SENTENCE,
    TAIL,
    WIDTH,
    Numbers,
    read_sentences,
    sentences_followed,
    write_walk,
)
from verienv.virl.routes.route import Route, Waypoint
from verienv.virl.walking.walk import Walk
from verienv.virl.world.geometry import COMPASS, POSITIONS, compass_word, position_word


class RouteNumbers:
    """The part of an observation that hangs on the route and on where one stands, not on the answers given there.

    Args:
        route: the route.
        window: how many sentences are told.
        pointer: whether they begin with the one to which the steps so far lead.
        vision: whether the landmark is in a picture, and not told.
        tells_junctions: whether the view tells if streets cross.
        tells_streets: whether it tells where streets lead.
        relative: whether the rule is left and right.

    Raises:
        ValueError: for a route of more sentences than ``window``, unless there is a pointer.
    """

    def __init__(
        self,
        route: Route,
        *,
        window: int,
        pointer: bool,
        vision: bool,
        tells_junctions: bool,
        tells_streets: bool,
        relative: bool,
    ) -> None:
        self._sentences, self._rows = read_sentences(route.instructions)
        if not pointer and len(self._sentences) > window:
            raise ValueError(
                f"window={window}: the route {route.id} has {len(self._sentences)} sentences; set a larger window, or "
                "pointer=True"
            )
        self.route = route
        self._window, self._pointer, self._vision = window, pointer, vision
        self._tells_junctions, self._tells_streets, self._relative = tells_junctions, tells_streets, relative
        self._reached = sentences_followed(self._sentences, route.waypoints)

    def row(self, place: Waypoint, passed: int, walk: Walk | None = None) -> Numbers:
        """Return the numbers at a waypoint with ``passed`` of the route behind: float32, (104 + 27 * window,).

        All are 0 or 1; "tried" and "attempts_left" are left at 0. Those of a free walk follow, where one is given
        (``sentences.write_walk``).
        """
        at, waypoints, behind = IN_HEAD, self.route.waypoints, HEAD + WIDTH * self._window
        passed = walk.furthest if walk else min(passed, len(waypoints) - 1)
        state = np.zeros(behind + (TAIL if walk else 0), np.float32)
        if not self._vision:
            state[at["landmark"]] = bool(place.landmark)
            if place.landmark:
                state[at["position"].start + POSITIONS.index(place.landmark_position)] = 1
        if self._tells_junctions:
            state[at["at_intersection"]] = place.at_intersection
        if self._tells_streets:
            for street in place.streets:
                position, compass = position_word(place.heading, street), compass_word(street)
                state[at["streets"].start + 8 * POSITIONS.index(position) + COMPASS.index(compass)] = 1
        state[at["relative"]] = self._relative
        last = walk.last if walk else waypoints[passed - 1].action if passed else ""
        if last:
            state[at["last_action"].start + ACTIONS.index(last)] = 1
        led, followed = self._reached[passed]
        first = led if walk is None or walk.came else followed
        self._tell(state[HEAD:behind].reshape(-1, WIDTH), place, first if self._pointer else 0)
        if walk:
            write_walk(state[behind:], walk)
        return state

    def _tell(self, rows: Numbers, place: Waypoint, first: int) -> None:
        """Write the sentences from ``first`` on into ``rows``, and mark those that name the landmark in view."""
        given = self._sentences[first : first + len(rows)]
        rows[: len(given)] = self._rows[first : first + len(given)]
        if place.landmark and not self._vision:
            for row, sentence in zip(rows, given, strict=False):
                if sentence.landmark == place.landmark:
                    row[IN_SENTENCE["in_view"]] = 1
                    row[IN_SENTENCE["in_place"]] = sentence.position == place.landmark_position
