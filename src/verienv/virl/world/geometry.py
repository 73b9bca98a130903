"""Bearings, distances and the words for directions, right everywhere: all angles modulo 360.

Angles are degrees clockwise from north; positions are (latitude, longitude) in degrees (WGS 84).
"""

from __future__ import annotations

from math import asin, atan2, cos, degrees, radians, sin, sqrt

Point = tuple[float, float]
"""Latitude and longitude in degrees."""

EARTH_RADIUS = 6_371_008.8
"""Metres; the mean radius. On a sphere distances are off by at most 0.6%, bearings by at most 0.2 degrees."""

COMPASS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
POSITIONS = ("front", "right front", "right", "right behind", "behind", "left behind", "left", "left front")
TURNS = ("left", "right", "slightly left", "slightly right")

STRAIGHT, SLIGHT, BACK = 22.5, 67.5, 157.5
"""A turn of at most 22.5 degrees is none, of at most 67.5 slight; above 157.5 it is one to the back."""


def distance(start: Point, end: Point) -> float:
    """Metres from ``start`` to ``end`` along the great circle (haversine)."""
    north, other = radians(start[0]), radians(end[0])
    a = sin((other - north) / 2) ** 2 + cos(north) * cos(other) * sin(radians(end[1] - start[1]) / 2) ** 2
    return 2 * EARTH_RADIUS * asin(min(1.0, sqrt(a)))


def bearing(start: Point, end: Point) -> float:
    """The direction from ``start`` in which ``end`` lies, at least 0 and below 360 degrees."""
    north, other, east = radians(start[0]), radians(end[0]), radians(end[1] - start[1])
    return wrapped(
        degrees(atan2(sin(east) * cos(other), cos(north) * sin(other) - sin(north) * cos(other) * cos(east)))
    )


def between(start: Point, end: Point, share: float) -> Point:
    """The position at ``share`` (0 to 1) of the way, for points near each other; across the date line too."""
    east = (end[1] - start[1] + 180) % 360 - 180
    return start[0] + (end[0] - start[0]) * share, (start[1] + east * share + 180) % 360 - 180


def wrapped(angle: float) -> float:
    """The angle at least 0 and below 360."""
    angle %= 360.0
    return 0.0 if angle == 360.0 else angle  # the remainder of a tiny negative number rounds up


def turn(heading: float, to: float) -> float:
    """The signed turn from ``heading`` to ``to``: above -180, at most 180, positive to the right."""
    angle = wrapped(to - heading)
    return angle - 360.0 if angle > 180.0 else angle


def compass_word(heading: float) -> str:
    """The nearest of the eight words of the compass."""
    return COMPASS[int(wrapped(heading) / 45.0 + 0.5) % 8]


def turn_word(heading: float, to: float) -> str:
    """One of ``TURNS``, or "" where the way leads straight on. Exactly back is "right"."""
    angle = turn(heading, to)
    if abs(angle) <= STRAIGHT:
        return ""
    side = "right" if angle > 0 else "left"
    return f"slightly {side}" if abs(angle) <= SLIGHT else side


def position_word(heading: float, towards: float) -> str:
    """Where something in the direction ``towards`` stands for one who faces ``heading``: one of ``POSITIONS``.

    The bounds are those of ``turn_word``: what is "right front" is met by turning slightly right.
    """
    angle = turn(heading, towards)
    steps = 0
    for bound in (STRAIGHT, SLIGHT, 112.5, BACK):
        steps += abs(angle) > bound
    return POSITIONS[steps if angle > 0 else -steps % 8]


def position_phrase(position: str) -> str:
    """A position word in a sentence: "in front of you", "behind you", "on your left", "on your right front" ..."""
    return {"front": "in front of you", "behind": "behind you"}.get(position, f"on your {position}")
