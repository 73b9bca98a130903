"""Signs: how large their letters are, where they hang, and that whoever meets a place can read one."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pytest

from verienv.virl.city import SHIPPED_CITIES, SIGHT, City, shipped_city
from verienv.virl.procedural import procedural_city
from verienv.virl.streets.boards import (
    DISPLAY_PIXELS,
    PLAIN_PIXELS,
    Board,
    boards_of,
    needed_pixels,
    turned_board,
    viewers_of,
)
from verienv.virl.streets.frontage import Frontage
from verienv.virl.streets.lettering import CAP, NARROWEST, board_picture, layout
from verienv.virl.streets.pixels import unpacked
from verienv.virl.streets.signs import scheme_of
from verienv.virl.streets.street_looks import DISPLAY_FONTS, StreetLook

LOOKS = [StreetLook(), StreetLook(sign_font="mixed"), StreetLook(sign_font="playfair-display")]


@lru_cache(maxsize=1)
def worlds() -> tuple[tuple[City, Frontage], ...]:
    cities = [shipped_city(name) for name in SHIPPED_CITIES] + [procedural_city("organic", 0)]
    return tuple((city, Frontage(city)) for city in cities)


def some_places(count: int) -> Iterator[tuple[City, Frontage, int]]:
    rng = np.random.default_rng(1)
    for city, frontage in worlds():
        for place in rng.integers(0, len(city.places), count):
            yield city, frontage, int(place)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.sign_font)
def test_a_board_within_fifty_degrees_has_letters_as_large_as_promised(look: StreetLook) -> None:
    for city, frontage, place in some_places(6):
        boards = boards_of(city, frontage, place, look)
        for viewer in viewers_of(city, frontage, place).tolist():
            for board in boards:
                if board.kind == "wing" and board.slant((viewer[0], viewer[1])) <= 46.0:
                    assert board.pixels((viewer[0], viewer[1])) >= needed_pixels(board.font)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.sign_font)
def test_from_everywhere_before_the_front_some_board_is_read(look: StreetLook) -> None:
    unread = total = 0
    for city, frontage, place in some_places(6):
        boards = boards_of(city, frontage, place, look)
        for viewer in viewers_of(city, frontage, place).tolist():
            total += 1
            unread += not any(board.is_read_from((viewer[0], viewer[1])) for board in boards)
    assert total > 500
    assert unread / total < 0.2  # around corners


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.sign_font)
def test_a_turned_board_is_read_from_wherever_the_place_is_met(look: StreetLook) -> None:
    for city, frontage, place in some_places(2):
        board = boards_of(city, frontage, place, look)[0]
        for east, north in viewers_of(city, frontage, place)[::7].tolist():
            assert turned_board(board, (east, north)).is_read_from((east, north))


def test_nobody_meets_a_place_from_farther_than_one_sees() -> None:
    for city, frontage, place in some_places(3):
        away = np.hypot(*viewers_of(city, frontage, place).T)
        assert away.max(initial=0.0) <= SIGHT + 0.5


def test_letters_of_a_display_font_are_twice_as_large() -> None:
    assert DISPLAY_PIXELS == 2 * PLAIN_PIXELS == 24
    city, frontage = worlds()[0]
    plain = boards_of(city, frontage, 0, StreetLook())
    display = boards_of(city, frontage, 0, StreetLook(sign_font="anton"))
    assert display[-1].letters == pytest.approx(2 * plain[-1].letters)


def test_boards_hang_above_heads_and_bear_the_whole_label() -> None:
    for city, frontage, place in some_places(8):
        for board in boards_of(city, frontage, place, StreetLook()):
            assert board.bottom >= 2.5
            assert " ".join(board.layout.lines) == " ".join(city.places[place].label.split())
            assert board.layout.squeeze >= NARROWEST


def test_a_board_lies_before_its_front_and_near_it() -> None:
    for city, frontage, place in some_places(8):
        for board in boards_of(city, frontage, place, StreetLook()):
            assert np.hypot(*board.centre) < 9.0


def test_what_a_board_shows_to_who_stands_behind_it_is_its_back() -> None:
    board = Board(0, "fascia", (-2.0, 0.0), (2.0, 0.0), 3.0, 4.0, 0.5, "plain", layout("Bar", "plain", 8.0))
    assert board.normal == (0.0, -1.0)
    assert board.slant((0.0, -10.0)) == 0.0
    assert board.slant((0.0, 10.0)) == 180.0
    assert board.pixels((0.0, -16.0)) == pytest.approx(10.0)


@pytest.mark.parametrize("font", ["plain", *DISPLAY_FONTS])
def test_letters_are_as_high_as_they_are_said_to_be(font: str) -> None:
    laid = layout("H", font, 20.0)
    picture = board_picture(laid, font, (0, 0, 0), (255, 255, 255), 0)
    inner = unpacked(picture)[12:-12, 12:-12, 0] > 128
    rows = np.flatnonzero(inner.any(axis=1))
    assert abs(rows[-1] - rows[0] + 1 - CAP) <= 3


def test_lines_are_balanced_and_broken_between_words() -> None:
    assert layout("Banco de la Republica Oriental", "plain", 14.0).lines == ("Banco de la", "Republica", "Oriental")
    assert layout("Bar", "plain", 30.0).lines == ("Bar",)


def test_signs_have_strong_contrast() -> None:
    for city, _ in worlds():
        for place in city.places[:200]:
            ground, ink = scheme_of(place)
            brightness = [0.3 * red + 0.59 * green + 0.11 * blue for red, green, blue in (ground, ink)]
            assert abs(brightness[0] - brightness[1]) > 90
