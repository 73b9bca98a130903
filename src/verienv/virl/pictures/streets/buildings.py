"""Buildings: height, storeys, materials and colours that follow from a lot's key, and the elevations of the walls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from verienv.virl.pictures.streets.architecture import Roof, WindowStyle, recolor
from verienv.virl.pictures.streets.keyed_random import KeyedRandom
from verienv.virl.pictures.streets.pixels import RGB
from verienv.virl.pictures.streets.visuals import ArchitectureName, StreetVisual
from verienv.virl.pictures.streets.wall_textures import Elevation, Tile
from verienv.virl.pictures.streets.wall_tiles import (
    ACCENT,
    CLASSES,
    DARK,
    DOOR,
    FRAME,
    GLASS,
    GROUND_FLOOR,
    JOINT,
    LEDGE,
    RAIL,
    ROOF,
    SHEEN,
    STRIPE,
    TILE,
    TILES,
    TRIM,
    WALL,
)

Face = Literal["front", "right", "back", "left"]

SHADES = 4
"""Steps from a wall in the sun (0) to one turned away from it (3)."""

_TOP_STYLES: dict[Roof, float] = {roof: TILES[roof][0] / TILE for roof in ("parapet", "balustrade", "mansard", "slab")}
_PLAIN_PALETTES = 3


@dataclass(frozen=True)
class Shop:
    """A place's part of a ground floor.

    Attributes:
        start, end: the ends of the shop, as shares of the front's width.
        color: the colour of the woodwork.
        stripe: the colour of the awning's stripes.
        is_awning: whether it has one.
    """

    start: float
    end: float
    color: RGB
    stripe: RGB
    is_awning: bool


@dataclass(frozen=True)
class Building:
    """The building on a lot. Everything follows from the key, the architecture and the shops.

    Attributes:
        key: the key of the lot.
        width, depth: metres.
        storeys: the number of storeys, with the ground floor.
        storey: metres of a storey's height; the ground floor is higher.
        window: the style of the windows.
        roof: the style of the top.
        wall, trim, door, cover: colours of walls, of frames and cornices, of doors and shutters, of the roof.
        bay: metres from window to window, about.
        shops: the shops on the ground floor, from left to right.
        corners: the sides that face a street, and so have windows.
    """

    key: int
    width: float
    depth: float
    storeys: int
    storey: float
    window: WindowStyle
    roof: Roof
    wall: RGB
    trim: RGB
    door: RGB
    cover: RGB
    bay: float
    shops: tuple[Shop, ...] = ()
    corners: tuple[Face, ...] = ()

    @property
    def height(self) -> float:
        """Metres from the pavement to the top."""
        return self.storey * (GROUND_FLOOR + self.storeys - 1 + _TOP_STYLES[self.roof])

    def bays(self, face: Face) -> int:
        """Return the number of bays of one of the walls."""
        length = self.width if face in ("front", "back") else self.depth
        return max(1, round(length / self.bay))


@lru_cache(maxsize=8192)
def building_of(
    key: int,
    width: float,
    depth: float,
    architecture: ArchitectureName,
    shops: tuple[Shop, ...] = (),
    corners: tuple[Face, ...] = (),
    colors: ArchitectureName | None = None,
) -> Building:
    """Return the building that a lot's key stands for, in the colours of its architecture or of another."""
    ways = recolor(architecture, colors or architecture)
    rng = KeyedRandom(key)
    tone = 0.95 + 0.04 * int(3 * rng.uniform())
    red, green, blue = rng.choice(ways.walls)
    return Building(
        key=key,
        width=width,
        depth=depth,
        storeys=rng.choice(ways.storeys),
        storey=ways.storey * (0.95 + 0.1 * rng.uniform()),
        window=rng.choice(ways.windows),
        roof=rng.choice(ways.roofs),
        wall=(min(255, int(red * tone)), min(255, int(green * tone)), min(255, int(blue * tone))),
        trim=rng.choice(ways.trims),
        door=rng.choice(ways.doors),
        cover=rng.choice(ways.roof_colors),
        bay=ways.bay,
        shops=shops,
        corners=corners,
    )


@lru_cache(maxsize=8192)
def elevation_of(building: Building, face: Face, shade: int, visual: StreetVisual) -> Elevation:
    """Return the elevation of one wall of a building.

    Args:
        building: the building.
        face: the wall.
        shade: 0 (in the sun) to 3 (turned away).
        visual: the time, weather and season.
    """
    return Elevation.of(
        _rows(building, face, visual.time == "night"), TILE / building.storey, _palettes(building, shade, visual)
    )


