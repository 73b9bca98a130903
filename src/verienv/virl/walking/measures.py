"""Measures of walks in the field, each of two tracks: the positions of a walk, and those of the route.

Tracks are sequences of (latitude, longitude) in degrees, in order, at least one; a position that follows itself counts
once. Distances are metres along great circles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp

import numpy as np
from numpy.typing import NDArray

from verienv.virl.world.geometry import EARTH_RADIUS, Point, distance

SUCCESS_RADIUS = 25.0
"""Metres from the goal within which a walk that stops has succeeded."""

Track = Sequence[Point]


def without_pauses(track: Track) -> list[Point]:
    """Return a track without positions that follow themselves. Raises ValueError for one without any."""
    if not track:
        raise ValueError("a track has no position: expected at least one, where the walk begins")
    return [track[0], *(after for before, after in pairwise(track) if after != before)]


def length(track: Track) -> float:
    """Return the metres from position to position of a track."""
    return sum(distance(*step) for step in pairwise(track))


@dataclass(frozen=True, eq=False)
class RouteTrack:
    """The positions of a route as measures need them, each made once.

    Attributes:
        points: the positions, none twice in a row.
        length: metres from position to position.
    """

    points: tuple[Point, ...]
    length: float
    _radians: NDArray[np.float64]
    _cosines: NDArray[np.float64]

    @classmethod
    def of(cls, route: Track) -> RouteTrack:
        """Read the positions of a route. Raises ValueError for none."""
        points = without_pauses(route)
        north_east = np.radians(np.array(points)).T
        return cls(tuple(points), length(points), north_east, np.cos(north_east[0]))

    def gaps(self, point: Point) -> NDArray[np.float64]:
        """Return the metres from a point to each position (haversine)."""
        north, east = np.radians(point)
        half = np.sin((self._radians[0] - north) / 2) ** 2
        half += np.cos(north) * self._cosines * np.sin((self._radians[1] - east) / 2) ** 2
        return np.asarray(2 * EARTH_RADIUS * np.arcsin(np.minimum(1.0, np.sqrt(half))))


@dataclass(frozen=True, eq=False)
class Trace:
    """A walk under way as its measures see it: a further position costs as much time as the route is long.

    Attributes:
        route: the route.
        end: the newest position.
        walked: metres so far.
        nearest: metres from the goal to the nearest position so far.
        costs: for each position of the route, metres of the best alignment of the walk with the route up to there.
        gaps: for each position of the route, metres to the nearest position of the walk.
    """

    route: RouteTrack
    end: Point
    walked: float
    nearest: float
    costs: NDArray[np.float64]
    gaps: NDArray[np.float64]

    @classmethod
    def begin(cls, route: RouteTrack, start: Point) -> Trace:
        """Return the trace of a walk that begins at a position."""
        gaps = route.gaps(start)
        return cls(route, start, 0.0, distance(start, route.points[-1]), np.cumsum(gaps), gaps)

    @classmethod
    def of(cls, walk: Track, route: Track) -> Trace:
        """Return the trace of a whole walk."""
        first, *rest = without_pauses(walk)
        trace = cls.begin(RouteTrack.of(route), first)
        for point in rest:
            trace = trace.after(point)
        return trace

    def after(self, point: Point) -> Trace:
        """Return the trace one position further; one that follows itself counts once."""
        if point == self.end:
            return self
        gaps = self.route.gaps(point)
        along = np.cumsum(gaps)
        best = self.costs.copy()
        np.minimum(best[1:], self.costs[:-1], out=best[1:])
        # the cheapest way to reach each position of the route: come to some position, and wait while the route goes on
        costs = along + np.minimum.accumulate(best - (along - gaps))
        nearest = min(self.nearest, distance(point, self.route.points[-1]))
        walked = self.walked + distance(self.end, point)
        return Trace(self.route, point, walked, nearest, costs, np.minimum(self.gaps, gaps))

    @property
    def error(self) -> float:
        """Metres from the newest position to the goal."""
        return distance(self.end, self.route.points[-1])

    def spl(self, success: bool) -> float:
        longest = max(self.route.length, self.walked)
        return float(success) * (self.route.length / longest if longest > 0 else 1.0)

    def ndtw(self, radius: float = SUCCESS_RADIUS) -> float:
        return exp(-float(self.costs[-1]) / (len(self.costs) * radius))

    def cls(self, radius: float = SUCCESS_RADIUS) -> float:
        coverage = float(np.exp(-self.gaps / radius).mean())
        due = coverage * self.route.length
        off = abs(due - self.walked)
        return coverage * (due / (due + off) if due + off > 0 else 1.0)

    def measures(self, stopped: bool) -> dict[str, float]:
        """Return all measures so far; ``stopped`` whether the walk ended by ``stop()``, without which none succeeds."""
        error = self.error
        success = stopped and error <= SUCCESS_RADIUS
        ndtw = self.ndtw()
        return {
            "navigation_error": error,
            "oracle_success": float(self.nearest <= SUCCESS_RADIUS),
            "spl": self.spl(success),
            "ndtw": ndtw,
            "sdtw": float(success) * ndtw,
            "cls": self.cls(),
        }


def navigation_error(walk: Track, route: Track) -> float:
    """Return the metres from the end of a walk to the goal (arXiv 1711.07280)."""
    return distance(walk[-1], route[-1])


def oracle_success(walk: Track, route: Track, radius: float = SUCCESS_RADIUS) -> float:
    """Return 1.0 if some position of a walk lies within ``radius`` metres of the goal, else 0.0 (arXiv 1711.07280)."""
    return float(min(distance(each, route[-1]) for each in walk) <= radius)


def spl(walk: Track, route: Track, success: bool) -> float:
    """Return success weighted by path length: shortest over walked, at most 1 (arXiv 1807.06757).

    The shortest way is taken to be the route.
    """
    return Trace.of(walk, route).spl(success)


def dtw(walk: Track, route: Track) -> float:
    """Return the cost in metres of the best alignment of two tracks in time (dynamic time warping)."""
    return float(Trace.of(walk, route).costs[-1])


def ndtw(walk: Track, route: Track, radius: float = SUCCESS_RADIUS) -> float:
    """Return normalised dynamic time warping, from 0 to 1: 1 for a walk along the route (arXiv 1907.05446)."""
    return Trace.of(walk, route).ndtw(radius)


def sdtw(walk: Track, route: Track, success: bool, radius: float = SUCCESS_RADIUS) -> float:
    """Return ``ndtw`` of a walk that succeeded, else 0.0 (arXiv 1907.05446)."""
    return float(success) * ndtw(walk, route, radius)


def cls(walk: Track, route: Track, radius: float = SUCCESS_RADIUS) -> float:
    """Return coverage weighted by length score, from 0 to 1 (arXiv 1905.12255).

    The share of the route's positions that the walk comes near, less where it is longer or shorter than these need.
    """
    return Trace.of(walk, route).cls(radius)


def measure(walk: Track, route: Track, stopped: bool) -> dict[str, float]:
    """Return all measures of a walk; ``stopped`` whether it ended by ``stop()``, without which none succeeds."""
    return Trace.of(walk, route).measures(stopped)
