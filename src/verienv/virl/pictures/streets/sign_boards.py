"""Where the signs of a place hang, and how large their letters are: as large as whoever meets the place must read.

A place has a fascia, flat on its front, for those who stand before it; and for those along the street two wings that
form a V above it, or one board across the pavement where the name is short. Who can read neither, from around a corner
or where the edge of a view cuts both, is shown a board that turns towards the camera (``turned``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import cos, degrees, radians, sin
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from verienv.virl.pictures.streets.sign_emblems import emblem_of
from verienv.virl.pictures.streets.sign_lettering import Layout, layout
from verienv.virl.pictures.streets.views import is_in_one_view
from verienv.virl.pictures.streets.visibility import EYE
from verienv.virl.pictures.streets.visuals import DISPLAY_FONTS, StreetLook
from verienv.virl.world.building_lines import building_line_offset
from verienv.virl.world.city import LANDMARK_RADIUS, City, Place
from verienv.virl.world.geometry import to_local
from verienv.virl.world.lots import Lots

Array = NDArray[np.float64]
Kind = Literal["fascia", "wing", "turned"]

PLAIN_PIXELS, DISPLAY_PIXELS = 12.0, 24.0
"""The least height of a capital letter in a view of 640 pixels and 90 degrees."""

PIXELS_PER_RADIAN = 320.0
"""In the middle of such a view."""

MOST_SLANT = 50.0
"""Degrees between a board's normal and the line of sight within which it is read."""

BORDER = 0.4
"""Of a board, around the writing, by the height of a capital letter: it need not be in view."""

_SURE = 1.06  # letters are so much larger than they must be
_SLANT = 46.0  # degrees: boards are planned for no more
_LEAST_LETTERS = 0.32  # metres
_STEP = 1.0  # metres between the poses that are tried
_FASCIA_FOOT = 3.0  # metres above the pavement
_GAP = 0.12  # metres before the front
_BLADE = 3.3  # metres that one board may reach over the pavement
_LEAST_TURN, _MOST_TURN = 30.0, 44.0  # degrees by which wings are turned: who stands right before them reads one too
_OVERLAP = 4.0  # degrees to the other side to which wings are turned in any case
_FASCIA_LETTERS = 0.5  # metres; in a plain font, where wings are read from before the front too


@dataclass(frozen=True)
class Board:
    """An upright rectangle with writing on one side.

    Attributes:
        place: the index of the place it names.
        kind: "fascia", "wing" or "turned".
        left, right: its ends as its reader sees them, metres east and north of the place.
        bottom, top: metres above the ground.
        letters: metres of a capital letter's height.
        font: of the writing.
        layout: the writing.
    """

    place: int
    kind: Kind
    left: tuple[float, float]
    right: tuple[float, float]
    bottom: float
    top: float
    letters: float
    font: str
    layout: Layout

    @property
    def centre(self) -> tuple[float, float]:
        """Metres east and north of the place."""
        return (self.left[0] + self.right[0]) / 2, (self.left[1] + self.right[1]) / 2

    @property
    def normal(self) -> tuple[float, float]:
        """The unit vector, east and north, towards its reader."""
        east, north = self.right[0] - self.left[0], self.right[1] - self.left[1]
        length = max(1e-9, float(np.hypot(east, north)))
        return north / length, -east / length

    def slant(self, viewer: tuple[float, float]) -> float:
        """Degrees between the normal and the line to a viewer; above 90 it is the back that is seen.

        Args:
            viewer: metres east and north of the place.
        """
        line = np.subtract(viewer, self.centre)
        return float(degrees(np.arccos(np.clip(np.dot(line, self.normal) / max(1e-9, np.hypot(*line)), -1, 1))))

    def pixels(self, viewer: tuple[float, float]) -> float:
        """The height of a capital letter in the middle of a view of 640 pixels and 90 degrees."""
        return PIXELS_PER_RADIAN * self.letters / max(0.1, float(np.hypot(*np.subtract(viewer, self.centre))))

    def is_read_from(self, viewer: tuple[float, float]) -> bool:
        """Whether its letters are large enough and slanted little enough, if nothing stands before it."""
        return self.slant(viewer) <= MOST_SLANT and self.pixels(viewer) >= needed_pixels(self.font)

    def is_in_view(self, viewer: tuple[float, float], heading: float) -> bool:
        """Whether the whole writing lies in one of the four views around a heading.

        Args:
            viewer: metres east and north of the place.
            heading: of the first view, in degrees.
        """
        left, right = np.subtract(self.left, viewer), np.subtract(self.right, viewer)
        edge = (right - left) * (BORDER * self.letters / max(1e-9, float(np.hypot(*(right - left)))))
        return is_in_one_view(left + edge, right - edge, self.top - BORDER * self.letters - EYE, heading)


def needed_pixels(font: str) -> float:
    """The least height of a capital letter in a view of 640 pixels and 90 degrees."""
    return DISPLAY_PIXELS if font in DISPLAY_FONTS else PLAIN_PIXELS


def letters_for(font: str, away: float) -> float:
    """The height of capital letters, in metres, that are read from so many metres."""
    return max(_LEAST_LETTERS, needed_pixels(font) * away / PIXELS_PER_RADIAN * _SURE)


