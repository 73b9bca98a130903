"""What lies in one of the four views of who stands on a street: square, 90 degrees wide, without pitch."""

from __future__ import annotations

from math import cos, radians, sin, tan

import numpy as np
from numpy.typing import NDArray

from verienv.virl.world.city import City
from verienv.virl.world.geometry import Point
from verienv.virl.world.lots import Lots

Array = NDArray[np.float64]

MARGIN = 0.7
"""Degrees by which the edge of a view is missed: agents look along streets to whole degrees."""

_ON = 1.0  # metres from a street's line to who stands on it
_EDGE = tan(radians(45.0 - MARGIN))  # how far aside and up one sees, by the depth


def headings_at(city: City, frontage: Lots, location: Point) -> tuple[float, ...]:
    """The directions in which the streets at a position are walked, up and down, in degrees clockwise from north."""
    found = []
    for index in frontage.streets_near(location, _ON):
        street, along = city.streets[index], frontage.along(index, location)
        found += [street.heading(along, True), street.heading(along, False)]
    return tuple(sorted(set(found)))


def is_in_one_view(left: Array, right: Array, rise: float, heading: float) -> bool:
    """Whether an upright rectangle lies wholly in one of the four views around a heading.

    Args:
        left, right: its ends, metres east and north of the camera.
        rise: its upper edge, metres above the camera; the lower one is not below the camera.
        heading: of the first view, in degrees.
    """
    ahead = np.array((sin(radians(heading)), cos(radians(heading))))
    ends = np.array((left, right))
    depth, aside = ends @ ahead, ends @ (ahead[1], -ahead[0])
    for _ in range(4):
        if max(rise, *abs(aside)) <= _EDGE * min(depth):
            return True
        depth, aside = aside, -depth
    return False
