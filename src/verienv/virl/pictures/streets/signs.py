"""Places as they are seen: the colours of their shops, and their signs drawn into a panorama."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from verienv.virl.pictures.streets.billboards import Panel, Thing
from verienv.virl.pictures.streets.buildings import Shop
from verienv.virl.pictures.streets.pixels import RGB, color
from verienv.virl.pictures.streets.sign_boards import Board, boards_of
from verienv.virl.pictures.streets.sign_lettering import board_picture, sharpness_for
from verienv.virl.pictures.streets.turned import turned_board
from verienv.virl.pictures.streets.views import headings_at
from verienv.virl.pictures.streets.visibility import Cover, Frame
from verienv.virl.pictures.streets.visuals import StreetLook
from verienv.virl.world.city import City, Place
from verienv.virl.world.geometry import Point, to_local
from verienv.virl.world.lots import Lot, Lots

SIGHT_OF_SIGNS = 90.0
"""Metres within which signs are drawn."""

MOST_HIDDEN = 0.04
"""The share of a board that walls may hide where it is read."""

SHOP = 8.0
"""Metres of a ground floor that a place takes."""

_FOOD = frozenset(
    [
        "restaurant",
        "cafe",
        "bar",
        "pub",
        "fast_food",
        "bakery",
        "ice_cream",
        "deli",
        "butcher",
        "greengrocer",
        "pastry",
        "confectionery",
        "biergarten",
    ]
)
_SCHEMES: tuple[tuple[RGB, RGB], ...] = tuple(
    (color(ground), color(ink))
    for ground, ink in (
        line.split()
        for line in (
            "#7a1420 #fff3d6", "#12305c #ffffff", "#f4ecd8 #5a1420", "#1d4d38 #f8f3df", "#ffd23f #20201c",
            "#ffffff #10386e", "#23262b #ffd77a", "#c8351f #ffffff", "#f6f6f2 #1c1c1c", "#5b2a63 #ffeedd",
            "#0f5f66 #ffffff", "#f2b632 #5a1010",
        )
    )
)  # fmt: skip
"""Ground and ink of signs, far apart in brightness."""

_BY_KIND = {"pharmacy": 12, "bank": 1, "bureau_de_change": 1, "hotel": 6, "supermarket": 7, "fuel": 4, "hospital": 8}
_ALL_SCHEMES = (*_SCHEMES, (color("#ffffff"), color("#0a7a3a")))


def scheme_of(place: Place) -> tuple[RGB, RGB]:
    """The ground and the ink of a place's signs: the kind's own, or what follows from the name."""
    if place.kind in _BY_KIND:
        return _ALL_SCHEMES[_BY_KIND[place.kind]]
    number = sum(ord(letter) * (index + 1) for index, letter in enumerate(place.label))
    return _SCHEMES[number % len(_SCHEMES)]


def shops_of(city: City, lot: Lot) -> tuple[Shop, ...]:
    """The shops of the places on a lot."""
    if not lot.places:
        return ()
    ends = to_local(lot.start, np.array([lot.end, *(city.places[place].location for place in lot.places)]))
    ahead = ends[0] / max(1e-6, float(np.hypot(*ends[0])))
    shops = []
    for place, foot in zip(lot.places, ends[1:], strict=True):
        middle, half = float(foot @ ahead) / lot.width, SHOP / 2 / lot.width
        ground, ink = scheme_of(city.places[place])
        wood, stripe = (ground, ink) if sum(ground) < sum(ink) else (ink, ground)
        shops.append(
            Shop(max(0.0, middle - half), min(1.0, middle + half), wood, stripe, city.places[place].kind in _FOOD)
        )
    return tuple(shops)


class SignsOf:
    """The boards of a city's places under a look, each planned once."""

    def __init__(self, city: City, frontage: Lots, look: StreetLook) -> None:
        self._index = {id(place): index for index, place in enumerate(city.places)}
        self._make = lru_cache(maxsize=4096)(lambda place: boards_of(city, frontage, place, look))

    def __call__(self, place: int) -> tuple[Board, ...]:
        return self._make(place)

    def index(self, place: Place | None) -> int:
        """The index of one of the city's places, -1 for None."""
        return -1 if place is None else self._index[id(place)]


@lru_cache(maxsize=8)
def signs_of(city: City, frontage: Lots, look: StreetLook) -> SignsOf:
    """The same for the same city, frontage and lettering."""
    return SignsOf(city, frontage, look)


class Signs(NamedTuple):
    """What is drawn of signs from one position.

    Attributes:
        others: the signs of places that are not the landmark, and its fascia under a turned board, in no order.
        own: those of the landmark, from far to near, to be drawn after all else.
        turned: where none of its own is read from here, a board that turns towards the camera, to be drawn before all
            walls.
    """

    others: list[Thing]
    own: list[Thing]
    turned: Thing | None


def signs_near(frame: Frame, city: City, frontage: Lots, location: Point, look: StreetLook, cover: Cover) -> Signs:
    """The signs around the camera."""
    signs = signs_of(city, frontage, StreetLook(sign_font=look.sign_font))
    landmark = signs.index(city.landmark_at(location))
    places = sorted({place for lot in frontage.near(location, SIGHT_OF_SIGNS) for place in lot.places} - {landmark})
    feet = to_local(location, np.array([city.places[place].location for place in places]).reshape(-1, 2))
    others = [
        _thing(frame, city, board, foot) for place, foot in zip(places, feet, strict=True) for board in signs(place)
    ]
    if landmark < 0:
        return Signs(others, [], None)
    foot = to_local(location, np.array([city.places[landmark].location]))[0]
    shown = boards_shown(frame, city, frontage, location, look, cover)
    things = [_thing(frame, city, board, foot) for board in shown]
    if shown[-1].kind == "turned":
        return Signs(others + things[:-1], [], things[-1])
    return Signs(others, sorted(things, key=lambda thing: -thing.panel.distance), None)


def boards_shown(
    frame: Frame, city: City, frontage: Lots, location: Point, look: StreetLook, cover: Cover
) -> tuple[Board, ...]:
    """The boards of the landmark that are drawn from a position where there is one.

    Its own, if whichever way one looks along a street one is read that lies wholly in one of the four views. Else the
    last is a turned board, after the fascia if this hangs clear below it.
    """
    signs = signs_of(city, frontage, StreetLook(sign_font=look.sign_font))
    landmark = signs.index(city.landmark_at(location))
    foot = to_local(location, np.array([city.places[landmark].location]))[0]
    viewer, boards = (-float(foot[0]), -float(foot[1])), signs(landmark)
    headings = headings_at(city, frontage, location)
    read = [
        board
        for board in boards
        if board.is_read_from(viewer) and _panel(frame, board, foot).hidden_share(cover) < MOST_HIDDEN
    ]
    if read and all(any(board.is_in_view(viewer, heading) for board in read) for heading in headings):
        return boards
    fascia, turned = boards[0], turned_board(boards[0], viewer, headings)
    return (fascia, turned) if fascia.top < turned.bottom else (turned,)


def _thing(frame: Frame, city: City, board: Board, foot: NDArray[np.float64]) -> Thing:
    ground, ink = scheme_of(city.places[board.place])
    return Thing(
        _panel(frame, board, foot),
        lambda pixels: board_picture(board.layout, board.font, ground, ink, sharpness_for(pixels * board.letters)),
    )


def _panel(frame: Frame, board: Board, foot: NDArray[np.float64]) -> Panel:
    return Panel(frame, foot + board.left, foot + board.right, board.bottom, board.top)
