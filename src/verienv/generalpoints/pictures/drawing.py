"""Drawing a hand on the table: a pure function of cards, visual, size and jitter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, cos, radians, sin
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from verienv.core.file_cache import cached_by_files
from verienv.generalpoints.pictures.decks import CARDS, deck_files, load_deck
from verienv.generalpoints.pictures.tabletop import tabletop
from verienv.generalpoints.pictures.visuals import Arrangement, Visual

Picture = NDArray[np.uint8]

SMALLEST, LARGEST = 96, 1600
"""The least and the greatest height and width of a picture, in px."""

DEFAULT_SIZE = (336, 336)
_GAP = 0.02
_LOOSE = 0.85
_TILES_BYTES = 64 * 2**20


class Pose(NamedTuple):
    """The pose of a card: its centre in px from the top left, its angle in degrees counter-clockwise, and its size
    in px before it is turned."""

    x: float
    y: float
    angle: float
    width: int
    height: int


def draw(
    cards: Sequence[str], visual: Visual | None = None, size: tuple[int, int] = DEFAULT_SIZE, jitter: int = 0
) -> Picture:
    """Draw a hand.

    Args:
        cards: with suits, such as "10S", in the order of the table.
        visual: deck and table; the default visual if None.
        size: height and width in px, each 96 to 1600.
        jitter: the seed of all that is left to chance: places, angles, the lamp, noise. 0 to 2**64 - 1.

    Returns:
        A fresh array, uint8, height x width x 3, RGB.
    """
    return table_for(visual or Visual(), size, len(cards)).draw(cards, jitter)


@cached_by_files(lambda visual, size, count: deck_files(visual.deck), maxsize=16)
def table_for(visual: Visual, size: tuple[int, int], count: int) -> Table:
    """One table for each visual, size and number of cards, shared by all environments of this process.

    There is a new one when a face of a deck's folder has changed.
    """
    return Table(visual, size, count)


class Table:
    """A laid table: the background is painted once, and each face is scaled once for its place."""

    def __init__(self, visual: Visual, size: tuple[int, int], count: int) -> None:
        self.visual, self.size, self.count = visual, size, count
        self._deck = load_deck(visual.deck)
        self._ground = tabletop(visual.background, *size)
        self._effects = bool(visual.light or visual.blur or visual.noise)
        self._still = visual.arrangement != "scattered" and visual.rotation == 0
        if self._still:
            self._places = [_place(pose) for pose in self.poses(0)]
            pose = self.poses(0)[0]
            self._tile = lru_cache(_TILES_BYTES // (pose.width * pose.height * 3) + 1)(self._paint_tile)
        else:
            self._large_face = lru_cache(len(CARDS))(self._scale_large_face)

    def __reduce__(self) -> tuple[object, ...]:
        return table_for, (self.visual, self.size, self.count)  # a copy, in whatever process, is that process's own

    def poses(self, jitter: int) -> list[Pose]:
        """Return the pose of each card, in the order of the hand."""
        return poses(self.visual, self.count, self.size, self._deck.aspect, jitter)

    def draw(self, cards: Sequence[str], jitter: int) -> Picture:
        """The picture of ``count`` cards with suits. A fresh array."""
        picture = self._lay_still(cards) if self._still else self._lay_turned(cards, jitter)
        return self._taken(picture, jitter) if self._effects else picture

    def _lay_still(self, cards: Sequence[str]) -> Picture:
        picture = self._ground.copy()
        for number, (place, card) in enumerate(zip(self._places, cards, strict=True)):
            picture[place] = self._tile(number, card)
        return picture

    def _paint_tile(self, number: int, card: str) -> Picture:
        """The card over its part of the ground."""
        ground = Image.fromarray(self._ground[self._places[number]])
        face = self._deck.face(card, *ground.size)
        ground.paste(face, (0, 0), face)
        return np.asarray(ground)

    def _lay_turned(self, cards: Sequence[str], jitter: int) -> Picture:
        table = Image.fromarray(self._ground)
        for pose, card in zip(self.poses(jitter), cards, strict=True):
            face = self._turned(pose, card)
            table.paste(face, (round(pose.x - face.width / 2), round(pose.y - face.height / 2)), face)
        return np.array(table)

    def _scale_large_face(self, card: str) -> Image.Image:
        pose = self.poses(0)[0]
        return self._deck.face(card, 2 * pose.width, 2 * pose.height).convert("RGBa")

    def _turned(self, pose: Pose, card: str) -> Image.Image:
        """Turned at twice the size, then reduced: smooth edges."""
        turned = self._large_face(card).rotate(pose.angle, Image.Resampling.BICUBIC, expand=True)
        half = (ceil(turned.width / 2), ceil(turned.height / 2))
        return turned.resize(half, Image.Resampling.LANCZOS).convert("RGBA")

    def _taken(self, picture: Picture, jitter: int) -> Picture:
        """Apply the camera: the lamp first, then the lens, then the sensor."""
        visual, rng = self.visual, np.random.default_rng([jitter, 1])
        if visual.light:
            picture = _lit(picture, visual.light, float(rng.uniform(0, 2 * np.pi)))
        if visual.blur:
            picture = _blurred(picture, visual.blur * self.size[0] / 336)
        if visual.noise:
            picture = _noisy(picture, visual.noise, rng)
        return picture


def poses(visual: Visual, count: int, size: tuple[int, int], aspect: float, jitter: int) -> list[Pose]:
    """The cells of a hand's cards: none overlaps another or the edge, however a card is turned.

    Args:
        visual: its arrangement and rotation.
        count: cards.
        size: height and width of the picture in px.
        aspect: height of a card by its width.
        jitter: the seed of angles and, if scattered, of places.
    """
    height, width = size
    gap = max(2.0, _GAP * min(size))
    rows = _rows(visual.arrangement, count, size, gap, aspect, visual.rotation)
    columns = ceil(count / rows)
    cell_width, cell_height = (width - gap) / columns - gap, (height - gap) / rows - gap
    card_width = _fitting_width(cell_width, cell_height, aspect, visual.rotation)
    scattered = visual.arrangement == "scattered"
    if scattered:
        card_width *= _LOOSE
    card = (max(1, int(card_width)), max(1, round(int(card_width) * aspect)))
    rng = np.random.default_rng([jitter, 0]) if scattered or visual.rotation else None
    laid = []
    for place in range(count):
        row, column = divmod(place, columns)
        in_row = min(columns, count - row * columns)
        x = width / 2 + (column - (in_row - 1) / 2) * (cell_width + gap)
        y = gap + cell_height / 2 + row * (cell_height + gap)
        angle = 0.0
        if rng is not None:
            angle = float(rng.uniform(-visual.rotation, visual.rotation))
        if scattered and rng is not None:
            box_width, box_height = _turned_box(*card, angle)
            x += float(rng.uniform(-0.5, 0.5)) * max(0.0, cell_width - box_width)
            y += float(rng.uniform(-0.5, 0.5)) * max(0.0, cell_height - box_height)
        laid.append(Pose(x, y, angle, *card))
    return laid


def _rows(
    arrangement: Arrangement, count: int, size: tuple[int, int], gap: float, aspect: float, rotation: float
) -> int:
    """One, or the number of rows in which the cards are largest."""
    if arrangement == "row":
        return 1
    height, width = size

    def largest(rows: int) -> float:
        columns = ceil(count / rows)
        return _fitting_width((width - gap) / columns - gap, (height - gap) / rows - gap, aspect, rotation)

    return max(range(1, count + 1), key=largest)


def _fitting_width(width: float, height: float, aspect: float, rotation: float) -> float:
    """The greatest width of a card that stays in a cell at every angle up to ``rotation``."""
    turns = np.radians(np.linspace(0, rotation, 91))
    return float(
        min(
            (width / (np.cos(turns) + aspect * np.sin(turns))).min(),
            (height / (np.sin(turns) + aspect * np.cos(turns))).min(),
        )
    )


def _turned_box(width: float, height: float, angle: float) -> tuple[float, float]:
    turn = radians(abs(angle))
    return width * cos(turn) + height * sin(turn), width * sin(turn) + height * cos(turn)


def _place(pose: Pose) -> tuple[slice, slice]:
    """Rows and columns of a card that is not turned."""
    left, top = round(pose.x - pose.width / 2), round(pose.y - pose.height / 2)
    return slice(top, top + pose.height), slice(left, left + pose.width)


def _lit(picture: Picture, light: float, towards: float) -> Picture:
    """Brightness falls off linearly across the picture, from 1 to ``1 - light``."""
    height, width = picture.shape[:2]
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None] * np.float32(sin(towards))
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None] * np.float32(cos(towards))
    reach = abs(sin(towards)) + abs(cos(towards))
    shade = 1 - np.float32(light) * ((down + across) / np.float32(reach) + np.float32(0.5))
    return np.rint(picture * shade[..., None]).astype(np.uint8)


def _blurred(picture: Picture, radius: float) -> Picture:
    return np.array(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius)))


def _noisy(picture: Picture, noise: float, rng: np.random.Generator) -> Picture:
    levels = picture + np.float32(noise) * rng.standard_normal(picture.shape, np.float32)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)
