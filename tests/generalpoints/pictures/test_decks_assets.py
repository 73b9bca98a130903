"""The card faces in assets/cards: complete, free to use, and each as a picture of a card must be."""

import numpy as np
import pytest
from PIL import Image

from verienv.core.assets import asset_path

RANKS = ("A", "2", "3", "4", "5", "6", "7", "8", "9", "10", "J", "Q", "K")
FACES = {f"{rank}{suit}" for rank in RANKS for suit in "CDHS"}
DECKS = ("classic", "classic_four_color", "flat")


def opened(deck: str) -> dict[str, Image.Image]:
    """The deck's pictures, as RGBA."""
    pictures = {}
    for path in sorted(asset_path(f"cards/{deck}").glob("*.png")):
        with Image.open(path) as picture:
            pictures[path.stem] = picture.convert("RGBA")
    return pictures


def ink(picture: Image.Image, top: float, bottom: float) -> np.ndarray:
    """The mark at the left edge between two heights, given as parts of the face's, fitted into 16 x 16 pixels."""
    white = Image.new("RGBA", picture.size, "white")
    box = (8, round(top * picture.height), picture.width // 5, round(bottom * picture.height))
    mark = Image.alpha_composite(white, picture).convert("L").crop(box).point(lambda value: 255 * (value < 200))
    return np.asarray(mark.crop(mark.getbbox()).resize((16, 16)), float)


def nearest(mark: np.ndarray, marks: dict[str, np.ndarray]) -> str:
    """The name of the mark that differs least from this one."""
    return min(marks, key=lambda name: float(abs(mark - marks[name]).mean()))


def test_no_deck_is_missing_and_none_is_untested() -> None:
    assert {path.name for path in asset_path("cards").iterdir()} == set(DECKS)


@pytest.mark.parametrize("deck", DECKS)
def test_a_deck_has_its_52_faces_a_licence_and_a_readme_and_no_other_file(deck: str) -> None:
    held = {path.name for path in asset_path(f"cards/{deck}").iterdir()}
    assert held == {f"{face}.png" for face in FACES} | {"LICENSE", "README.md"}


@pytest.mark.parametrize("deck", DECKS)
def test_a_deck_comes_with_the_whole_text_of_cc0(deck: str) -> None:
    text = " ".join((asset_path(f"cards/{deck}") / "LICENSE").read_text(encoding="utf-8").split())
    assert text.startswith("Creative Commons Legal Code CC0 1.0 Universal")
    for heading in ("Statement of Purpose", "1. Copyright and Related Rights.", "2. Waiver.", "4. Limitations"):
        assert heading in text
    assert "no duty or obligation with respect to this CC0 or use of the Work." in text


@pytest.mark.parametrize(
    ("deck", "artist", "package"),
    [
        ("classic", "Adrian Kennard", "`@heruka_urgyen/react-playing-cards` 0.5.0"),
        ("classic_four_color", "Adrian Kennard", "`@heruka_urgyen/react-playing-cards` 0.5.0"),
        ("flat", "Kenney", "`arcade` 3.3.3"),
    ],
)
def test_a_readme_says_who_drew_the_deck_and_where_it_was_taken_from(deck: str, artist: str, package: str) -> None:
    text = (asset_path(f"cards/{deck}") / "README.md").read_text(encoding="utf-8")
    assert all(word in text for word in (artist, package, "CC0 1.0", "tools/build_decks.py"))


@pytest.mark.parametrize(
    ("deck", "size"), [("classic", (240, 336)), ("classic_four_color", (240, 336)), ("flat", (140, 190))]
)
def test_the_faces_of_a_deck_share_one_size(deck: str, size: tuple[int, int]) -> None:
    assert {picture.size for picture in opened(deck).values()} == {size}


@pytest.mark.parametrize("deck", DECKS)
def test_a_face_is_opaque_but_for_its_corners(deck: str) -> None:
    for face, picture in opened(deck).items():
        alpha = np.asarray(picture)[..., 3]
        assert not alpha[[0, 0, -1, -1], [0, -1, 0, -1]].any(), face
        assert (alpha[14:-14] == 255).all(), face
        assert (alpha[:, 14:-14] == 255).all(), face


@pytest.mark.parametrize("deck", DECKS)
def test_no_two_faces_of_a_deck_are_the_same_picture(deck: str) -> None:
    pictures = opened(deck)
    assert len({picture.tobytes() for picture in pictures.values()}) == len(pictures) == 52


@pytest.mark.parametrize("deck", DECKS)
def test_each_suit_has_its_colour(deck: str) -> None:
    wanted = {"C": "black", "D": "red", "H": "red", "S": "black"}
    if deck == "classic_four_color":
        wanted |= {"C": "green", "D": "blue"}
    for face, picture in opened(deck).items():
        inked = np.asarray(picture.crop((8, 12, picture.width // 5, picture.height * 2 // 5)))[..., :3].astype(int)
        red, green, blue = inked[inked.min(axis=2) < 100].mean(axis=0)
        strongest = max((red, "red"), (green, "green"), (blue, "blue"))[1]
        found = "black" if max(red, green, blue) - min(red, green, blue) < 20 else strongest
        assert found == wanted[face[-1]], face


@pytest.mark.parametrize(
    ("deck", "top", "middle", "bottom"),
    [("classic", 0.04, 0.27, 0.45), ("classic_four_color", 0.04, 0.27, 0.45), ("flat", 0.04, 0.22, 0.36)],
)
def test_a_face_shows_the_rank_and_the_suit_of_its_name(deck: str, top: float, middle: float, bottom: float) -> None:
    pictures = opened(deck)
    ranks = {rank: ink(pictures[f"{rank}S"], top, middle) for rank in RANKS}
    suits = {suit: ink(pictures[f"A{suit}"], middle, bottom) for suit in "CDHS"}
    for face, picture in pictures.items():
        shown = nearest(ink(picture, top, middle), ranks) + nearest(ink(picture, middle, bottom), suits)
        assert shown == face


def test_a_whole_deck_stays_small() -> None:
    sizes = {deck: sum(path.stat().st_size for path in asset_path(f"cards/{deck}").iterdir()) for deck in DECKS}
    assert max(sizes.values()) < 300_000, sizes
