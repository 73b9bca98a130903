"""Signs: whoever meets a place can read one that is wholly in view and not hidden."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from tests.virl.pictures.streets.signed_places import FONTS, directions_of_writing, is_low_enough, worlds

from verienv.virl.pictures.streets.billboards import Billboard
from verienv.virl.pictures.streets.camera import Camera
from verienv.virl.pictures.streets.panorama_drawing import walls_near
from verienv.virl.pictures.streets.sign_boards import (
    Board,
)
from verienv.virl.pictures.streets.signs import MOST_HIDDEN, choose_boards, scheme_of
from verienv.virl.pictures.streets.viewpoint import Viewpoint
from verienv.virl.pictures.streets.visibility import Cover, visible_spans
from verienv.virl.pictures.streets.visuals import StreetVisual
from verienv.virl.world.city import City
from verienv.virl.world.city_file import SHIPPED_CITIES
from verienv.virl.world.geometry import Point, to_local, turn
from verienv.virl.world.lots import Lots
from verienv.virl.world.procedural import procedural_city


@lru_cache(maxsize=1)
def grid() -> Lots:
    return Lots(procedural_city("grid", 7))


def some_poses(city: City, count: int) -> Iterator[Point]:
    """Random positions on streets where there is a landmark; one in four is a junction, where most routes turn."""
    rng = np.random.default_rng(2)
    while count:
        street = city.streets[rng.integers(len(city.streets))]
        location = street.at(float(rng.uniform(0, street.length)) * (rng.random() > 0.25))
        if city.landmark_at(location):
            count -= 1
            yield location


def is_whole(board: Board, viewer: tuple[float, float], heading: float) -> bool:
    """Return whether both ends of the writing are in the same view."""
    first, last = (turn(heading, towards) % 360.0 for towards, _, _ in directions_of_writing(board, viewer))
    return (first + 45.0) % 360.0 // 90.0 == (last + 45.0) % 360.0 // 90.0


def streets_cross_askew(headings: tuple[float, ...]) -> bool:
    """Return whether streets meet at other angles than right ones, so that a view may end in every direction."""
    return any(abs((one - other + 45.0) % 90.0 - 45.0) > 10.0 for one in headings for other in headings)


@pytest.mark.parametrize("poses", [10, pytest.param(40, marks=pytest.mark.slow)])
@pytest.mark.parametrize("number", range(len(SHIPPED_CITIES) + 2))
def test_from_every_pose_a_board_is_read_that_is_wholly_in_view(number: int, poses: int) -> None:
    lots = (*worlds(), grid())[number]
    city, camera, visuals = lots.city, Camera(256, 512), [StreetVisual(sign_font=font) for font in FONTS]
    total = cut = 0
    for location in some_poses(city, poses):
        viewpoint = Viewpoint(lots, location, visuals[0].in_city(city.name), camera)
        cover = Cover(camera, visible_spans(camera, walls_near(viewpoint)[1]))
        headings = lots.headings_at(location)
        assert headings
        place = city.landmark_at(location)
        assert place is not None
        foot = to_local(location, np.array([place.location]))[0]
        viewer = (-float(foot[0]), -float(foot[1]))
        for visual in visuals:
            read = [
                board
                for board in choose_boards(replace(viewpoint, visual=visual), cover)
                if board.slant(viewer) <= 50.0
                and board.pixels(viewer) >= (12.0 if visual.sign_font == "plain" else 24.0)
                and (board.kind == "fallback" or hidden(camera, cover, board, foot) < MOST_HIDDEN)
            ]
            for heading in headings:
                low = [board for board in read if is_low_enough(board, viewer, heading)]
                assert low
                total += 1
                if not any(is_whole(board, viewer, heading) for board in low):
                    cut += 1
                    assert low[-1].kind == "fallback"
                    assert streets_cross_askew(headings)
    assert total >= poses * 2 * len(FONTS)
    assert cut / total < 0.01


def hidden(camera: Camera, cover: Cover, board: Board, foot: np.ndarray) -> float:
    """The share of a board that walls hide."""
    return Billboard(camera, foot + board.left, foot + board.right, board.bottom, board.top).hidden_share(cover)


def test_signs_have_strong_contrast() -> None:
    for lots in worlds():
        for place in lots.city.places[:200]:
            ground, ink = scheme_of(place)
            brightness = [0.3 * red + 0.59 * green + 0.11 * blue for red, green, blue in (ground, ink)]
            assert abs(brightness[0] - brightness[1]) > 90
