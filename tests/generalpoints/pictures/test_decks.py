"""Decks: shipped, drawn, and a user's own folder of faces."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from verienv.core.assets import asset_path
from verienv.generalpoints.pictures.decks import CARDS, SHIPPED, PictureDeck, load_deck
from verienv.generalpoints.pictures.drawing import draw
from verienv.generalpoints.pictures.drawn_deck import DRAWN, DrawnDeck
from verienv.generalpoints.pictures.visuals import Visual


@pytest.fixture
def own_deck(tmp_path: Path) -> Path:
    """52 plain faces, each of its own grey."""
    for number, card in enumerate(CARDS):
        Image.new("RGB", (50, 70), (number * 4, number * 4, 40)).save(tmp_path / f"{card}.png")
    return tmp_path


@pytest.mark.parametrize("name", [*SHIPPED, *DRAWN])
def test_every_deck_has_52_faces_of_the_wanted_size(name: str) -> None:
    deck = load_deck(name)
    faces = {deck.face(card, 60, round(60 * deck.aspect)).tobytes() for card in CARDS}
    assert len(faces) == 52
    face = deck.face("10H", 60, 84)
    assert (face.mode, face.size) == ("RGBA", (60, 84))


def test_the_52_cards_are_the_thirteen_ranks_in_four_suits() -> None:
    assert len(set(CARDS)) == 52
    assert {"AC", "10D", "KS", "2H"} <= set(CARDS)


def test_a_folder_of_ones_own_is_a_deck(own_deck: Path) -> None:
    picture = draw(("AC", "2C", "3C", "4C"), Visual(deck=str(own_deck), background="white"))
    shown = {tuple(color) for color in picture.reshape(-1, 3).tolist()}
    assert {(0, 0, 40), (4, 4, 40), (8, 8, 40), (12, 12, 40), (255, 255, 255)} == shown


def test_names_of_files_may_be_in_any_case(own_deck: Path) -> None:
    (own_deck / "QH.png").rename(own_deck / "qh.PNG")
    assert PictureDeck(own_deck).face("QH", 10, 14).size == (10, 14)


def test_what_is_missing_is_named(own_deck: Path) -> None:
    for card in ("10S", "QH"):
        (own_deck / f"{card}.png").unlink()
    with pytest.raises(
        ValueError, match=r"lacks 2 of 52 faces: QH.png, 10S.png; a face is named by its rank"
    ) as caught:
        Visual(deck=str(own_deck))
    assert str(own_deck) in str(caught.value)


def test_an_empty_folder_names_a_few_and_counts_the_rest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"lacks 52 of 52 faces: AC.png, .* and 47 more"):
        PictureDeck(tmp_path)


def test_a_file_is_no_deck(own_deck: Path) -> None:
    with pytest.raises(ValueError, match=r"AC.png' is no folder"):
        Visual(deck=str(own_deck / "AC.png"))


def test_faces_of_two_sizes_are_refused_by_name(own_deck: Path) -> None:
    Image.new("RGB", (51, 70)).save(own_deck / "KS.png")
    with pytest.raises(ValueError, match=r"50 x 70 px but KS.png is 51 x 70 px; expected 52 faces of one size"):
        PictureDeck(own_deck)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_a_file_that_is_no_png_is_refused_by_name(own_deck: Path, content: bytes) -> None:
    (own_deck / "7D.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"7D.png cannot be read as PNG"):
        PictureDeck(own_deck)


def test_a_png_cut_short_is_refused_by_name_when_it_is_drawn(own_deck: Path) -> None:
    rng = np.random.default_rng(0)
    for card in CARDS:
        Image.fromarray(rng.integers(0, 255, (70, 50, 3), np.uint8)).save(own_deck / f"{card}.png")
    whole = (own_deck / "7D.png").read_bytes()
    (own_deck / "7D.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"7D.png cannot be read as PNG"):
        PictureDeck(own_deck).face("7D", 10, 14)


@pytest.mark.parametrize("size", [(8, 12), (5000, 20)])
def test_a_face_too_small_or_too_large_is_refused(own_deck: Path, size: tuple[int, int]) -> None:
    Image.new("L", size).save(own_deck / "7D.png")
    with pytest.raises(ValueError, match=r"7D.png is .* px; expected 16 to 4096 px"):
        PictureDeck(own_deck)


def test_a_shipped_deck_copied_to_a_folder_draws_the_same(tmp_path: Path) -> None:
    shutil.copytree(asset_path("cards/flat"), tmp_path / "mine")
    hand = ("KD", "2S", "10C", "9H")
    assert np.array_equal(draw(hand, Visual(deck=str(tmp_path / "mine"))), draw(hand, Visual(deck="flat")))


def test_four_colours_change_clubs_and_diamonds_alone() -> None:
    two, four = load_deck("classic"), load_deck("classic_four_color")
    for rank in ("2", "9", "A"):
        for suit, same in (("S", True), ("H", True), ("C", False), ("D", False)):
            faces = [np.asarray(deck.face(rank + suit, 60, 84), int) for deck in (two, four)]
            assert (float(np.abs(faces[0] - faces[1]).mean()) < 0.2) == same


def test_a_drawn_deck_in_other_colours_shows_them() -> None:
    deck = load_deck(DrawnDeck(hearts="#00ffff"))
    face = np.asarray(deck.face("5H", 100, 140).convert("RGB"), int)
    assert (np.abs(face - [0, 255, 255]).sum(axis=2) < 30).sum() > 100


def shades(deck: Path) -> set[tuple[int, ...]]:
    picture = draw(("AC", "2C", "3C", "4C"), Visual(deck=str(deck), background="white"))
    return {tuple(color) for color in picture.reshape(-1, 3).tolist()} - {(255, 255, 255)}


def test_a_deck_whose_faces_are_overwritten_is_drawn_anew(own_deck: Path) -> None:
    assert shades(own_deck) == {(0, 0, 40), (4, 4, 40), (8, 8, 40), (12, 12, 40)}
    Image.new("RGB", (50, 70), (200, 0, 40)).save(own_deck / "2C.png")
    assert shades(own_deck) == {(0, 0, 40), (200, 0, 40), (8, 8, 40), (12, 12, 40)}


def test_a_deck_that_is_loaded_stays_what_it_is(own_deck: Path) -> None:
    deck = load_deck(str(own_deck))
    shutil.rmtree(own_deck)
    assert deck.face("2C", 10, 14).getpixel((5, 5)) == (4, 4, 40, 255)


@pytest.mark.parametrize("kept", [40, 60, 90])
def test_damage_to_a_face_is_noticed_when_the_deck_is_made(own_deck: Path, kept: int) -> None:
    Visual(deck=str(own_deck))
    os.truncate(own_deck / "7D.png", kept)
    with pytest.raises(ValueError, match=r"7D.png cannot be read as PNG"):
        Visual(deck=str(own_deck))


def test_a_face_of_grey_in_16_bits_keeps_its_shade(own_deck: Path) -> None:
    for card in CARDS:
        Image.fromarray(np.full((70, 50), 0x5A00, np.uint16)).save(own_deck / f"{card}.png")
    assert shades(own_deck) == {(0x5A, 0x5A, 0x5A)}


def test_faces_are_turned_as_their_exif_says(own_deck: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for number, card in enumerate(CARDS):
        Image.new("RGB", (70, 50), (number * 4, 0, 40)).save(own_deck / f"{card}.png", exif=exif)
    assert load_deck(str(own_deck)).aspect == 70 / 50


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("put", [pipe, folder, loop])
def test_a_face_that_is_no_plain_file_is_refused(own_deck: Path, put: Any) -> None:
    (own_deck / "7D.png").unlink()
    put(own_deck / "7D.png")
    with pytest.raises(ValueError, match=r"7D.png cannot be read as PNG"):
        Visual(deck=str(own_deck))


@pytest.mark.filterwarnings("error")
def test_a_face_that_claims_many_pixels_is_refused_in_one_line_and_without_a_warning(own_deck: Path) -> None:
    raw = bytearray((own_deck / "7D.png").read_bytes())
    raw[16:24] = (20_000).to_bytes(4, "big") + (20_000).to_bytes(4, "big")
    (own_deck / "7D.png").write_bytes(raw)
    with pytest.raises(ValueError, match=r"7D.png") as error:
        Visual.of({"deck": str(own_deck)})
    assert str(error.value).isprintable()


@pytest.mark.parametrize("deck", ["x" * 10**6, "\0", "a\nb", "/nowhere"])
def test_a_deck_that_is_not_there_is_told_in_a_short_line(deck: str) -> None:
    with pytest.raises(ValueError, match="expected one of classic") as error:
        Visual.of({"deck": deck})
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 700
