"""Bearings, distances and the words for directions, right everywhere: all angles modulo 360.

Angles are degrees clockwise from north; positions are (latitude, longitude) in degrees (WGS 84). Within a few hundred
metres the ground is flat: ``to_local`` gives metres east and north of a point nearby.
"""

from __future__ import annotations

from math import asin, atan2, cos, degrees, radians, sin, sqrt

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Point = tuple[float, float]
"""Latitude and longitude in degrees."""

EARTH_RADIUS = 6_371_008.8
"""Metres; the mean radius. On a sphere distances are off by at most 0.6%, bearings by at most 0.2 degrees."""

METRE = 1.0 / (radians(1.0) * EARTH_RADIUS)
"""Degrees of latitude in a metre."""

COMPASS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
POSITIONS = ("front", "right front", "right", "right behind", "behind", "left behind", "left", "left front")
TURNS = ("left", "right", "slightly left", "slightly right")

STRAIGHT, SLIGHT, BACK = 22.5, 67.5, 157.5
"""A turn of at most 22.5 degrees is none, of at most 67.5 slight; above 157.5 it is one to the back."""


def distance(start: Point, end: Point) -> float:
    """Return the metres from ``start`` to ``end`` along the great circle (haversine)."""
    north, other = radians(start[0]), radians(end[0])
    a = sin((other - north) / 2) ** 2 + cos(north) * cos(other) * sin(radians(end[1] - start[1]) / 2) ** 2
    return 2 * EARTH_RADIUS * asin(min(1.0, sqrt(a)))


def bearing(start: Point, end: Point) -> float:
    """Return the direction from ``start`` to ``end``, at least 0 and below 360 degrees."""
    north, other, east = radians(start[0]), radians(end[0]), radians(end[1] - start[1])
    return wrap_angle(
        degrees(atan2(sin(east) * cos(other), cos(north) * sin(other) - sin(north) * cos(other) * cos(east)))
    )


def between(start: Point, end: Point, share: float) -> Point:
    """Return the position at ``share`` (0 to 1) of the way between points near each other; crosses the date line."""
    east = (end[1] - start[1] + 180) % 360 - 180
    return start[0] + (end[0] - start[0]) * share, (start[1] + east * share + 180) % 360 - 180


def wrap_angle(angle: float) -> float:
    """Return the angle as at least 0 and below 360 degrees."""
    angle %= 360.0
    return 0.0 if angle == 360.0 else angle  # the remainder of a tiny negative number rounds up


def turn(heading: float, to: float) -> float:
    """Return the signed turn from ``heading`` to ``to``: above -180, at most 180 degrees, positive to the right."""
    angle = wrap_angle(to - heading)
    return angle - 360.0 if angle > 180.0 else angle


def compass_word(heading: float) -> str:
    """Return the nearest of the eight words of the compass."""
    return COMPASS[int(wrap_angle(heading) / 45.0 + 0.5) % 8]


def turn_word(heading: float, to: float) -> str:
    """Return one of ``TURNS``, or "" where the way leads straight on. Exactly back is "right"."""
    angle = turn(heading, to)
    if abs(angle) <= STRAIGHT:
        return ""
    side = "right" if angle > 0 else "left"
    return f"slightly {side}" if abs(angle) <= SLIGHT else side


def position_word(heading: float, towards: float) -> str:
    """Return one of ``POSITIONS``: of something in the direction ``towards``, for a viewer who faces ``heading``.

    The bounds are those of ``turn_word``: a viewer faces what is "right front" after turning slightly right.
    """
    angle = turn(heading, towards)
    steps = 0
    for bound in (STRAIGHT, SLIGHT, 112.5, BACK):
        steps += abs(angle) > bound
    return POSITIONS[steps if angle > 0 else -steps % 8]


def position_phrase(position: str) -> str:
    """Write a position word as a phrase: "in front of you", "behind you", "on your left", "on your right front" ..."""
    return {"front": "in front of you", "behind": "behind you"}.get(position, f"on your {position}")


def to_local(origin: Point, points: Array) -> Array:
    """Convert positions near ``origin`` to metres east and north of it; crosses the date line.

    Args:
        origin: latitude and longitude in degrees.
        points: n x 2, latitude and longitude in degrees.

    Returns:
        n x 2, metres east and north.
    """
    east = (points[:, 1] - origin[1] + 180.0) % 360.0 - 180.0
    return np.stack([east * (cos(radians(origin[0])) / METRE), (points[:, 0] - origin[0]) / METRE], axis=1)


def from_local(origin: Point, east: float, north: float, *, digits: int = 7) -> Point:
    """Convert metres east and north of ``origin`` to latitude and longitude in degrees, rounded to ``digits``."""
    lng = origin[1] + east * METRE / cos(radians(origin[0]))
    return round(origin[0] + north * METRE, digits), round((lng + 180.0) % 360.0 - 180.0, digits)


def segment_distances(points: Array, starts: Array, ends: Array) -> Array:
    """Return the distances, n x m, from n points to m segments, all in metres east and north of one origin."""
    (east, north), ahead = starts.T, (ends - starts).T
    easts, norths = points[:, :1] - east, points[:, 1:] - north
    square = np.maximum(ahead[0] ** 2 + ahead[1] ** 2, 1e-12)
    share = np.clip((easts * ahead[0] + norths * ahead[1]) / square, 0.0, 1.0)
    return np.asarray(np.hypot(easts - share * ahead[0], norths - share * ahead[1]))
