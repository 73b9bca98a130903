"""Panorama drawing: a panorama at a position in a city, drawn from the streets, the lots and the places."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from verienv.core.shown import shown
from verienv.virl.pictures.streets.buildings import SHADES, Building, Face, building_of, elevation_of
from verienv.virl.pictures.streets.camera import camera_of
from verienv.virl.pictures.streets.furniture import furniture_near
from verienv.virl.pictures.streets.ground import draw_ground
from verienv.virl.pictures.streets.pixels import Pixels, pack
from verienv.virl.pictures.streets.signs import shops_of, signs_near
from verienv.virl.pictures.streets.sky import sky, veil_color
from verienv.virl.pictures.streets.viewpoint import Viewpoint
from verienv.virl.pictures.streets.visibility import Cover, Spans, Walls, visible_spans
from verienv.virl.pictures.streets.visuals import StreetVisual
from verienv.virl.pictures.streets.wall_pixels import draw_walls
from verienv.virl.pictures.streets.wall_textures import Elevation
from verienv.virl.pictures.streets.weather import add_fall, haze, mirror_ground
from verienv.virl.world.geometry import Point
from verienv.virl.world.lots import Lot, Lots

Picture = NDArray[np.uint8]

REACH = 200.0
"""Metres within which buildings are drawn."""

SMALLEST, LARGEST = 64, 4096
"""Pixels of a panorama's height, at least and at most."""

_FACES: tuple[Face, ...] = ("front", "right", "back", "left")
_FRONT_LEADS = 0.5
"""Metres by which fronts count as nearer: at corners the side of one house may stand where another's front is."""

_MOST_HAZE = 0.3
"""Share of haze before the signs of the landmark, at most: they are read in any weather."""


def draw_panorama(lots: Lots, location: Point, visual: StreetVisual, size: tuple[int, int] = (1024, 2048)) -> Picture:
    """Draw the panorama at a position on a street, 2 m above the ground.

    A pure function: the same pixels in every process, for given versions of numpy and Pillow. The landmark that
    ``lots.city.landmark_at`` names has a sign that is read from here.

    Args:
        lots: the lots of the city that is drawn.
        location: the position of the camera, latitude and longitude in degrees.
        visual: the time, weather, season, architecture and lettering.
        size: height and width in pixels, the height even and 64 to 4096.

    Returns:
        A fresh array, uint8, height x width x 3, RGB: equirectangular, 360 x 180 degrees, the compass heading h at the
        column h / 360 * width, the horizon in the middle.

    Raises:
        ValueError: if the size is not one of these.
    """
    if not (SMALLEST <= size[0] <= LARGEST and size[0] % 2 == 0 and SMALLEST <= size[1] <= 2 * LARGEST):
        raise ValueError(f"size={shown(size)}: expected an even height of {SMALLEST} to {LARGEST} pixels, and a width")
    visual = visual.in_city(lots.city.name)
    camera = camera_of(*size)
    viewpoint = Viewpoint(lots, location, visual, camera)
    sun = 215.0 if location[0] >= 0 else 325.0
    veil = pack(veil_color(visual))
    canvas: Pixels = np.empty((camera.width, camera.height), np.uint32)
    canvas[:, : camera.height // 2] = sky(visual, *size, sun)
    draw_ground(canvas, viewpoint)
    spans = _draw_buildings(canvas, viewpoint, sun)
    cover = Cover(camera, spans)
    signs = signs_near(viewpoint, cover)
    sprites = [*furniture_near(viewpoint), *signs.others]
    for sprite in sorted(sprites, key=lambda sprite: -sprite.billboard.distance):
        sprite.billboard.draw(canvas, sprite.picture_at, cover, veil, float(haze(sprite.billboard.distance, visual)))
    add_fall(canvas, camera, visual)
    if signs.fallback:
        signs.fallback.billboard.draw(canvas, signs.fallback.picture_at, None, veil, 0.0)
    for sprite in () if signs.fallback else signs.own:
        mist = min(_MOST_HAZE, float(haze(sprite.billboard.distance, visual)))
        sprite.billboard.draw(canvas, sprite.picture_at, cover, veil, mist)
    if visual.weather == "rain":
        mirror_ground(canvas, camera, spans)
    size = (camera.height, camera.width)  # Pillow 11.3 warns of a mode given to fromarray
    image = Image.frombuffer("RGBX", size, canvas.view(np.uint8), "raw", "RGBX", 0, 1)
    return np.array(image.transpose(Image.Transpose.TRANSPOSE).convert("RGB"))


def _draw_buildings(canvas: Pixels, viewpoint: Viewpoint, sun: float) -> Spans:
    visual = viewpoint.visual
    buildings, walls = walls_near(viewpoint)
    spans, shades = visible_spans(viewpoint.camera, walls), _shades(walls, sun)
    plain = visual.model_copy(update={"sign_font": "plain"})  # walls are the same whatever the lettering

    def elevation(wall: int) -> Elevation:
        return elevation_of(buildings[wall // 4], _FACES[wall % 4], int(shades[wall]), plain)

    draw_walls(canvas, viewpoint.camera, spans, elevation, haze(spans.distance, visual), pack(veil_color(visual)))
    return spans


def walls_near(viewpoint: Viewpoint) -> tuple[list[Building], Walls]:
    """Return the buildings on the lots near the camera, and four walls of each in the order of ``_FACES``."""
    visual, lots = viewpoint.visual, viewpoint.lots.near(viewpoint.location, REACH)
    buildings = [
        building_of(
            lot.key,
            lot.width,
            lot.depth,
            visual.architecture_name,
            shops_of(viewpoint.city, lot),
            _corner_faces(viewpoint.lots, lot),
            visual.palette_name,
        )
        for lot in lots
    ]
    start = viewpoint.to_local([lot.start for lot in lots])
    end = viewpoint.to_local([lot.end for lot in lots])
    ahead = end - start
    out = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1) / np.maximum(np.hypot(*ahead.T), 1e-6)[:, None]
    back = out * -np.array([lot.depth for lot in lots]).reshape(-1, 1)
    left = np.stack([start, end, end + back, start + back], axis=1).reshape(-1, 2)
    right = np.stack([end, end + back, start + back, start], axis=1).reshape(-1, 2)
    heights = np.repeat([building.height for building in buildings], 4)
    return buildings, Walls(left, right, heights, np.tile([_FRONT_LEADS, 0.0, 0.0, 0.0], len(lots)))


def _corner_faces(lots: Lots, lot: Lot) -> tuple[Face, ...]:
    """Return the sides of a building at an end of its street; they face the street that it meets."""
    side = [each.number for each in lots.of_street(lot.street) if each.side == lot.side]
    first, last = ("left", "right") if lot.side > 0 else ("right", "left")
    return (*((first,) if lot.number == 0 else ()), *((last,) if lot.number == side[-1] else ()))


def _shades(walls: Walls, sun: float) -> NDArray[np.int64]:
    """Return the shade of each wall: 0 where it faces the sun, to 3."""
    ahead = walls.right - walls.left
    facing = np.degrees(np.arctan2(ahead[:, 1], -ahead[:, 0]))
    share = 0.5 - 0.5 * np.cos(np.radians(facing - sun))
    return np.minimum((share * SHADES).astype(np.int64), SHADES - 1)
