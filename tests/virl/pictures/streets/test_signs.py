"""Signs: how large their letters are, where they hang, and that whoever meets a place can read one."""

from collections.abc import Iterator
from functools import lru_cache
from math import atan2, cos, degrees, hypot, radians

import numpy as np
import pytest

from verienv.virl.pictures.streets.billboards import Panel
from verienv.virl.pictures.streets.panorama_drawing import walls_near
from verienv.virl.pictures.streets.pixels import unpacked
from verienv.virl.pictures.streets.sign_boards import (
    DISPLAY_PIXELS,
    PLAIN_PIXELS,
    Board,
    boards_of,
    needed_pixels,
    viewers_of,
)
from verienv.virl.pictures.streets.sign_lettering import CAP, MARGIN, NARROWEST, board_picture, layout
from verienv.virl.pictures.streets.signs import MOST_HIDDEN, boards_shown, scheme_of
from verienv.virl.pictures.streets.turned import MOST_ASIDE, turned_board
from verienv.virl.pictures.streets.views import headings_at, is_in_one_view
from verienv.virl.pictures.streets.visibility import EYE, Cover, Frame, visible_spans
from verienv.virl.pictures.streets.visuals import DISPLAY_FONTS, StreetLook
from verienv.virl.world.city import LANDMARK_RADIUS, City
from verienv.virl.world.city_file import SHIPPED_CITIES, shipped_city
from verienv.virl.world.geometry import Point, to_local, turn
from verienv.virl.world.lots import Lots
from verienv.virl.world.procedural import procedural_city

FONTS = ("plain", *DISPLAY_FONTS)
LOOKS = [StreetLook(), StreetLook(sign_font="mixed"), StreetLook(sign_font="playfair-display")]


@lru_cache(maxsize=1)
def worlds() -> tuple[tuple[City, Lots], ...]:
    cities = [shipped_city(name) for name in SHIPPED_CITIES] + [procedural_city("organic", 0)]
    return tuple((city, Lots(city)) for city in cities)


@lru_cache(maxsize=1)
def grid() -> tuple[City, Lots]:
    city = procedural_city("grid", 7)
    return city, Lots(city)


def some_places(count: int) -> Iterator[tuple[City, Lots, int]]:
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


def some_poses(city: City, count: int) -> Iterator[Point]:
    """Random positions on streets where there is a landmark; one in four is a junction, where most routes turn."""
    rng = np.random.default_rng(2)
    while count:
        street = city.streets[rng.integers(len(city.streets))]
        location = street.at(float(rng.uniform(0, street.length)) * (rng.random() > 0.25))
        if city.landmark_at(location):
            count -= 1
            yield location


def directions_of_writing(board: Board, viewer: tuple[float, float]) -> Iterator[tuple[float, float, float]]:
    """Of its upper corners: the compass direction, metres away along the ground, and metres above the camera."""
    left, right = np.subtract(board.left, viewer), np.subtract(board.right, viewer)
    edge = (right - left) / np.hypot(*(right - left)) * MARGIN * board.letters
    for east, north in (left + edge, right - edge):
        yield degrees(atan2(east, north)), hypot(east, north), board.top - MARGIN * board.letters - EYE


def is_low_enough(board: Board, viewer: tuple[float, float], heading: float) -> bool:
    """Whether its writing's top is in view for one who looks around in four views, each end in the one it is in."""
    for towards, away, rise in directions_of_writing(board, viewer):
        off = turn(heading, towards) % 90.0
        if rise / away > cos(radians(min(off, 90.0 - off))):
            return False
    return True


def is_whole(board: Board, viewer: tuple[float, float], heading: float) -> bool:
    """Whether both ends of its writing are in the same view."""
    first, last = (turn(heading, towards) % 360.0 for towards, _, _ in directions_of_writing(board, viewer))
    return (first + 45.0) % 360.0 // 90.0 == (last + 45.0) % 360.0 // 90.0


def streets_cross_askew(headings: tuple[float, ...]) -> bool:
    """Whether streets meet here at other angles than right ones, so that a view may end in every direction."""
    return any(abs((one - other + 45.0) % 90.0 - 45.0) > 10.0 for one in headings for other in headings)


