"""A board that turns towards the camera, for who can read none of those that hang at a place."""

from __future__ import annotations

from math import atan2, cos, degrees, hypot, radians, sin

from verienv.virl.pictures.streets.sign_boards import BORDER, Board, letters_for
from verienv.virl.pictures.streets.sign_lettering import Layout, layout
from verienv.virl.pictures.streets.views import MARGIN
from verienv.virl.pictures.streets.visibility import EYE

MOST_ASIDE = 18.0
"""Degrees by which the board may stand beside the place, where the edge of a view would cut it."""

_NEAREST = 3.0  # metres
_WIDTHS = (0.5, 0.36, 0.26, 0.7, 0.9)  # of the board, by the distance to it; in the order in which they are tried
_LOWEST = 2.6  # metres above the ground
_RISE = 0.69  # of the board's top above the camera, by the distance: in view up to 45 degrees from a view's middle
_GAP = 0.2  # metres above the fascia


def turned_board(fascia: Board, viewer: tuple[float, float], headings: tuple[float, ...] = ()) -> Board:
    """A board at the same place that faces a viewer and is as large as it must be to be read from there.

    It hangs above the fascia, lower where the top would be out of view, and stands a little aside where the edge of
    a view would cut it.

    Args:
        fascia: of the place.
        viewer: metres east and north of the place.
        headings: the directions in which the viewer may look, in degrees; each view is one of the four around them.
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
    bottom = max(_LOWEST, min(fascia.top + _GAP, top - laid.height * letters))
    return _facing(fascia, viewer, bearing + turn, bottom, letters, laid)


def _into_view(bearing: float, half: float, headings: tuple[float, ...]) -> tuple[int, float]:
    """How writing that reaches ``half`` to both sides of a bearing is cut by the edges of the fewest views.

    Returns:
        For how many of the headings it is cut, and by how much it is turned aside for that. All in degrees.
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
    """What is to be added to ``other`` to reach the nearest of an angle's four quarters: -45 to 45 degrees."""
    return (angle - other + 45.0) % 90.0 - 45.0


def _facing(
    fascia: Board, viewer: tuple[float, float], bearing: float, bottom: float, letters: float, laid: Layout
) -> Board:
    """A board as far from a viewer as the place, at a bearing in degrees."""
    ahead = sin(radians(bearing)), cos(radians(bearing))
    away, half = hypot(*viewer), laid.width * letters / 2
    east, north = viewer[0] + away * ahead[0], viewer[1] + away * ahead[1]
    left = east - ahead[1] * half, north + ahead[0] * half
    right = east + ahead[1] * half, north - ahead[0] * half
    top = bottom + laid.height * letters
    return Board(fascia.place, "turned", left, right, bottom, top, letters, fascia.font, laid)