def font_of(place: Place, look: StreetLook) -> str:
    """The font of a place's signs: with "mixed" it follows from its name, so that a chain has one."""
    if look.sign_font != "mixed":
        return look.sign_font
    return DISPLAY_FONTS[
        sum(ord(letter) * (3 + index % 7) for index, letter in enumerate(place.label)) % len(DISPLAY_FONTS)
    ]


def boards_of(city: City, frontage: Lots, place: int, look: StreetLook) -> tuple[Board, ...]:
    """The boards that hang at a place; the same from wherever they are seen."""
    it = city.places[place]
    font, along, out = font_of(it, look), *axes_of(city, frontage, place)
    viewers = viewers_of(city, frontage, place)
    slants = np.degrees(np.arctan2(viewers @ along, viewers @ out))
    away = np.hypot(*viewers.T)
    before = abs(slants) <= _SLANT
    near = letters_for(font, _farthest(away[before], 7.0))
    if before.all():
        return (_fascia(place, it, font, along, out, near),)
    letters = letters_for(font, _farthest(away, 9.0))
    blade = layout(it.label, font, _BLADE / letters)
    if blade.width * letters <= _BLADE:
        sides = [side for side in (-1, 1) if np.any(~before & (slants * side > 0))]
        fascia = _fascia(place, it, font, along, out, near)
        return (fascia, *_wings(fascia, blade, letters, along, out, sides, 90.0))
    sides = [side for side in (-1, 1) if np.any(slants * side > -_OVERLAP)]
    laid = layout(it.label, font, max(6.0, 4.0 * letters) / letters)
    room = building_line_offset(city.streets[it.street]) - 1.5
    turn = min(float(abs(slants).max()) - _SLANT, degrees(np.arcsin(min(1.0, room / (laid.width * letters)))))
    fascia = _fascia(place, it, font, along, out, min(near, _FASCIA_LETTERS * needed_pixels(font) / PLAIN_PIXELS))
    return (fascia, *_wings(fascia, laid, letters, along, out, sides, min(max(turn, _LEAST_TURN), _MOST_TURN)))


def viewers_of(city: City, frontage: Lots, place: int) -> Array:
    """Where on the streets a place is the landmark: about a metre apart, n x 2, metres east and north of the place."""
    it = city.places[place]
    spots = []
    for street in frontage.streets_near(it.location, LANDMARK_RADIUS):
        line = to_local(it.location, np.array(city.streets[street].points))
        for start, end in pairwise(line):
            count = int(np.hypot(*(end - start)) / _STEP) + 2
            spots.append(start + (end - start) * np.linspace(0, 1, count)[:, None])
    if not spots:
        return np.empty((0, 2))
    points = np.concatenate(spots)
    points = points[np.hypot(*points.T) <= LANDMARK_RADIUS + 0.2]
    near = {index for lot in frontage.near(it.location, 2 * LANDMARK_RADIUS + 25.0) for index in lot.places} - {place}
    if near and len(points):
        others = to_local(it.location, np.array([city.places[index].location for index in near]))
        nearest = np.hypot(*(points[:, None] - others[None]).transpose(2, 0, 1)).min(axis=1)
        points = points[np.hypot(*points.T) <= nearest + 0.3]
    return np.asarray(points)


def axes_of(city: City, frontage: Lots, place: int) -> tuple[Array, Array]:
    """Unit vectors, east and north: along the front, to the right of who looks at it, and from it to the street."""
    it = city.places[place]
    lot = next((lot for lot in frontage.of_street(it.street) if place in lot.places), None)
    if lot is not None:
        along = to_local(lot.start, np.array([lot.end]))[0] / lot.width
        return along, np.array((along[1], -along[0]))
    out = to_local(it.location, np.array([city.foot(it)]))[0]
    length = float(np.hypot(*out))
    if length < 0.5:
        heading = radians(city.streets[it.street].heading(it.along, True) + 90.0)
        out, length = np.array((sin(heading), cos(heading))), 1.0
    out = out / length
    return np.array((-out[1], out[0])), out


def _farthest(away: Array, least: float) -> float:
    return max(least, float(away.max(initial=0.0)))


def _fascia(place: int, it: Place, font: str, along: Array, out: Array, letters: float) -> Board:
    laid = layout(it.label, font, 8.0 / letters, most_lines=3, emblem=emblem_of(it.kind))
    half, base = along * (laid.width * letters / 2), out * _GAP
    top = _FASCIA_FOOT + laid.height * letters
    return Board(place, "fascia", _pair(base - half), _pair(base + half), _FASCIA_FOOT, top, letters, font, laid)


def _wings(
    fascia: Board, laid: Layout, letters: float, along: Array, out: Array, sides: list[int], turn: float
) -> Iterator[Board]:
    """Boards above a fascia, each from the front to a point before it, turned by so many degrees to one side."""
    width, bottom = laid.width * letters, fascia.top + 0.3
    for side in sides:
        apex = out * (_GAP + width * sin(radians(turn)))
        at_wall = along * (side * width * cos(radians(turn))) + out * _GAP
        left, right = (apex, at_wall) if side > 0 else (at_wall, apex)
        top = bottom + laid.height * letters
        yield Board(fascia.place, "wing", _pair(left), _pair(right), bottom, top, letters, fascia.font, laid)


def _pair(vector: Array) -> tuple[float, float]:
    return float(vector[0]), float(vector[1])
