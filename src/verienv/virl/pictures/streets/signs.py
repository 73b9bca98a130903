"""Signs in a panorama: the colours of shops and signs, and the choice of the boards that are drawn."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from verienv.virl.pictures.streets.billboards import Billboard, Sprite
from verienv.virl.pictures.streets.buildings import Shop
from verienv.virl.pictures.streets.pixels import RGB, color
from verienv.virl.pictures.streets.sign_boards import Board, boards_of, fallback_sign
from verienv.virl.pictures.streets.sign_lettering import board_picture, sharpness_for
from verienv.virl.pictures.streets.viewpoint import Viewpoint
from verienv.virl.pictures.streets.visibility import Cover
from verienv.virl.pictures.streets.visuals import StreetVisual
from verienv.virl.world.city import City, Place
from verienv.virl.world.geometry import Array, to_local
from verienv.virl.world.lots import Lot, Lots

SIGN_RADIUS = 90.0
"""Metres within which signs are drawn."""

MOST_HIDDEN = 0.04
"""Share of a board that walls may hide where it is read."""

SHOP = 8.0
"""Metres of a ground floor that the shop of a place takes."""

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
    """Return the colours of a place's signs, ground and ink: those of its kind, or those that follow from its label."""
    if place.kind in _BY_KIND:
        return _ALL_SCHEMES[_BY_KIND[place.kind]]
    number = sum(ord(letter) * (index + 1) for index, letter in enumerate(place.label))
    return _SCHEMES[number % len(_SCHEMES)]


def shops_of(city: City, lot: Lot) -> tuple[Shop, ...]:
    """Return the shops of the places on a lot."""
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


class CityBoards:
    """The boards of a city's places in a visual, each planned once."""

    def __init__(self, lots: Lots, visual: StreetVisual) -> None:
        self._index = {id(place): index for index, place in enumerate(lots.city.places)}
        self._make = lru_cache(maxsize=4096)(lambda place: boards_of(lots, place, visual))

    def __call__(self, place: int) -> tuple[Board, ...]:
        """Return the boards of the place of an index."""
        return self._make(place)

    def index(self, place: Place | None) -> int:
        """Return the index of one of the city's places, -1 for None."""
        return -1 if place is None else self._index[id(place)]


@lru_cache(maxsize=8)
def city_boards(lots: Lots, visual: StreetVisual) -> CityBoards:
    """Return the boards of a city, one object for the same lots and lettering."""
    return CityBoards(lots, visual)


class Signs(NamedTuple):
    """The signs to draw from one viewpoint.

    Attributes:
        others: signs of places that are not the landmark, and its fascia under a fallback sign, in no order.
        own: signs of the landmark, from far to near, to be drawn after all else.
        fallback: a sign of the landmark that turns towards the camera, where none of its own is read from here; to be
            drawn before all walls.
    """

    others: list[Sprite]
    own: list[Sprite]
    fallback: Sprite | None


def signs_near(viewpoint: Viewpoint, cover: Cover) -> Signs:
    """Return the signs around the camera."""
    city = viewpoint.city
    boards = city_boards(viewpoint.lots, StreetVisual(sign_font=viewpoint.visual.sign_font))
    landmark = boards.index(city.landmark_at(viewpoint.location))
    near = viewpoint.lots.near(viewpoint.location, SIGN_RADIUS)
    places = sorted({place for lot in near for place in lot.places} - {landmark})
    feet = viewpoint.to_local([city.places[place].location for place in places])
    others = [
        _sprite(viewpoint, board, foot) for place, foot in zip(places, feet, strict=True) for board in boards(place)
    ]
    if landmark < 0:
        return Signs(others, [], None)
    foot = viewpoint.to_local([city.places[landmark].location])[0]
    chosen = choose_boards(viewpoint, cover)
    sprites = [_sprite(viewpoint, board, foot) for board in chosen]
    if chosen[-1].kind == "fallback":
        return Signs(others + sprites[:-1], [], sprites[-1])
    return Signs(others, sorted(sprites, key=lambda sprite: -sprite.billboard.distance), None)


def choose_boards(viewpoint: Viewpoint, cover: Cover) -> tuple[Board, ...]:
    """Choose the boards of the landmark that are drawn, at a viewpoint where there is a landmark.

    They are its own if in every direction along a street one is read that lies wholly in one of the four views. Else
    the last is a fallback sign, after the fascia if this hangs clear below it.
    """
    city = viewpoint.city
    boards_by_place = city_boards(viewpoint.lots, StreetVisual(sign_font=viewpoint.visual.sign_font))
    landmark = boards_by_place.index(city.landmark_at(viewpoint.location))
    foot = viewpoint.to_local([city.places[landmark].location])[0]
    viewer, boards = (-float(foot[0]), -float(foot[1])), boards_by_place(landmark)
    headings = viewpoint.lots.headings_at(viewpoint.location)
    readable = [
        board
        for board in boards
        if board.is_read_from(viewer) and _billboard(viewpoint, board, foot).hidden_share(cover) < MOST_HIDDEN
    ]
    if readable and all(any(board.is_in_view(viewer, heading) for board in readable) for heading in headings):
        return boards
    fascia, fallback = boards[0], fallback_sign(boards[0], viewer, headings)
    return (fascia, fallback) if fascia.top < fallback.bottom else (fallback,)


def _sprite(viewpoint: Viewpoint, board: Board, foot: Array) -> Sprite:
    ground, ink = scheme_of(viewpoint.city.places[board.place])
    return Sprite(
        _billboard(viewpoint, board, foot),
        lambda pixels: board_picture(board.layout, board.font, ground, ink, sharpness_for(pixels * board.letters)),
    )


def _billboard(viewpoint: Viewpoint, board: Board, foot: Array) -> Billboard:
    return Billboard(viewpoint.camera, foot + board.left, foot + board.right, board.bottom, board.top)
