"""Legibility: a reader that knows clean faces tells the ranks in every deck and every look.

The reader shares no code with the drawing but the faces and the places of the cards. It cuts a card out, turns it
upright, brings both to one small size, evens out light and contrast, and takes the nearest of the 52 clean faces.
"""

import math
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from verienv.generalpoints.pictures.decks import CARDS, SHIPPED, load_deck
from verienv.generalpoints.pictures.drawing import Pose, Table
from verienv.generalpoints.pictures.drawn_deck import DRAWN
from verienv.generalpoints.pictures.visuals import VISUALS, Visual

READ_AT = (48, 66)  # width and height in px
INDEX = (slice(0, 30), slice(0, 16))  # the corner where rank and suit stand


def standardised(card: Image.Image) -> NDArray[np.float64]:
    """The index in the corner, on a scale of its own."""
    levels = np.asarray(card.convert("RGB").resize(READ_AT, Image.Resampling.BOX), np.float64)[INDEX]
    return (levels - levels.mean()) / (levels.std() + 1e-9)


@lru_cache(maxsize=16)
def clean_faces(deck: str) -> NDArray[np.float64]:
    """What the reader has learnt: the 52 faces, each alone and large."""
    source = load_deck(deck)
    faces = (source.face(card, 240, round(240 * source.aspect)) for card in CARDS)
    return np.stack([standardised(Image.alpha_composite(Image.new("RGBA", face.size, "grey"), face)) for face in faces])


def cut_out(picture: Image.Image, pose: Pose) -> Image.Image:
    """The card, upright: what lies around it is not turned with it, as that takes most of a test's time."""
    reach = math.ceil(math.hypot(pose.width, pose.height) / 2) + 2
    left, top = math.floor(pose.x) - reach, math.floor(pose.y) - reach
    around = picture.crop((left, top, left + 2 * reach, top + 2 * reach))
    x, y = pose.x - left, pose.y - top
    upright = around.rotate(-pose.angle, Image.Resampling.BILINEAR, center=(x, y))
    left, top = round(x - pose.width / 2), round(y - pose.height / 2)
    return upright.crop((left, top, left + pose.width, top + pose.height))


def share_read(look: Visual, side: int, hands: int = 65) -> float:
    """The share of ranks that the reader tells; every card comes up in every place."""
    table, right = Table(look, (side, side), 4), 0
    faces = clean_faces(str(look.deck))
    for hand in range(hands):
        cards = [CARDS[(hand + 13 * place + (place * hand) % 7) % 52] for place in range(4)]
        picture = Image.fromarray(table.draw(cards, hand))
        for pose, card in zip(table.poses(hand), cards, strict=True):
            distances = ((faces - standardised(cut_out(picture, pose))) ** 2).sum(axis=(1, 2, 3))
            right += CARDS[int(distances.argmin())][:-1] == card[:-1]
    return right / (4 * hands)


@pytest.mark.parametrize("deck", [*SHIPPED, *DRAWN])
def test_the_ranks_of_every_deck_are_legible_in_small_pictures(deck: str) -> None:
    assert share_read(Visual(deck=deck), 224) >= 0.97


@pytest.mark.parametrize(
    "deck",
    [
        pytest.param(deck, marks=[] if deck == Visual().deck else pytest.mark.slow)  # small pictures are harder to read
        for deck in (*SHIPPED, *DRAWN)
    ],
)
def test_the_ranks_of_every_deck_are_legible_on_the_default_table(deck: str) -> None:
    assert share_read(Visual(deck=deck), 336) >= 0.99


@pytest.mark.parametrize("name", [name for name in VISUALS if name != "default"])
def test_the_ranks_are_legible_in_every_named_look(name: str) -> None:
    assert share_read(Visual.of(name), 336) >= 0.95


def test_the_reader_fails_where_a_look_hides_the_ranks() -> None:
    assert share_read(Visual(noise=64.0, blur=4.0), 96) < 0.5
    assert share_read(Visual(blur=4.0, rotation=40.0), 120) < 0.5
