"""Sign boards: where they hang, how large their letters are, and the fallback sign."""

from math import atan2, degrees

import numpy as np
import pytest
from tests.virl.pictures.streets.signed_places import FONTS, is_low_enough, some_places, worlds

from verienv.virl.pictures.streets.sign_boards import (
    DISPLAY_PIXELS,
    MOST_ASIDE,
    PLAIN_PIXELS,
    Board,
    boards_of,
    fallback_sign,
    least_pixels,
    viewers_of,
)
from verienv.virl.pictures.streets.sign_lettering import NARROWEST, layout
from verienv.virl.pictures.streets.visuals import StreetVisual
from verienv.virl.world.city import LANDMARK_RADIUS

LETTERINGS = [StreetVisual(), StreetVisual(sign_font="mixed"), StreetVisual(sign_font="playfair-display")]


@pytest.mark.parametrize("visual", LETTERINGS, ids=lambda visual: visual.sign_font)
def test_a_board_within_fifty_degrees_has_letters_as_large_as_promised(visual: StreetVisual) -> None:
    for lots, place in some_places(6):
        boards = boards_of(lots, place, visual)
        for viewer in viewers_of(lots, place).tolist():
            for board in boards:
                if board.kind == "wing" and board.slant((viewer[0], viewer[1])) <= 46.0:
                    assert board.pixels((viewer[0], viewer[1])) >= least_pixels(board.font)


@pytest.mark.parametrize("visual", LETTERINGS, ids=lambda visual: visual.sign_font)
def test_from_everywhere_before_the_front_some_board_is_read(visual: StreetVisual) -> None:
    unread = total = 0
    for lots, place in some_places(6):
        boards = boards_of(lots, place, visual)
        for viewer in viewers_of(lots, place).tolist():
            total += 1
            unread += not any(board.is_read_from((viewer[0], viewer[1])) for board in boards)
    assert total > 500
    assert unread / total < 0.2  # around corners


@pytest.mark.parametrize("visual", LETTERINGS, ids=lambda visual: visual.sign_font)
def test_a_fallback_sign_is_read_from_wherever_the_place_is_met(visual: StreetVisual) -> None:
    for lots, place in some_places(2):
        board = boards_of(lots, place, visual)[0]
        for east, north in viewers_of(lots, place)[::7].tolist():
            assert fallback_sign(board, (east, north)).is_read_from((east, north))


@pytest.mark.parametrize("font", FONTS)
def test_a_fallback_sign_stands_aside_from_the_edge_of_a_view_and_hangs_in_view(font: str) -> None:
    for lots, place in some_places(2):
        fascia = boards_of(lots, place, StreetVisual(sign_font=font))[0]
        for east, north in viewers_of(lots, place)[::9].tolist():
            towards = degrees(atan2(-east, -north))
            board = fallback_sign(fascia, (east, north), (towards + 40.0,))
            aside = degrees(atan2(*np.subtract(board.centre, (east, north)))) - towards
            assert abs((aside + 180.0) % 360.0 - 180.0) <= MOST_ASIDE + 1e-6
            assert board.bottom >= 2.5
            for heading in range(0, 90, 15):
                assert is_low_enough(board, (east, north), float(heading))


def test_a_fallback_sign_hangs_above_the_fascia_where_it_can() -> None:
    lots = worlds()[0]
    fascia = boards_of(lots, 0, StreetVisual())[0]
    assert fallback_sign(fascia, (0.0, -25.0)).bottom > fascia.top


def test_nobody_meets_a_place_from_beyond_the_radius_of_landmarks() -> None:
    for lots, place in some_places(3):
        away = np.hypot(*viewers_of(lots, place).T)
        assert away.max(initial=0.0) <= LANDMARK_RADIUS + 0.5


def test_letters_of_a_display_font_are_twice_as_large() -> None:
    assert DISPLAY_PIXELS == 2 * PLAIN_PIXELS == 24
    lots = worlds()[0]
    plain = boards_of(lots, 0, StreetVisual())
    display = boards_of(lots, 0, StreetVisual(sign_font="anton"))
    assert display[-1].letters == pytest.approx(2 * plain[-1].letters)


def test_boards_hang_above_heads_and_bear_the_whole_label() -> None:
    for lots, place in some_places(8):
        for board in boards_of(lots, place, StreetVisual()):
            assert board.bottom >= 2.5
            assert " ".join(board.layout.lines) == " ".join(lots.city.places[place].label.split())
            assert board.layout.squeeze >= NARROWEST


def test_a_board_lies_before_its_front_and_near_it() -> None:
    for lots, place in some_places(8):
        for board in boards_of(lots, place, StreetVisual()):
            assert np.hypot(*board.centre) < 9.0


def test_a_viewer_behind_a_board_is_shown_its_back() -> None:
    board = Board(0, "fascia", (-2.0, 0.0), (2.0, 0.0), 3.0, 4.0, 0.5, "plain", layout("Bar", "plain", 8.0))
    assert board.normal == (0.0, -1.0)
    assert board.slant((0.0, -10.0)) == 0.0
    assert board.slant((0.0, 10.0)) == 180.0
    assert board.pixels((0.0, -16.0)) == pytest.approx(10.0)
