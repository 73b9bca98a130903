"""Measures of walks in the field, each of two tracks: the positions of a walk, and those of the route.

Tracks are sequences of (latitude, longitude) in degrees, in order, at least one; a position that follows itself counts
once. Distances are metres along great circles.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    shortest, walked = length(route), length(walk)
    return float(success) * (shortest / max(shortest, walked) if max(shortest, walked) > 0 else 1.0)


def dtw(walk: Track, route: Track) -> float:
    """Return the cost in metres of the best alignment of two tracks in time (dynamic time warping)."""
    gaps = _gaps(without_pauses(walk), without_pauses(route))
    costs = np.full((gaps.shape[0] + 1, gaps.shape[1] + 1), np.inf)
    costs[0, 0] = 0.0
    for at, row in enumerate(gaps, 1):
        best = np.minimum(costs[at - 1, 1:], costs[at - 1, :-1])
        for other, gap in enumerate(row, 1):
            costs[at, other] = gap + min(best[other - 1], costs[at, other - 1])
    return float(costs[-1, -1])


def ndtw(walk: Track, route: Track, radius: float = SUCCESS_RADIUS) -> float:
    """Return normalised dynamic time warping, from 0 to 1: 1 for a walk along the route (arXiv 1907.05446)."""
    return exp(-dtw(walk, route) / (len(without_pauses(route)) * radius))


def sdtw(walk: Track, route: Track, success: bool, radius: float = SUCCESS_RADIUS) -> float:
    """Return ``ndtw`` of a walk that succeeded, else 0.0 (arXiv 1907.05446)."""
    return float(success) * ndtw(walk, route, radius)


def cls(walk: Track, route: Track, radius: float = SUCCESS_RADIUS) -> float:
    """Return coverage weighted by length score, from 0 to 1 (arXiv 1905.12255).

    The share of the route's positions that the walk comes near, less where it is longer or shorter than these need.
    """
    walk, route = without_pauses(walk), without_pauses(route)
    coverage = float(np.exp(-_gaps(walk, route).min(axis=0) / radius).mean())
    due, walked = coverage * length(route), length(walk)
    off = abs(due - walked)
    return coverage * (due / (due + off) if due + off > 0 else 1.0)


def measure(walk: Track, route: Track, stopped: bool) -> dict[str, float]:
    """Return all measures of a walk; ``stopped`` whether it ended by ``stop()``, without which none succeeds."""
    error = navigation_error(walk, route)
    success = stopped and error <= SUCCESS_RADIUS
    return {
        "navigation_error": error,
        "oracle_success": oracle_success(walk, route),
        "spl": spl(walk, route, success),
        "ndtw": ndtw(walk, route),
        "sdtw": sdtw(walk, route, success),
        "cls": cls(walk, route),
    }


def _gaps(walk: Track, route: Track) -> NDArray[np.float64]:
    """Return the metres between each position of a walk and each of the route (haversine)."""
    (north, east), (norths, easts) = np.radians(np.array(walk)).T, np.radians(np.array(route)).T
    half = np.sin((norths - north[:, None]) / 2) ** 2
    half += np.cos(north)[:, None] * np.cos(norths) * np.sin((easts - east[:, None]) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS * np.arcsin(np.minimum(1.0, np.sqrt(half))))
