"""The panorama: drawn the same everywhere, near before far, each landmark with its sign where it stands."""

import subprocess
import sys
from functools import lru_cache
from hashlib import sha256

import numpy as np
import pytest

from verienv.virl.pictures.streets import panorama_drawing
from verienv.virl.pictures.streets.buildings import building_of
from verienv.virl.pictures.streets.camera import Camera
from verienv.virl.pictures.streets.panorama_drawing import Picture, draw_panorama
from verienv.virl.pictures.streets.signs import MOST_HIDDEN, Signs, signs_near
from verienv.virl.pictures.streets.viewpoint import Viewpoint
from verienv.virl.pictures.streets.visibility import Cover, visible_spans
from verienv.virl.pictures.streets.visuals import VISUALS, StreetVisual
from verienv.virl.world.city import City, Place, Street
from verienv.virl.world.city_file import SHIPPED_CITIES, shipped_city
from verienv.virl.world.geometry import Point, bearing, distance, turn
from verienv.virl.world.lots import Lots
from verienv.virl.world.procedural import procedural_city

SIZE = (128, 256)
CITIES = [pytest.param(name, marks=pytest.mark.slow) for name in SHIPPED_CITIES[:3]] + [SHIPPED_CITIES[3], "grid-0"]

CHILD = """
from hashlib import sha256
from verienv.virl.world.city_file import shipped_city
from verienv.virl.world.lots import Lots
from verienv.virl.pictures.streets.panorama_drawing import draw_panorama
from verienv.virl.pictures.streets.visuals import StreetVisual
city = shipped_city("helsinki")
print(sha256(draw_panorama(Lots(city), city.nodes[7], StreetVisual(), (128, 256)).tobytes()).hexdigest())
"""


@lru_cache(maxsize=8)
def lots_of(name: str) -> Lots:
    return Lots(shipped_city(name) if name in SHIPPED_CITIES else procedural_city("grid", 0))


def some_poses(name: str, count: int, seed: int = 0) -> list[tuple[Street, float]]:
    """Random positions on streets where a landmark is seen."""
    city = lots_of(name).city
    rng = np.random.default_rng(seed)
    poses: list[tuple[Street, float]] = []
    while len(poses) < count:
        street = city.streets[rng.integers(len(city.streets))]
        along = float(rng.uniform(0, street.length))
        if city.landmark_at(street.at(along)):
            poses.append((street, along))
    return poses


def drawn(name: str, location: Point, visual: str = "default", size: tuple[int, int] = SIZE) -> Picture:
    return draw_panorama(lots_of(name), location, StreetVisual.of(visual), size)


def test_a_panorama_is_what_it_is_said_to_be() -> None:
    picture = drawn("helsinki", lots_of("helsinki").city.nodes[3])
    assert picture.shape == (*SIZE, 3)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    assert picture.flags.writeable


def test_another_process_draws_the_same_pixels() -> None:
    here = drawn("helsinki", lots_of("helsinki").city.nodes[7])
    there = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True).stdout.strip()
    assert sha256(here.tobytes()).hexdigest() == there


def test_what_was_drawn_before_leaves_no_trace() -> None:
    city = lots_of("astana").city
    first = drawn("astana", city.nodes[3])
    drawn("astana", city.nodes[4], "night")
    assert np.array_equal(first, draw_panorama(Lots(city), city.nodes[3], StreetVisual(), SIZE))


@pytest.mark.parametrize("size", [(127, 256), (32, 64), (128, 9000), (5000, 10000)])
def test_a_size_that_cannot_be_drawn_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"size=.*expected"):
        drawn("helsinki", lots_of("helsinki").city.nodes[0], size=size)


def test_every_visual_draws_and_each_differs_from_the_others() -> None:
    street, along = some_poses("grid-0", 1)[0]
    pictures = {name: drawn("grid-0", street.at(along), name).tobytes() for name in VISUALS}
    assert pictures.pop("plain") == pictures["default"]  # a made-up city is built in the plain way
    assert len(set(pictures.values())) == len(pictures)


