"""Street furniture: trees, lamps, and plates with the names of streets at junctions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from verienv.virl.pictures.streets.architecture import ARCHITECTURES
from verienv.virl.pictures.streets.billboards import Billboard, Sprite
from verienv.virl.pictures.streets.buildings import light_on
from verienv.virl.pictures.streets.camera import Camera
from verienv.virl.pictures.streets.keyed_random import KeyedRandom
from verienv.virl.pictures.streets.pixels import RGB, Pixels
from verienv.virl.pictures.streets.sign_lettering import Layout, board_picture, layout, sharpness_for
from verienv.virl.pictures.streets.viewpoint import Viewpoint
from verienv.virl.pictures.streets.visuals import StreetVisual
from verienv.virl.world.building_lines import PAVEMENT
from verienv.virl.world.geometry import Array
from verienv.virl.world.lots import Lot

REACH = 75.0
"""Metres within which street furniture is drawn."""

FROM_PLACES = 7.0
"""Metres along the street from trees and lamps to the front of a place, at least."""

PLATE_LETTERS, PLATE_FOOT, PLATES_APART = 0.2, 3.5, 12.0
"""Metres of a capital letter's height on a plate, from the pavement to it, and between two plates of one name."""

_PLATE: tuple[RGB, RGB] = ((24, 58, 120), (250, 250, 250))
_FINE = 48  # pixels of a tree's picture to a metre, at most
_TREE, _LAMP = (5.0, 7.6), (2.4, 6.4)  # metres: width, height
_VARIANTS = 4


def furniture_near(viewpoint: Viewpoint) -> Iterator[Sprite]:
    """Yield trees, lamps and plates around the camera, in no order."""
    camera, visual = viewpoint.camera, viewpoint.visual
    near = viewpoint.lots.near(viewpoint.location, REACH)
    taken = viewpoint.to_local([viewpoint.city.places[place].location for lot in near for place in lot.places])
    for lot in near:
        feet = viewpoint.to_local([lot.start, lot.end])
        along = (feet[1] - feet[0]) / lot.width
        kerb = np.array((along[1], -along[0])) * (PAVEMENT - 0.7)
        middle, corner = (feet[0] + feet[1]) / 2 + kerb, feet[0] + kerb
        rng = KeyedRandom(lot.key ^ 0x7EE)
        if _has_trees(viewpoint, lot) and rng.uniform() < 0.6 and _is_free(middle, taken):
            yield _tree(camera, middle, rng, visual)
        if lot.number % 3 == 1 and _is_free(corner, taken):
            yield _lamp(camera, corner, visual)
    yield from _plates(viewpoint, near)


def _is_free(spot: Array, taken: Array) -> bool:
    return not len(taken) or float(np.hypot(*(taken - spot).T).min()) > FROM_PLACES + PAVEMENT


def _has_trees(viewpoint: Viewpoint, lot: Lot) -> bool:
    """Return whether the street of a lot has trees; that follows from the key of its first lot."""
    share = ARCHITECTURES[viewpoint.visual.architecture_name].trees
    return KeyedRandom(viewpoint.lots.of_street(lot.street)[0].key ^ 0x77).uniform() < share


def _tree(camera: Camera, foot: Array, rng: KeyedRandom, visual: StreetVisual) -> Sprite:
    size = 0.75 + 0.45 * rng.uniform()
    variant = rng.bits() % _VARIANTS
    billboard = _facing(camera, foot, _TREE[0] * size, 0.0, _TREE[1] * size)
    return Sprite(billboard, lambda pixels: _as_pixels(_tree_picture(variant, visual, _halvings(pixels * size))))


def _lamp(camera: Camera, foot: Array, visual: StreetVisual) -> Sprite:
    billboard = _facing(camera, foot, _LAMP[0], 0.0, _LAMP[1])
    return Sprite(billboard, lambda pixels: _as_pixels(_lamp_picture(visual, _halvings(pixels))))


def _facing(camera: Camera, foot: Array, width: float, bottom: float, top: float) -> Billboard:
    """Return a billboard that faces the camera."""
    away = max(0.5, float(np.hypot(*foot)))
    right = np.array((foot[1], -foot[0])) * (width / 2 / away)
    return Billboard(camera, foot - right, foot + right, bottom, top)


def _as_pixels(picture: NDArray[np.uint8]) -> Pixels:
    """Convert height x width x 4 levels to height x width pixels."""
    return picture.view(np.uint32)[..., 0]


def _halvings(pixels: float) -> int:
    """Return how many times to halve the finest picture for so many pixels to a metre."""
    return int(np.clip(np.round(np.log2(_FINE / max(pixels, 1e-3))), 0, 5))