@pytest.mark.parametrize("number", range(len(SHIPPED_CITIES) + 2))
def test_from_every_pose_a_board_is_read_that_is_wholly_in_view(number: int) -> None:
    city, frontage = (*worlds(), grid())[number]
    frame, looks = Frame(256, 512), [StreetLook(sign_font=font) for font in FONTS]
    total = cut = 0
    for location in some_poses(city, 40):
        cover = Cover(frame, visible_spans(frame, walls_near(city, frontage, location, looks[0].in_city(city.name))[1]))
        headings = headings_at(city, frontage, location)
        assert headings
        place = city.landmark_at(location)
        assert place is not None
        foot = to_local(location, np.array([place.location]))[0]
        viewer = (-float(foot[0]), -float(foot[1]))
        for look in looks:
            read = [
                board
                for board in boards_shown(frame, city, frontage, location, look, cover)
                if board.slant(viewer) <= 50.0
                and board.pixels(viewer) >= (12.0 if look.sign_font == "plain" else 24.0)
                and (board.kind == "turned" or hidden(frame, cover, board, foot) < MOST_HIDDEN)
            ]
            for heading in headings:
                low = [board for board in read if is_low_enough(board, viewer, heading)]
                assert low
                total += 1
                if not any(is_whole(board, viewer, heading) for board in low):
                    cut += 1
                    assert low[-1].kind == "turned"
                    assert streets_cross_askew(headings)
    assert total >= 40 * 2 * len(FONTS)
    assert cut / total < 0.01


def hidden(frame: Frame, cover: Cover, board: Board, foot: np.ndarray) -> float:
    """The share of a board that walls hide."""
    return Panel(frame, foot + board.left, foot + board.right, board.bottom, board.top).hidden_share(cover)


def test_a_rectangle_is_in_one_view_unless_an_edge_or_the_top_of_the_view_cuts_it() -> None:
    left, right = np.array([-3.0, 10.0]), np.array([3.0, 10.0])
    assert is_in_one_view(left, right, 9.0, 0.0)
    assert is_in_one_view(left, right, 9.0, 270.0)
    assert not is_in_one_view(left, right, 9.9, 0.0)
    assert not is_in_one_view(left, right, 1.0, 45.0)
    assert is_in_one_view(left, right, 1.0, 25.0)
    assert not is_in_one_view(left, right, 9.0, 25.0)


def test_one_looks_along_the_streets_where_one_stands() -> None:
    city, frontage = worlds()[0]
    street = max(city.streets, key=lambda each: each.length)
    middle = street.length / 2
    both = {round(street.heading(middle, forward), 1) for forward in (True, False)}
    assert {round(heading, 1) for heading in headings_at(city, frontage, street.at(middle))} == both
    node = next(node for node in range(len(city.nodes)) if city.is_junction(node))
    setting_out = {
        round(city.streets[index].heading(0.0 if forward else city.streets[index].length, forward), 1)
        for index, forward in city.branches(node)
    }
    assert setting_out <= {round(heading, 1) for heading in headings_at(city, frontage, city.nodes[node])}


@pytest.mark.parametrize("font", FONTS)
def test_a_turned_board_stands_aside_from_the_edge_of_a_view_and_hangs_in_view(font: str) -> None:
    for city, frontage, place in some_places(2):
        fascia = boards_of(city, frontage, place, StreetLook(sign_font=font))[0]
        for east, north in viewers_of(city, frontage, place)[::9].tolist():
            towards = degrees(atan2(-east, -north))
            board = turned_board(fascia, (east, north), (towards + 40.0,))
            aside = degrees(atan2(*np.subtract(board.centre, (east, north)))) - towards
            assert abs((aside + 180.0) % 360.0 - 180.0) <= MOST_ASIDE + 1e-6
            assert board.bottom >= 2.5
            for heading in range(0, 90, 15):
                assert is_low_enough(board, (east, north), float(heading))


def test_a_turned_board_hangs_above_the_fascia_where_it_can() -> None:
    city, frontage = worlds()[0]
    fascia = boards_of(city, frontage, 0, StreetLook())[0]
    assert turned_board(fascia, (0.0, -25.0)).bottom > fascia.top


def test_nobody_meets_a_place_from_farther_than_one_sees() -> None:
    for city, frontage, place in some_places(3):
        away = np.hypot(*viewers_of(city, frontage, place).T)
        assert away.max(initial=0.0) <= LANDMARK_RADIUS + 0.5


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


@pytest.mark.parametrize("font", FONTS)
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
