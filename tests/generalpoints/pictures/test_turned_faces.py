"""Faces that are turned: laid as Pillow would lay them, and turned once."""

import numpy as np
import pytest
from PIL import Image

from verienv.generalpoints.pictures import turned_faces
from verienv.generalpoints.pictures.decks import CARDS, DECKS, load_deck
from verienv.generalpoints.pictures.drawing import Table
from verienv.generalpoints.pictures.poses import Pose
from verienv.generalpoints.pictures.turned_faces import TurnedFaces
from verienv.generalpoints.pictures.visuals import VISUALS, Visual


@pytest.mark.parametrize("deck", ["classic", "drawn_dark"])
@pytest.mark.parametrize("angle", [0.0, -20.0, 7.0])
def test_a_face_is_laid_as_pillow_lays_it(deck: str, angle: float) -> None:
    faces = TurnedFaces(Visual(deck=deck, rotation=20.0), load_deck(deck), (60, 84))
    ground = np.random.default_rng(0).integers(256, size=(160, 150, 3), dtype=np.uint8)
    picture = ground.copy()
    faces.lay(picture, "QH", Pose(75.0, 80.0, angle, 60, 84))

    large = load_deck(deck).face("QH", 120, 168).convert("RGBa").rotate(angle, Image.Resampling.BICUBIC, expand=True)
    small = large.resize((-(-large.width // 2), -(-large.height // 2)), Image.Resampling.LANCZOS).convert("RGBA")
    pasted = Image.fromarray(ground)
    pasted.paste(small, (round(75 - small.width / 2), round(80 - small.height / 2)), small)
    assert np.abs(picture.astype(int) - np.asarray(pasted)).max() <= 3
    assert np.abs(picture.astype(int) - np.asarray(pasted)).mean() < 0.05


@pytest.mark.parametrize("size", [(96, 96), (97, 140), (300, 96), (131, 203)])
def test_a_turned_card_never_leaves_the_picture(size: tuple[int, int]) -> None:
    for rotation in (0.0, 3.3, 45.0):
        for count in (3, 6):
            table = Table(Visual(arrangement="scattered", rotation=rotation), size, count)
            for jitter in range(25):
                table.draw(CARDS[:count], jitter)  # numpy raises where a card does not fit


def test_a_face_is_turned_once_for_each_angle() -> None:
    table = Table(Visual.of("scattered"), (96, 96), 4)
    for _ in range(3):
        table.draw(CARDS[:4], 5)
    assert table.faces.turned.cache_info()[:2] == (8, 4)


@pytest.mark.parametrize("name", ["rotated", "scattered"])
def test_all_turned_faces_of_a_named_look_fit_in_memory(name: str) -> None:
    table = Table(Visual.of(name), (336, 336), 4)
    most, rotation = table.faces.turned.cache_info().maxsize, int(VISUALS[name]["rotation"])
    assert most is not None
    assert most >= len(CARDS) * (2 * rotation + 1)
    assert most * table.faces.turned("AS", float(rotation)).color.nbytes <= 1.02 * turned_faces._FACES_BYTES


def test_the_bound_counts_outlines_that_a_folder_may_have_for_each_card() -> None:
    deck = load_deck("classic")
    ours, theirs = (TurnedFaces(Visual(deck=each, rotation=9.0), deck, (200, 280)) for each in ("classic", {}))  # type: ignore[arg-type]
    assert theirs.turned.cache_info().maxsize * 2.9 < ours.turned.cache_info().maxsize  # type: ignore[operator]


@pytest.mark.parametrize("deck", DECKS)
def test_the_faces_of_a_deck_share_one_outline(deck: str) -> None:
    faces = TurnedFaces(Visual(deck=deck, rotation=9.0), load_deck(deck), (40, 56))
    assert len({id(faces.turned(card, 9.0).clear) for card in CARDS[::5]}) == 1
