"""Drawing a hand on the table: a pure function of cards, visual, size and jitter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import pi

import numpy as np
from PIL import Image

from verienv.core.file_cache import cached_by_files
from verienv.generalpoints.pictures.camera import Picture, add_noise, blur, light_up, stretches
from verienv.generalpoints.pictures.decks import deck_files, load_deck
from verienv.generalpoints.pictures.poses import Pose, poses
from verienv.generalpoints.pictures.tabletop import tabletop
from verienv.generalpoints.pictures.turned_faces import TurnedFaces
from verienv.generalpoints.pictures.visuals import Visual

SMALLEST, LARGEST = 96, 1600
"""The least and the greatest height and width of a picture, in px."""

DEFAULT_SIZE = (336, 336)
_TILES_BYTES = 64 * 2**20


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
    """A laid table: the background is painted once, and each face is scaled once for its place, or turned once for each
    angle, within a bound of memory."""

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
            pose = self.poses(0)[0]
            self.faces = TurnedFaces(visual, self._deck, (pose.width, pose.height))

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
        picture = self._ground.copy()
        for pose, card in zip(self.poses(jitter), cards, strict=True):
            self.faces.lay(picture, card, pose)
        return picture

    def _taken(self, picture: Picture, jitter: int) -> Picture:
        """Apply the camera: the lamp first, then the lens, then the sensor.

        All that is left to chance is drawn, whatever the visual: a jitter has one lamp and one noise.
        """
        visual, rng = self.visual, np.random.default_rng([jitter, 1])
        lamp, *starts = rng.random(1 + stretches(picture.size)).tolist()
        if visual.light:
            picture = light_up(picture, visual.light, 2 * pi * lamp)
        if visual.blur:
            picture = blur(picture, visual.blur * self.size[0] / 336)
        if visual.noise:
            picture = add_noise(picture, visual.noise, starts)
        return picture


def _place(pose: Pose) -> tuple[slice, slice]:
    """Rows and columns of a card that is not turned."""
    left, top = round(pose.x - pose.width / 2), round(pose.y - pose.height / 2)
    return slice(top, top + pose.height), slice(left, left + pose.width)
