"""Cities with signs, and the directions in which their writing shows, for the tests."""

from collections.abc import Iterator
from functools import lru_cache
from math import atan2, cos, degrees, hypot, radians

import numpy as np

from verienv.virl.pictures.streets.camera import EYE
from verienv.virl.pictures.streets.sign_boards import (
    Board,
)
from verienv.virl.pictures.streets.sign_lettering import MARGIN
from verienv.virl.pictures.streets.visuals import DISPLAY_FONTS
from verienv.virl.world.city_file import SHIPPED_CITIES, shipped_city
from verienv.virl.world.geometry import turn
from verienv.virl.world.lots import Lots
from verienv.virl.world.procedural import procedural_city

FONTS = ("plain", *DISPLAY_FONTS)


@lru_cache(maxsize=1)
def worlds() -> tuple[Lots, ...]:
    cities = [shipped_city(name) for name in SHIPPED_CITIES] + [procedural_city("organic", 0)]
    return tuple(map(Lots, cities))


def some_places(count: int) -> Iterator[tuple[Lots, int]]:
    rng = np.random.default_rng(1)
    for lots in worlds():
        for place in rng.integers(0, len(lots.city.places), count):
            yield lots, int(place)


def directions_of_writing(board: Board, viewer: tuple[float, float]) -> Iterator[tuple[float, float, float]]:
    """Yield compass direction, metres along the ground, and metres above the camera of the upper corners of writing."""
    left, right = np.subtract(board.left, viewer), np.subtract(board.right, viewer)
    edge = (right - left) / np.hypot(*(right - left)) * MARGIN * board.letters
    for east, north in (left + edge, right - edge):
        yield degrees(atan2(east, north)), hypot(east, north), board.top - MARGIN * board.letters - EYE


def is_low_enough(board: Board, viewer: tuple[float, float], heading: float) -> bool:
    """Return whether the top of the writing is in view: each end in the one of the four views that it is in."""
    for towards, away, rise in directions_of_writing(board, viewer):
        off = turn(heading, towards) % 90.0
        if rise / away > cos(radians(min(off, 90.0 - off))):
            return False
    return True