def _rows(building: Building, face: Face, is_night: bool) -> tuple[tuple[Tile, ...], ...]:
    rng = KeyedRandom(building.key ^ ("front", "right", "back", "left").index(face))
    bays = building.bays(face)
    is_street = face == "front" or face in building.corners
    style = building.window if is_street else "rear" if face == "back" else "blank"
    lit = 0.4 if is_night else 0.25
    rows = [_ground_floor(building, face, bays, rng)]
    for _ in range(building.storeys - 1):
        rows.append(tuple(Tile(style, 1 if rng.uniform() < lit else 2 * (rng.uniform() < 0.4)) for _ in range(bays)))
    return (*rows, (Tile(building.roof, 0),) * bays)


def _ground_floor(building: Building, face: Face, bays: int, rng: KeyedRandom) -> tuple[Tile, ...]:
    if face != "front":
        return (Tile("low_window" if face in building.corners else "low_blank", 0),) * bays
    entrance = rng.bits() % bays
    tiles = []
    for bay in range(bays):
        name = "entrance" if bay == entrance else "gate" if rng.uniform() < 0.12 else "low_window"
        tiles.append(Tile(name, 1 if rng.uniform() < 0.2 else 0))
    for number, shop in enumerate(building.shops):
        first = min(bays - 1, round(shop.start * bays))
        last = min(bays, max(first + 1, round(shop.end * bays)))
        for bay in range(first, last):
            style = "awning" if shop.is_awning else "shop"
            door = "_door" if bay == (first + last) // 2 else ""
            tiles[bay] = Tile(style + door, _PLAIN_PALETTES + number)
    return tuple(tiles)


def _palettes(building: Building, shade: int, visual: StreetVisual) -> NDArray[np.float32]:
    """Return the colours of each class: for most bays, for lit ones, for curtained ones, then for each shop's."""
    night, dusk = visual.time == "night", visual.time == "dusk"
    colors = np.zeros((_PLAIN_PALETTES + len(building.shops), CLASSES, 3), np.float32)
    wall = np.array(building.wall, np.float32)
    snow = (240, 243, 248) if visual.season == "winter" else None
    for part, shown in (
        (WALL, wall), (JOINT, wall * 0.72), (TRIM, building.trim), (LEDGE, snow or building.trim),
        (FRAME, (226, 222, 214)), (GLASS, (62, 74, 84)), (SHEEN, (104, 124, 138)), (DOOR, building.door),
        (RAIL, (44, 44, 46)), (DARK, (46, 44, 44)), (ROOF, snow or building.cover),
        (ACCENT, tuple(int(0.55 * each + 40) for each in building.cover)), (STRIPE, (214, 206, 190)),
    ):  # fmt: skip
        colors[:, part] = shown
    colors[1, GLASS], colors[1, SHEEN] = (150, 143, 130), (176, 168, 152)
    colors[2, GLASS], colors[2, SHEEN] = (44, 52, 60), (132, 150, 160)
    for number, shop in enumerate(building.shops):
        palette = colors[_PLAIN_PALETTES + number]
        palette[ACCENT], palette[STRIPE] = shop.color, shop.stripe
        palette[GLASS], palette[SHEEN] = (92, 96, 94), (146, 160, 166)
    colors *= light_on(shade, visual)
    if night or dusk:
        glow = 1.0 if night else 0.75
        colors[1, GLASS] = np.array((232, 190, 118)) * glow
        colors[1, SHEEN] = np.array((250, 216, 150)) * glow
        shops = colors[_PLAIN_PALETTES:]
        shops[:, GLASS], shops[:, SHEEN] = np.array((238, 206, 150)) * glow, np.array((252, 228, 180)) * glow
        shops[:, STRIPE] = np.array((170, 120, 80)) * glow
    return np.rint(np.clip(colors, 0, 255))


_SUN = {
    "day": ((1.06, 1.03, 0.97), (0.66, 0.70, 0.78)),
    "dusk": ((0.92, 0.68, 0.54), (0.47, 0.44, 0.53)),
    "night": ((0.34, 0.31, 0.30), (0.25, 0.25, 0.30)),
}
_CLOUDED = {
    "day": {"overcast": (0.84, 0.86, 0.89), "rain": (0.66, 0.69, 0.73), "fog": (0.82, 0.84, 0.86)},
    "dusk": {"overcast": (0.56, 0.52, 0.57), "rain": (0.45, 0.43, 0.49), "fog": (0.58, 0.54, 0.58)},
    "night": {"overcast": (0.29, 0.28, 0.30), "rain": (0.25, 0.25, 0.28), "fog": (0.30, 0.30, 0.32)},
}


def light_on(shade: int, visual: StreetVisual) -> NDArray[np.float32]:
    """Return the factor of the light on each channel of a surface that is in the sun (0) to turned away from it (3)."""
    if visual.weather == "clear":
        sun, sky = (np.array(each, np.float32) for each in _SUN[visual.time])
        return sun + (sky - sun) * np.float32(shade / (SHADES - 1))
    return np.array(_CLOUDED[visual.time][visual.weather], np.float32) * np.float32(1.03 - 0.03 * shade)
