"""Sign boards: where the signs of a place hang, and how large their letters must be for every viewer of the place.

A place has a fascia, flat on its front, for viewers before it; and for viewers along the street two wings that form a V
above it, or one board across the pavement where the name is short. A viewer who can read neither, around a corner or
where the edge of a view cuts both, gets a fallback sign that turns towards the camera.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import atan2, cos, degrees, hypot, radians, sin
from typing import Literal

import numpy as np

from verienv.virl.pictures.streets.camera import EYE, MARGIN, is_in_one_view
from verienv.virl.pictures.streets.sign_emblems import emblem_of
from verienv.virl.pictures.streets.sign_lettering import Layout, layout
from verienv.virl.pictures.streets.visuals import DISPLAY_FONTS, StreetVisual
from verienv.virl.world.building_lines import building_line_offset
from verienv.virl.world.city import LANDMARK_RADIUS, Place
from verienv.virl.world.geometry import Array, to_local
from verienv.virl.world.lots import Lots

Kind = Literal["fascia", "wing", "fallback"]

PLAIN_PIXELS, DISPLAY_PIXELS = 12.0, 24.0
"""Pixels of a capital letter's height in a view of 640 pixels and 90 degrees, at least; by the kind of font."""

PIXELS_PER_RADIAN = 320.0
"""Pixels to a radian in the middle of such a view."""

MOST_SLANT = 50.0
"""Degrees between a board's normal and the line to its viewer within which it is read."""

BORDER = 0.4
"""Border around the writing that need not be in view, by the height of a capital letter."""

MOST_ASIDE = 18.0
"""Degrees by which a fallback sign may stand beside its place where the edge of a view would cut it."""

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
_NEAREST = 3.0  # metres from a viewer to a fallback sign, at least
_WIDTHS = (0.5, 0.36, 0.26, 0.7, 0.9)  # of a fallback sign, by the distance to it; tried in this order
_LOWEST = 2.6  # metres from the ground to a fallback sign
_RISE = 0.69  # of its top above the camera, by the distance: in view up to 45 degrees from a view's middle
_CLEAR = 0.2  # metres from a fascia to the fallback sign above it


@dataclass(frozen=True)
class Board:
    """An upright board with writing on one side.

    Attributes:
        place: the index of the place it names.
        kind: "fascia", "wing" or "fallback".
        left, right: the ends of the board for its reader, metres east and north of the place.
        bottom, top: metres above the ground.
        letters: metres of a capital letter's height.
        font: the font of the writing.
        layout: the lines of the writing.
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
        """Return the degrees between the normal and the line to a viewer; above 90 the board turns its back.

        Args:
            viewer: metres east and north of the place.
        """
        line = np.subtract(viewer, self.centre)
        return float(degrees(np.arccos(np.clip(np.dot(line, self.normal) / max(1e-9, np.hypot(*line)), -1, 1))))

    def pixels(self, viewer: tuple[float, float]) -> float:
        """Return the pixels of a capital letter's height in the middle of a view of 640 pixels and 90 degrees."""
        return PIXELS_PER_RADIAN * self.letters / max(0.1, float(np.hypot(*np.subtract(viewer, self.centre))))

    def is_read_from(self, viewer: tuple[float, float]) -> bool:
        """Return whether the letters are large enough and slanted little enough, if nothing stands before the board."""
        return self.slant(viewer) <= MOST_SLANT and self.pixels(viewer) >= least_pixels(self.font)

    def is_in_view(self, viewer: tuple[float, float], heading: float) -> bool:
        """Return whether the whole writing lies in one of the four views around a heading.

        Args:
            viewer: metres east and north of the place.
            heading: the direction of the first view, in degrees.
        """
        left, right = np.subtract(self.left, viewer), np.subtract(self.right, viewer)
        edge = (right - left) * (BORDER * self.letters / max(1e-9, float(np.hypot(*(right - left)))))
        return is_in_one_view(left + edge, right - edge, self.top - BORDER * self.letters - EYE, heading)


def least_pixels(font: str) -> float:
    """Return the pixels of a capital letter's height in a view of 640 pixels and 90 degrees, at least."""
    return DISPLAY_PIXELS if font in DISPLAY_FONTS else PLAIN_PIXELS


def letters_for(font: str, away: float) -> float:
    """Return the height in metres of capital letters that are read from ``away`` metres."""
    return max(_LEAST_LETTERS, least_pixels(font) * away / PIXELS_PER_RADIAN * _SURE)


def font_of(place: Place, visual: StreetVisual) -> str:
    """Return the font of a place's signs; with "mixed" it follows from the label, so that a chain has one font."""
    if visual.sign_font != "mixed":
        return visual.sign_font
    return DISPLAY_FONTS[
        sum(ord(letter) * (3 + index % 7) for index, letter in enumerate(place.label)) % len(DISPLAY_FONTS)
    ]


def boards_of(lots: Lots, place: int, visual: StreetVisual) -> tuple[Board, ...]:
    """Return the boards that hang at a place, from wherever they are viewed."""
    it = lots.city.places[place]
    font, along, out = font_of(it, visual), *axes_of(lots, place)
    viewers = viewers_of(lots, place)
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
    room = building_line_offset(lots.city.streets[it.street]) - 1.5
    turn = min(float(abs(slants).max()) - _SLANT, degrees(np.arcsin(min(1.0, room / (laid.width * letters)))))
    fascia = _fascia(place, it, font, along, out, min(near, _FASCIA_LETTERS * least_pixels(font) / PLAIN_PIXELS))
    return (fascia, *_wings(fascia, laid, letters, along, out, sides, min(max(turn, _LEAST_TURN), _MOST_TURN)))


