"""The ground around the camera: roads, kerbs, pavements, markings and crossings.

They are drawn into maps from above, in which the pixels below the horizon are looked up.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from verienv.core.bounded_cache import BoundedCache
from verienv.virl.pictures.streets.architecture import ARCHITECTURES
from verienv.virl.pictures.streets.buildings import light_on
from verienv.virl.pictures.streets.camera import EYE, Camera
from verienv.virl.pictures.streets.markings import Layers, Strips, aside, layers_near
from verienv.virl.pictures.streets.pixels import Pixels, pack, unpack
from verienv.virl.pictures.streets.sky import veil_color
from verienv.virl.pictures.streets.viewpoint import Viewpoint
from verienv.virl.pictures.streets.visuals import StreetVisual
from verienv.virl.world.geometry import Array, to_local

YARD, PAVEMENT_STONE, SLAB_JOINT, KERB, ASPHALT, MARKING, PAVING, MEND = range(8)
"""Classes of ground."""

_GRAINS = 4
"""Shades of each class."""

_SIDE = 768
"""Pixels along each side of a map."""

_REACHES = (3.0, 6.2, 13.0, 30.0, 75.0, 210.0)
"""Metres from the camera to the edges of the maps, the finest first."""

_LOOKUPS = BoundedCache(48 * 2**20)


def draw_ground(canvas: Pixels, viewpoint: Viewpoint) -> None:
    """Draw the lower half of the panorama.

    Args:
        canvas: columns x rows; drawn on.
        viewpoint: its visual has an architecture that is not "city".
    """
    camera, city, location, visual = viewpoint.camera, viewpoint.city, viewpoint.location, viewpoint.visual
    streets = [city.streets[index] for index in viewpoint.lots.streets_near(location, _REACHES[-1] * 1.2)]
    layers = layers_near(streets, location)
    anchor = to_local(city.nodes[0], np.array([location]))[0]
    maps = np.stack([_map(layers, reach, anchor) for reach in _REACHES])
    shades = _palette(visual)[np.take(maps.reshape(-1), _lookup(camera))]
    canvas[:, camera.height // 2 :] = shades
    far = _fade(camera)
    veil = np.array(veil_color(visual))
    for row, share in enumerate(far):  # the few rows next to the horizon
        if share <= 0.02:
            break
        column = canvas[:, camera.height // 2 + row]
        canvas[:, camera.height // 2 + row] = pack(unpack(column) * (1 - share) + veil * share)


def _fade(camera: Camera) -> NDArray[np.float64]:
    """Return the share of the veil in each row below the horizon."""
    distance = EYE / camera.slopes[camera.height // 2 :].astype(np.float64)
    return np.clip((distance - 60) / 150, 0, 1)


def _lookup(camera: Camera) -> NDArray[np.int32]:
    """Return the index into the maps of each pixel below the horizon, columns x rows; read-only."""
    return _LOOKUPS.get(camera, lambda: _compute_lookup(camera))


def _compute_lookup(camera: Camera) -> NDArray[np.int32]:
    """Compute ``_lookup``.

    The point is moved by up to half a pixel of the map either way, so that edges are rough and not stairs.
    """
    heading = camera.headings[:, None]
    distance = (EYE / camera.slopes[camera.height // 2 :].astype(np.float64))[None]
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


def _palette(visual: StreetVisual) -> Pixels:
    """Return the colour of each shade of each class, and 0 to spare."""
    ways = ARCHITECTURES[visual.palette_name]
    snowy, wet = visual.season == "winter", visual.weather == "rain"
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
    light = light_on(1, visual).astype(np.float64) * (1.5 if visual.time == "night" else 1.0)
    return pack((colors[:, None] * grain * light).reshape(-1, 3))


@lru_cache(maxsize=1)
def _noise() -> NDArray[np.uint8]:
    rng = np.random.default_rng(13)
    fine = rng.random((_SIDE, _SIDE))
    coarse = np.asarray(Image.fromarray(rng.random((40, 40)).astype(np.float32)).resize((_SIDE, _SIDE), 3))
    return (np.clip(0.65 * fine + 0.7 * (coarse - 0.5) + 0.18, 0, 0.999) * _GRAINS).astype(np.uint8)


def _map(layers: Layers, reach: float, anchor: Array) -> NDArray[np.uint8]:
    """Draw the ground from above, north up: ``class * _GRAINS + grain``, _SIDE x _SIDE."""
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
        """Draw rectangles along lines between two points; round ends join those of one street and of several."""
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
        """Convert points in metres to pixels."""
        return _SIDE / 2 + points * (self._scale, -self._scale)