def _columns_of_own_sign(name: str, location: Point, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """The headings, in degrees, of the columns that the landmark's sign changes."""

    def without_own(*args: object) -> Signs:
        return Signs(signs_near(*args).others, [], None)  # type: ignore[arg-type]

    size = (256, 512)
    whole = drawn(name, location, size=size)
    with monkeypatch.context() as patch:
        patch.setattr(panorama_drawing, "signs_near", without_own)
        bare = drawn(name, location, size=size)
    changed = np.flatnonzero((whole != bare).any(axis=(0, 2)))
    return (changed + 0.5) / size[1] * 360.0


@pytest.mark.parametrize("poses", [8, pytest.param(40, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CITIES)
def test_the_sign_of_the_landmark_shows_where_it_stands(name: str, poses: int, monkeypatch: pytest.MonkeyPatch) -> None:
    city = lots_of(name).city
    offs = []
    for street, along in some_poses(name, poses):
        location = street.at(along)
        place = city.landmark_at(location)
        assert place is not None
        seen = np.radians(_columns_of_own_sign(name, location, monkeypatch))
        assert len(seen) >= 3
        middle = float(np.degrees(np.arctan2(np.sin(seen).mean(), np.cos(seen).mean())))
        offs.append(abs(turn(bearing(location, place.location), middle % 360.0)))
    assert np.median(offs) < 6.0
    assert max(offs) < 20.0


@pytest.mark.parametrize("poses", [15, pytest.param(60, marks=pytest.mark.slow)])
def test_the_sign_stands_on_the_side_of_the_street_on_which_the_place_is(
    poses: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    city, seen_on_a_side = lots_of("grid-0").city, 0
    for street, along in some_poses("grid-0", poses, seed=2):
        location, heading = street.at(along), street.heading(along, True)
        place = city.landmark_at(location)
        assert place is not None
        side = turn(heading, bearing(location, place.location))
        if not 25.0 < abs(side) < 155.0:
            continue
        seen = _columns_of_own_sign("grid-0", location, monkeypatch)
        sides = np.array([turn(heading, angle % 360.0) for angle in seen])
        assert np.mean(np.sign(sides) == np.sign(side)) > 0.9
        seen_on_a_side += 1
    assert seen_on_a_side > poses / 3


@pytest.mark.parametrize("name", CITIES)
def test_every_pose_has_a_board_that_is_read_and_not_hidden(name: str) -> None:
    lots = lots_of(name)
    camera = Camera(256, 512)
    for street, along in some_poses(name, 25, seed=5):
        location = street.at(along)
        viewpoint = Viewpoint(lots, location, StreetVisual(), camera)
        cover = Cover(camera, visible_spans(camera, panorama_drawing.walls_near(viewpoint)[1]))
        signs = signs_near(viewpoint, cover)
        own = [sprite for sprite in signs.own if sprite.billboard.hidden_share(cover) < MOST_HIDDEN]
        assert signs.fallback is not None or own


def test_a_building_looks_the_same_from_step_to_step() -> None:
    lots = lots_of("montevideo-centre")
    city = lots.city
    street = max(city.streets, key=lambda each: each.length)
    before: dict[int, object] = {}
    kept = 0
    for step in range(10):
        location = street.at(20.0 + 4.0 * step)
        for lot in lots.near(location, 40.0):
            building = building_of(lot.key, lot.width, lot.depth, "montevideo")
            kept += lot.key in before
            assert before.setdefault(lot.key, building) == building
    assert kept > 50


def test_a_wall_keeps_its_colour_from_step_to_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panorama_drawing, "furniture_near", lambda *args: iter(()))  # no tree stands before it
    lots = lots_of("grid-0")
    city = lots.city
    street = max(city.streets, key=lambda each: each.length)
    middle = street.length / 2
    lot = min(
        (lot for lot in lots.near(street.at(middle), 15.0) if not lot.places),
        key=lambda lot: distance(street.at(middle), lot.start),
    )
    centre = ((lot.start[0] + lot.end[0]) / 2, (lot.start[1] + lot.end[1]) / 2)
    colors = []
    for step in range(-5, 5):
        location = street.at(middle + step)
        picture = drawn("grid-0", location, size=(256, 512))
        column = int(bearing(location, centre) / 360.0 * 512) % 512
        band = picture[96:130, np.arange(column - 8, column + 9) % 512].reshape(-1, 3)
        values, counts = np.unique(band // 32, axis=0, return_counts=True)
        colors.append(tuple(values[counts.argmax()].tolist()))  # of most of what is seen of it
    assert max(map(colors.count, colors)) >= 8


def test_a_city_without_places_is_drawn_too() -> None:
    city = lots_of("helsinki").city
    empty = City("bare", "Bare", "", city.nodes, city.streets, ())
    assert draw_panorama(Lots(empty), city.nodes[5], StreetVisual(), SIZE).std() > 10


def test_where_nothing_stands_there_is_ground_under_the_sky() -> None:
    picture = drawn("helsinki", (0.0, 0.0), "rain")
    assert picture[:64].mean() > picture[64:].mean() + 20


def test_a_place_with_the_longest_label_is_drawn() -> None:
    city = lots_of("grid-0").city
    old = city.places[0]
    long = Place(old.name, "W" * 40, old.kind, old.location, old.street, old.along)
    changed = City("grid-0", city.title, "", city.nodes, city.streets, (long, *city.places[1:]))
    location = city.foot(old)
    assert draw_panorama(Lots(changed), location, StreetVisual.of("display_signs"), SIZE).shape == (*SIZE, 3)