def viewers_of(lots: Lots, place: int) -> Array:
    """Return positions on streets at which a place is the landmark: a metre apart, n x 2, metres from the place."""
    it = lots.city.places[place]
    spots = []
    for street in lots.streets_near(it.location, LANDMARK_RADIUS):
        line = to_local(it.location, np.array(lots.city.streets[street].points))
        for start, end in pairwise(line):
            count = int(np.hypot(*(end - start)) / _STEP) + 2
            spots.append(start + (end - start) * np.linspace(0, 1, count)[:, None])
    if not spots:
        return np.empty((0, 2))
    points = np.concatenate(spots)
    points = points[np.hypot(*points.T) <= LANDMARK_RADIUS + 0.2]
    near = {index for lot in lots.near(it.location, 2 * LANDMARK_RADIUS + 25.0) for index in lot.places} - {place}
    if near and len(points):
        others = to_local(it.location, np.array([lots.city.places[index].location for index in near]))
        nearest = np.hypot(*(points[:, None] - others[None]).transpose(2, 0, 1)).min(axis=1)
        points = points[np.hypot(*points.T) <= nearest + 0.3]
    return np.asarray(points)


def axes_of(lots: Lots, place: int) -> tuple[Array, Array]:
    """Return unit vectors, east and north: along a place's front to a viewer's right, and from it to the street."""
    it = lots.city.places[place]
    lot = next((lot for lot in lots.of_street(it.street) if place in lot.places), None)
    if lot is not None:
        along = to_local(lot.start, np.array([lot.end]))[0] / lot.width
        return along, np.array((along[1], -along[0]))
    out = to_local(it.location, np.array([lots.city.foot(it)]))[0]
    length = float(np.hypot(*out))
    if length < 0.5:
        heading = radians(lots.city.streets[it.street].heading(it.along, True) + 90.0)
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
    """Yield boards above a fascia, each from the front to a point before it, turned ``turn`` degrees to one side."""
    width, bottom = laid.width * letters, fascia.top + 0.3
    for side in sides:
        apex = out * (_GAP + width * sin(radians(turn)))
        at_wall = along * (side * width * cos(radians(turn))) + out * _GAP
        left, right = (apex, at_wall) if side > 0 else (at_wall, apex)
        top = bottom + laid.height * letters
        yield Board(fascia.place, "wing", _pair(left), _pair(right), bottom, top, letters, fascia.font, laid)


def _pair(vector: Array) -> tuple[float, float]:
    return float(vector[0]), float(vector[1])


def fallback_sign(fascia: Board, viewer: tuple[float, float], headings: tuple[float, ...] = ()) -> Board:
    """Return a board at the place of a fascia that faces a viewer and is just large enough to be read from there.

    It hangs above the fascia, lower where the top would be out of view, and stands a little aside where the edge of
    a view would cut it.

    Args:
        fascia: the fascia of the place.
        viewer: metres east and north of the place.
        headings: the directions in which the viewer may visual, in degrees; each view is one of the four around them.
    """
    away = max(_NEAREST, hypot(*viewer))
    letters, top = letters_for(fascia.font, away), EYE + _RISE * away
    label, bearing = " ".join(fascia.layout.lines), degrees(atan2(-viewer[0], -viewer[1]))
    layouts = [layout(label, fascia.font, width * away / letters) for width in _WIDTHS]
    tallest = max((top - _LOWEST) / letters, min(laid.height for laid in layouts))
    ways = []
    for laid in layouts:
        if laid.height <= tallest:
            half = degrees(atan2((laid.width / 2 - BORDER) * letters, away))
            ways.append((*_into_view(bearing, half, headings), laid))
    _, turn, laid = min(ways, key=lambda way: (way[0], abs(way[1])))
    bottom = max(_LOWEST, min(fascia.top + _CLEAR, top - laid.height * letters))
    return _facing(fascia, viewer, bearing + turn, bottom, letters, laid)


def _into_view(bearing: float, half: float, headings: tuple[float, ...]) -> tuple[int, float]:
    """Turn writing aside, if it reaches ``half`` to both sides of a bearing, until the fewest edges of views cut it.

    Returns:
        The number of headings for which it is still cut, and the turn. All angles in degrees.
    """
    edges, room = [heading + 45.0 for heading in headings], half + MARGIN
    turns = [0.0, *(_off(edge, bearing) + side * room for edge in edges for side in (-1, 1))]
    ways = [
        (sum(abs(_off(edge, bearing + turn)) < room - 1e-6 for edge in edges), turn)
        for turn in turns
        if abs(turn) <= MOST_ASIDE
    ]
    return min(ways, key=lambda way: (way[0], abs(way[1])))


def _off(angle: float, other: float) -> float:
    """Return the turn from ``other`` to the nearest of an angle's four quarters: -45 to 45 degrees."""
    return (angle - other + 45.0) % 90.0 - 45.0


def _facing(
    fascia: Board, viewer: tuple[float, float], bearing: float, bottom: float, letters: float, laid: Layout
) -> Board:
    """Return a board at the distance of the place from a viewer, at a bearing in degrees."""
    ahead = sin(radians(bearing)), cos(radians(bearing))
    away, half = hypot(*viewer), laid.width * letters / 2
    east, north = viewer[0] + away * ahead[0], viewer[1] + away * ahead[1]
    left = east - ahead[1] * half, north + ahead[0] * half
    right = east + ahead[1] * half, north - ahead[0] * half
    top = bottom + laid.height * letters
    return Board(fascia.place, "fallback", left, right, bottom, top, letters, fascia.font, laid)