@lru_cache(maxsize=128)
def _tree_picture(variant: int, visual: StreetVisual, halvings: int) -> NDArray[np.uint8]:
    if halvings:
        return _halved(_tree_picture(variant, visual, halvings - 1))
    rng = np.random.default_rng([17, variant])
    width, height = round(_TREE[0] * _FINE), round(_TREE[1] * _FINE)
    image = Image.new("RGBA", (width, height), (70, 84, 46, 0))
    draw = ImageDraw.Draw(image)
    bark, middle = (82, 66, 52), width / 2
    draw.polygon(
        [(middle - 7, height), (middle + 7, height), (middle + 4, height * 0.3), (middle - 4, height * 0.3)], bark
    )
    for _ in range(26 if visual.season == "winter" else 10):
        start = height * rng.uniform(0.3, 0.62)
        reach = rng.uniform(-1, 1) * width * 0.42
        tip = (middle + reach, start - height * rng.uniform(0.08, 0.28))
        draw.line([(middle, start), tip], bark, 3)
        for _ in range(3 if visual.season == "winter" else 0):
            twig = (tip[0] + rng.uniform(-30, 30), tip[1] - rng.uniform(5, 40))
            draw.line([((middle + tip[0]) / 2, (start + tip[1]) / 2), twig], bark, 1)
    if visual.season == "summer":
        _add_leaves(draw, rng, width, height)
    levels = np.array(image, np.float32)
    levels[..., :3] *= light_on(1, visual)
    return np.clip(levels, 0, 255).astype(np.uint8)


def _add_leaves(draw: ImageDraw.ImageDraw, rng: np.random.Generator, width: int, height: int) -> None:
    """Draw tufts in a round crown, the lower ones first and darker."""
    tint = rng.uniform(-10, 10, 3)
    angle, radius = rng.uniform(0, 2 * np.pi, 900), np.sqrt(rng.random(900))
    x = width / 2 + np.cos(angle) * radius * width * 0.42
    y = height * 0.34 + np.sin(angle) * radius * height * 0.29
    middle, half = (width / 2, height * 0.34), (width * 0.37, height * 0.25)
    inner = (int(50 + tint[0]), int(70 + tint[1]), 32, 255)
    draw.ellipse((middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1]), inner)
    for index in np.argsort(-y + rng.normal(0, 25, 900)):
        light = 0.62 + 0.5 * (1 - y[index] / (height * 0.65)) + 0.12 * (x[index] / width - 0.5) + rng.normal(0, 0.09)
        shade = np.clip((np.array((88, 116, 56)) + tint) * light, 0, 255).astype(int)
        size = rng.uniform(5, 13)
        box = (x[index] - size, y[index] - size * 0.7, x[index] + size, y[index] + size * 0.7)
        draw.ellipse(box, (int(shade[0]), int(shade[1]), int(shade[2]), 255))


@lru_cache(maxsize=64)
def _lamp_picture(visual: StreetVisual, halvings: int) -> NDArray[np.uint8]:
    if halvings:
        return _halved(_lamp_picture(visual, halvings - 1))
    width, height = round(_LAMP[0] * _FINE), round(_LAMP[1] * _FINE)
    is_lit = visual.time != "day"
    image = Image.new("RGBA", (width, height), (255, 220, 150, 0))
    middle, head = width / 2, 34
    if is_lit:
        glow = Image.new("L", (width, height), 0)
        ImageDraw.Draw(glow).ellipse((middle - 30, head - 22, middle + 30, head + 38), 190)
        image.putalpha(glow.filter(ImageFilter.GaussianBlur(14)))
    draw = ImageDraw.Draw(image)
    iron = (38, 42, 44, 255)
    draw.rectangle((middle - 2, head + 22, middle + 2, height), iron)
    draw.rectangle((middle - 5, height - 44, middle + 5, height), iron)
    glass = (255, 236, 190, 255) if is_lit else (206, 210, 206, 255)
    draw.polygon(
        [(middle - 9, head), (middle + 9, head), (middle + 6, head + 22), (middle - 6, head + 22)], glass, iron
    )
    draw.polygon([(middle - 11, head), (middle + 11, head), (middle, head - 12)], iron)
    return np.asarray(image)


def _halved(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Halve a picture in width and height; colours count as much as they are opaque."""
    image = Image.fromarray(picture).convert("RGBa")
    return np.asarray(image.reduce(2).convert("RGBA"))


def _plate_picture(laid: Layout, pixels: float) -> Pixels:
    return board_picture(laid, "plain", *_PLATE, sharpness_for(pixels * PLATE_LETTERS))


def _plates(viewpoint: Viewpoint, lots: tuple[Lot, ...]) -> Iterator[Sprite]:
    """Yield a plate at each end of a street, on the first front on the left; one where two of one name meet."""
    hung: dict[str, list[Array]] = {}
    for number, lot in enumerate(lots):
        label = viewpoint.city.streets[lot.street].label
        is_last = number + 1 == len(lots) or (lots[number + 1].street, lots[number + 1].side) != (lot.street, lot.side)
        if not label or lot.places or not (lot.number == 0 or is_last) or lot.width < 6:
            continue
        laid = layout(label, "plain", 3.2 / PLATE_LETTERS, most_lines=2)
        feet = viewpoint.to_local([lot.start, lot.end])
        along = (feet[1] - feet[0]) / lot.width
        width = laid.width * PLATE_LETTERS
        is_left = (lot.number == 0) == (lot.side < 0)  # whether the junction is at the end of the front on the right
        left = feet[1] - along * (width + 0.4) if is_left else feet[0] + along * 0.4
        others = hung.setdefault(label, [])
        if any(float(np.hypot(*(left - other))) < PLATES_APART for other in others):
            continue
        others.append(left)
        left = left + np.array((along[1], -along[0])) * 0.05
        top = PLATE_FOOT + laid.height * PLATE_LETTERS
        billboard = Billboard(viewpoint.camera, left, left + along * width, PLATE_FOOT, top)
        yield Sprite(billboard, partial(_plate_picture, laid))
