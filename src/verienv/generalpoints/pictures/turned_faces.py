"""Faces that are turned: each once for each angle, kept within a bound of memory, and laid by integers."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import NamedTuple

import numpy as np
from PIL import Image

from verienv.generalpoints.pictures.camera import Picture, Wide
from verienv.generalpoints.pictures.decks import CARDS, DECKS, Deck
from verienv.generalpoints.pictures.poses import Pose, angles, turned_box
from verienv.generalpoints.pictures.visuals import Visual

_FACES_BYTES = 96 * 2**20
"""Bytes of turned faces that a table keeps: all of them in every named visual at 336 px."""


class TurnedFace(NamedTuple):
    """A face as it lies: height x (3 x width), its channels side by side."""

    color: Picture
    """Its own levels, times its opacity."""
    clear: Wide
    """The share of the ground that shows through, in 256ths."""


class TurnedFaces:
    """The 52 faces of a deck at every angle at which a visual may turn them.

    Args:
        visual: its deck and rotation.
        deck: the faces.
        size: width and height of a card in px.
    """

    def __init__(self, visual: Visual, deck: Deck, size: tuple[int, int]) -> None:
        self._deck, self._size = deck, size
        self._large_face = lru_cache(len(CARDS))(self._scale_large_face)
        self._outline = lru_cache(len(angles(visual.rotation)))(_outline)
        width, height = turned_box(*size, visual.rotation)
        # the faces of a deck of ours have one outline, which they share at each angle; elsewhere each may have its own
        levels = 3 * (ceil(width) + 1) * (ceil(height) + 1) * (1 if visual.deck in DECKS else 3)
        self.turned = lru_cache(_FACES_BYTES // levels + 1)(self._turn)

    def lay(self, picture: Picture, card: str, pose: Pose) -> None:
        """Lay a card on a picture, in place; it is contiguous, and the pose lies within it."""
        face = self.turned(card, pose.angle)
        height, levels = face.color.shape
        left, top = round(pose.x - levels / 6), round(pose.y - height / 2)
        place = picture.reshape(len(picture), -1)[top : top + height, 3 * left : 3 * left + levels]
        under = place.astype(np.uint16)
        under *= face.clear
        under >>= 8
        laid = under.astype(np.uint8)
        laid += face.color  # at most 255: what is let through and the face's own levels are rounded down
        place[:] = laid

    def _scale_large_face(self, card: str) -> Image.Image:
        return self._deck.face(card, 2 * self._size[0], 2 * self._size[1]).convert("RGBa")

    def _turn(self, card: str, angle: float) -> TurnedFace:
        """Turn a face at twice the size, then reduce it: smooth edges."""
        turned = self._large_face(card).rotate(angle, Image.Resampling.BICUBIC, expand=True)
        width, height = ceil(turned.width / 2), ceil(turned.height / 2)
        levels = np.asarray(turned.resize((width, height), Image.Resampling.LANCZOS))
        opacity = levels[..., 3:]
        color = np.minimum(levels[..., :3], opacity).reshape(height, 3 * width)
        return TurnedFace(color, self._outline(opacity.tobytes(), height))


def _outline(opacity: bytes, height: int) -> Wide:
    """Return the share that shows through, for each channel of each px of its rows, in 256ths."""
    clear = (255 - np.frombuffer(opacity, np.uint8).astype(np.uint16)) * np.uint16(256) // np.uint16(255)
    return np.repeat(clear, 3).reshape(height, -1)
