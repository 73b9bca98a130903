"""The ground around the camera: roads, kerbs, pavements, markings and crossings, drawn from above and looked up below
the horizon."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from verienv.core.bounded_cache import BoundedCache
from verienv.virl.pictures.streets.architecture import ARCHITECTURES
from verienv.virl.pictures.streets.buildings import light_on
from verienv.virl.pictures.streets.markings import Layers, Strips, aside, layers_near
from verienv.virl.pictures.streets.pixels import Pixels, packed, unpacked
from verienv.virl.pictures.streets.sky import veil_color
from verienv.virl.pictures.streets.visibility import EYE, Frame
from verienv.virl.pictures.streets.visuals import StreetLook
from verienv.virl.world.city import City
from verienv.virl.world.geometry import Point, to_local
from verienv.virl.world.lots import Lots

YARD, PAVEMENT_STONE, SLAB_JOINT, KERB, ASPHALT, MARKING, PAVING, MEND = range(8)
"""Classes of ground."""

_GRAINS = 4
"""Shades of each class."""

_SIDE = 768
"""Pixels along each side of a map."""

_REACHES = (3.0, 6.2, 13.0, 30.0, 75.0, 210.0)
"""Metres from the camera to the edges of the maps, the finest first."""

_LOOKUPS = BoundedCache(48 * 2**20)

Array = NDArray[np.float64]


def draw_ground(canvas: Pixels, frame: Frame, city: City, frontage: Lots, location: Point, look: StreetLook) -> None:
    """Draw the lower half of the panorama.

    Args:
        canvas: columns x rows; drawn on.
        frame: its size.
        city, frontage: what lies where.
        location: of the camera.
        look: with an architecture that is not "city".
    """
    streets = [city.streets[index] for index in frontage.streets_near(location, _REACHES[-1] * 1.2)]
    layers = layers_near(streets, location)
    anchor = to_local(city.nodes[0], np.array([location]))[0]
    maps = np.stack([_map(layers, reach, anchor) for reach in _REACHES])
    shades = _palette(look)[np.take(maps.reshape(-1), _lookup(frame))]
    canvas[:, frame.height // 2 :] = shades
    far = _fade(frame)
    veil = np.array(veil_color(look))
    for row, share in enumerate(far):  # the few rows next to the horizon
        if share <= 0.02:
            break
        column = canvas[:, frame.height // 2 + row]
        canvas[:, frame.height // 2 + row] = packed(unpacked(column) * (1 - share) + veil * share)


def _fade(frame: Frame) -> NDArray[np.float64]:
    """How much of the veil each row below the horizon shows."""
    distance = EYE / frame.slopes[frame.height // 2 :].astype(np.float64)
    return np.clip((distance - 60) / 150, 0, 1)


def _lookup(frame: Frame) -> NDArray[np.int32]:
    """Where each pixel below the horizon lies in the maps, columns x rows; read-only."""
    return _LOOKUPS.get(frame, lambda: _looked_up(frame))


def _looked_up(frame: Frame) -> NDArray[np.int32]:
    """As ``_lookup``.

    The point is moved by up to half a pixel of the map either way, so that edges are rough and not stairs.
    """
    heading = frame.headings[:, None]
    distance = (EYE / frame.slopes[frame.height // 2 :].astype(np.float64))[None]
    rng = np.random.default_rng(9)
    east, north = np.sin(heading) * distance, np.cos(heading) * distance
    away = np.maximum(abs(east), abs(north))
    result = np.full(east.shape, len(_REACHES) * _SIDE * _SIDE - 1, np.int32)
    rough = rng.random((2, *east.shape)) - 0.5
    for number in reversed(range(len(_REACHES))):
        scale = _SIDE / 2 / _REACHES[number]
        inside = away < _REACHES[number] - 1.5 / scale
        column = (_SIDE / 2 + east * scale + rough[0]).astype(np.int32)
        row = (_SIDE / 2 - north * scale + rough[1]).astype(np.int32)
        result[inside] = (number * _SIDE * _SIDE + row * _SIDE + column)[inside]
    return result


def _palette(look: StreetLook) -> Pixels:
    """The colour of each shade of each class, and 0 to spare."""
    ways = ARCHITECTURES[look.colors]
    snowy, wet = look.season == "winter", look.weather == "rain"
    pavement, paving = np.array(ways.pavement, np.float64), np.array(ways.paving, np.float64)
    colors = np.array([
        (128, 124, 104), pavement, pavement * 0.8, (158, 156, 150), (92, 93, 96), (222, 220, 212),
        paving, (78, 79, 82),
    ], np.float64)  # fmt: skip
    if snowy:
        snow = np.array((232, 236, 242), np.float64)
        share = np.array((1.0, 0.85, 0.7, 0.9, 0.22, 0.5, 0.75, 0.2))[:, None]
        colors += (snow - colors) * share
    if wet:
        colors *= np.array((0.75, 0.75, 0.75, 0.8, 0.62, 0.95, 0.72, 0.66))[:, None]
    grain = np.array((0.955, 0.985, 1.01, 1.05))[None, :, None]
    light = light_on(1, look).astype(np.float64) * (1.5 if look.time == "night" else 1.0)
    return packed((colors[:, None] * grain * light).reshape(-1, 3))


@lru_cache(maxsize=1)
def _noise() -> NDArray[np.uint8]:
    rng = np.random.default_rng(13)
    fine = rng.random((_SIDE, _SIDE))
    coarse = np.asarray(Image.fromarray(rng.random((40, 40)).astype(np.float32)).resize((_SIDE, _SIDE), 3))
    return (np.clip(0.65 * fine + 0.7 * (coarse - 0.5) + 0.18, 0, 0.999) * _GRAINS).astype(np.uint8)


def _map(layers: Layers, reach: float, anchor: Array) -> NDArray[np.uint8]:
    """The ground from above, north up: ``class * _GRAINS + grain``, _SIDE x _SIDE."""
    scale = _SIDE / 2 / reach
    image = Image.new("L", (_SIDE, _SIDE), YARD * _GRAINS)
    pen = _Pen(ImageDraw.Draw(image), scale)
    pen.strips(layers.pavement, PAVEMENT_STONE, has_round_ends=True)
    if scale > 12:
        pen.strips(layers.joints, SLAB_JOINT)
    pen.strips(layers.kerb, KERB, has_round_ends=True)
    pen.strips(layers.paving, PAVING, has_round_ends=True)
    pen.strips(layers.asphalt, ASPHALT, has_round_ends=True)
    if scale > 1.5:
        pen.strips(layers.mends, MEND)
        pen.strips(layers.markings, MARKING)
    north, east = int(anchor[1] * scale) % _SIDE, int(anchor[0] * scale) % _SIDE
    return np.asarray(image) + np.roll(_noise(), (north, -east), axis=(0, 1))


class _Pen:
    """Draws on a map whose middle is the camera."""

    def __init__(self, draw: ImageDraw.ImageDraw, scale: float) -> None:
        self._draw, self._scale = draw, scale

    def strips(self, strips: Strips, part: int, *, has_round_ends: bool = False) -> None:
        """Rectangles along lines between two points; round ends join those of one street and of many."""
        bound = _SIDE / 2 / self._scale + 1.0
        low, high = np.minimum(strips.start, strips.end), np.maximum(strips.start, strips.end)
        wide = strips.width[:, None]
        kept = np.flatnonzero(np.all((low < bound + wide) & (high > -bound - wide), axis=1))
        start, end = strips.start[kept], strips.end[kept]
        across = aside(start, end) * (strips.width[kept] / 2)[:, None]
        corners = np.stack([start + across, end + across, end - across, start - across], axis=1)
        for corner in self._at(corners).reshape(-1, 8).tolist():
            self._draw.polygon(corner, part * _GRAINS)
        if has_round_ends:
            half = (strips.width[kept] / 2 * self._scale)[:, None]
            for middle in (self._at(start), self._at(end)):
                for box in np.hstack([middle - half, middle + half]).tolist():
                    self._draw.ellipse(box, part * _GRAINS)

    def _at(self, points: Array) -> Array:
        """Pixels of points in metres."""
        return _SIDE / 2 + points * (self._scale, -self._scale)
