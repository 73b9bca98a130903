"""From a position in a city to what is seen all around: a panorama drawn from the streets, the lots and the places."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from verienv.virl.pictures.streets.buildings import SHADES, Building, Face, building_of, elevation_of
from verienv.virl.pictures.streets.furniture import things_near
from verienv.virl.pictures.streets.ground import draw_ground
from verienv.virl.pictures.streets.pixels import Pixels, packed
from verienv.virl.pictures.streets.signs import shops_of, signs_near
from verienv.virl.pictures.streets.sky import sky, veil_color
from verienv.virl.pictures.streets.visibility import Cover, Frame, Spans, Walls, frame_of, visible_spans
from verienv.virl.pictures.streets.visuals import StreetLook
from verienv.virl.pictures.streets.wall_pixels import paint
from verienv.virl.pictures.streets.wall_textures import Elevation
from verienv.virl.pictures.streets.weather import add_fall, haze, mirror_ground
from verienv.virl.world.city import City
from verienv.virl.world.geometry import Point, to_local
from verienv.virl.world.lots import Lot, Lots

Picture = NDArray[np.uint8]

REACH = 200.0
"""Metres within which buildings are drawn."""

SMALLEST, LARGEST = 64, 4096
"""Pixels of a panorama's height, at least and at most."""

_FACES: tuple[Face, ...] = ("front", "right", "back", "left")
_FRONT_LEADS = 0.5
"""Metres: at corners the side of one house may stand where the front of another is."""

_MOST_HAZE = 0.3
"""Before the signs of the landmark: they are read in any weather."""


def draw_panorama(
    city: City, frontage: Lots, location: Point, look: StreetLook, size: tuple[int, int] = (1024, 2048)
) -> Picture:
    """What is seen from 2 m above a position on a street.

    A pure function: the same pixels in every process, for given versions of numpy and Pillow. The landmark that
    ``city.landmark_at`` names has a sign that is read from here.

    Args:
        city: the streets and places.
        frontage: the lots along its streets.
        location: of the camera, latitude and longitude in degrees.
        look: the hour, the weather, the season, the architecture and the lettering.
        size: height and width in pixels, the height even and 64 to 4096.

    Returns:
        A fresh array, uint8, height x width x 3, RGB: equirectangular, 360 x 180 degrees, the compass heading h at the
        column h / 360 * width, the horizon in the middle.

    Raises:
        ValueError: if the size is not one of these.
    """
    if not (SMALLEST <= size[0] <= LARGEST and size[0] % 2 == 0 and SMALLEST <= size[1] <= 2 * LARGEST):
        raise ValueError(f"size={size!r}: expected an even height of {SMALLEST} to {LARGEST} pixels, and a width")
    look = look.in_city(city.name)
    frame = frame_of(*size)
    sun = 215.0 if location[0] >= 0 else 325.0
    veil = packed(veil_color(look))
    canvas: Pixels = np.empty((frame.width, frame.height), np.uint32)
    canvas[:, : frame.height // 2] = sky(look, *size, sun)
    draw_ground(canvas, frame, city, frontage, location, look)
    spans = _draw_buildings(canvas, frame, city, frontage, location, look, sun)
    cover = Cover(frame, spans)
    signs = signs_near(frame, city, frontage, location, look, cover)
    things = [*things_near(frame, city, frontage, location, look), *signs.others]
    for thing in sorted(things, key=lambda thing: -thing.panel.distance):
        thing.panel.draw(canvas, thing.picture_at, cover, veil, float(haze(thing.panel.distance, look)))
    add_fall(canvas, frame, look)
    if signs.turned:
        signs.turned.panel.draw(canvas, signs.turned.picture_at, None, veil, 0.0)
    for thing in () if signs.turned else signs.own:
        mist = min(_MOST_HAZE, float(haze(thing.panel.distance, look)))
        thing.panel.draw(canvas, thing.picture_at, cover, veil, mist)
    if look.weather == "rain":
        mirror_ground(canvas, frame, spans)
    image = Image.fromarray(canvas.view(np.uint8).reshape(frame.width, frame.height, 4), "RGBX")
    return np.array(image.transpose(Image.Transpose.TRANSPOSE).convert("RGB"))


def _draw_buildings(
    canvas: Pixels, frame: Frame, city: City, frontage: Lots, location: Point, look: StreetLook, sun: float
) -> Spans:
    buildings, walls = walls_near(city, frontage, location, look)
    spans, shades = visible_spans(frame, walls), _shades(walls, sun)
    painted = look.model_copy(update={"sign_font": "plain"})  # walls are the same whatever the lettering

    def elevation(wall: int) -> Elevation:
        return elevation_of(buildings[wall // 4], _FACES[wall % 4], int(shades[wall]), painted)

    paint(canvas, frame, spans, elevation, haze(spans.distance, look), packed(veil_color(look)))
    return spans


def walls_near(city: City, frontage: Lots, location: Point, look: StreetLook) -> tuple[list[Building], Walls]:
    """The buildings on the lots near, and four walls of each in the order of ``_FACES``."""
    lots = frontage.near(location, REACH)
    buildings = [
        building_of(
            lot.key, lot.width, lot.depth, look.ways, shops_of(city, lot), _corner_faces(frontage, lot), look.colors
        )
        for lot in lots
    ]
    start = to_local(location, np.array([lot.start for lot in lots]).reshape(-1, 2))
    end = to_local(location, np.array([lot.end for lot in lots]).reshape(-1, 2))
    ahead = end - start
    out = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1) / np.maximum(np.hypot(*ahead.T), 1e-6)[:, None]
    back = out * -np.array([lot.depth for lot in lots]).reshape(-1, 1)
    left = np.stack([start, end, end + back, start + back], axis=1).reshape(-1, 2)
    right = np.stack([end, end + back, start + back, start], axis=1).reshape(-1, 2)
    heights = np.repeat([building.height for building in buildings], 4)
    return buildings, Walls(left, right, heights, np.tile([_FRONT_LEADS, 0.0, 0.0, 0.0], len(lots)))


def _corner_faces(frontage: Lots, lot: Lot) -> tuple[Face, ...]:
    """The sides of a building at an end of its street, which look at the street that it meets."""
    side = [each.number for each in frontage.of_street(lot.street) if each.side == lot.side]
    first, last = ("left", "right") if lot.side > 0 else ("right", "left")
    return (*((first,) if lot.number == 0 else ()), *((last,) if lot.number == side[-1] else ()))


def _shades(walls: Walls, sun: float) -> NDArray[np.int64]:
    """How far each wall is turned from the sun, 0 to 3."""
    ahead = walls.right - walls.left
    facing = np.degrees(np.arctan2(ahead[:, 1], -ahead[:, 0]))
    share = 0.5 - 0.5 * np.cos(np.radians(facing - sun))
    return np.minimum((share * SHADES).astype(np.int64), SHADES - 1)
