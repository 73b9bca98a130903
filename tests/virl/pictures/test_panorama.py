"""Views cut out of a panorama: directions, seams, exactness, and the cache of maps."""

import copy
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import verienv.virl.pictures
from verienv.core.bounded_cache import BoundedCache
from verienv.virl.pictures import panorama as panorama_module
from verienv.virl.pictures import projection
from verienv.virl.pictures.panorama import FILTERS, GRID_ORDER, Filter, grid, grid_size, view
from verienv.virl.pictures.projection import Picture

HEADINGS = (0.0, 359.9, 45.3, 22.25, 90.0, 180.0, 271.77, 123.456)

GOLDEN = Path(__file__).parents[2] / "golden" / "views.npz"
"""Views by py360convert 1.0.4: ``python tests/virl/pictures/test_panorama.py`` writes them, where it is installed."""

VIEWS = ((0.0, 90.0, 0.0), (45.3, 90.0, 0.0), (359.9, 60.0, 0.0), (200.0, 90.0, 30.0), (77.7, 75.0, -60.0))
"""Heading, field of view and pitch of what is in ``GOLDEN``."""


def smooth(tall: int = 180, wide: int = 360) -> Picture:
    """A panorama without an edge anywhere, its seam and its poles included."""
    east = (np.arange(wide) + 0.5) / wide * 2 * np.pi
    north = (0.5 - (np.arange(tall)[:, None] + 0.5) / tall) * np.pi
    channels = (
        np.cos(north) * np.sin(east),
        np.cos(north) * np.cos(2 * east + 1),
        np.sin(north) + 0 * east,
    )
    return np.rint(127.5 + 120 * np.stack(channels, axis=2)).astype(np.uint8)


def noise(tall: int = 90, wide: int = 180) -> Picture:
    return np.random.default_rng(0).integers(0, 256, (tall, wide, 3), dtype=np.uint8)


def told_heading(colour: NDArray[Any]) -> NDArray[Any]:
    """The compass heading that a colour of ``compass`` stands for."""
    east, north = (colour[..., channel] / 255 * 2 - 1 for channel in (0, 1))
    return np.degrees(np.arctan2(east, north)) % 360


def compass(tall: int = 180, wide: int = 360, rotation: float = 0.0) -> Picture:
    """Red and green are the sine and cosine of the heading, blue is the elevation."""
    heading = np.radians((np.arange(wide) + 0.5) / wide * 360 - rotation) + np.zeros((tall, 1))
    elevation = (0.5 - (np.arange(tall)[:, None] + 0.5) / tall) + 0 * heading
    colour = np.stack([(np.sin(heading) + 1) / 2, (np.cos(heading) + 1) / 2, elevation + 0.5], axis=2)
    return np.rint(colour * 255).astype(np.uint8)


def off(a: Any, b: Any) -> Any:
    """Degrees between two headings."""
    return np.abs((np.asarray(a) - b + 180) % 360 - 180)


def places(
    panorama: Picture, heading: float, size: tuple[int, int], fov: float, pitch: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Column and row, counted in edges, at which the pixels of a view lie by its definition."""
    (tall, wide), (height, width) = panorama.shape[:2], size
    right, down = np.meshgrid(np.arange(width) + 0.5 - width / 2, np.arange(height) + 0.5 - height / 2)
    ahead, tilt = width / 2 / np.tan(np.radians(fov) / 2), np.radians(pitch)
    level, up = ahead * np.cos(tilt) + down * np.sin(tilt), ahead * np.sin(tilt) - down * np.cos(tilt)
    x = (np.degrees(np.arctan2(right, level)) + heading) / 360 * wide
    return x, (90 - np.degrees(np.arctan2(up, np.hypot(right, level)))) / 180 * tall


def written_out(
    panorama: Picture, heading: float, size: tuple[int, int], fov: float, pitch: float, filter: Filter
) -> Picture:
    """A view by its definition, in floats."""
    (tall, wide), (x, y) = panorama.shape[:2], places(panorama, heading, size, fov, pitch)
    if filter == "nearest":
        return panorama[np.floor(y).astype(int).clip(0, tall - 1), np.floor(x).astype(int) % wide]
    x, y = x - 0.5, (y - 0.5).clip(0, tall - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    along, down = (x - left)[..., None], (y - top)[..., None]
    rows = [
        panorama[row, left % wide] * (1 - along) + panorama[row, (left + 1) % wide] * along
        for row in (top, (top + 1).clip(0, tall - 1))
    ]
    return np.rint(rows[0] * (1 - down) + rows[1] * down).astype(np.uint8)


def most(a: Picture, b: Picture) -> int:
    """The largest difference in grey levels."""
    return int(np.abs(a.astype(int) - b).max())


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("heading", HEADINGS)
def test_a_grid_shows_front_right_back_and_left(heading: float, filter: Filter) -> None:
    side, line = 65, 4
    whole = grid(compass(), heading, size=(side, side), filter=filter, line=line)
    for number, name in enumerate(GRID_ORDER):
        top, left = (number // 2) * (side + line), (number % 2) * (side + line)
        middle = whole[top + side // 2, left + side // 2]
        towards = heading + {"front": 0, "right": 90, "back": 180, "left": 270}[name]
        assert off(told_heading(middle), towards) < 1.0
        assert abs(int(middle[2]) - 127.5) < 1.5


@given(
    st.floats(-720, 720),
    st.floats(-400, 400),
    st.sampled_from(FILTERS),
    st.sampled_from([(180, 360), (64, 128), (50, 77)]),
)
@settings(max_examples=60, deadline=None)
def test_the_centre_of_each_view_of_a_grid_is_the_panorama_at_its_heading(
    heading: float, rotation: float, filter: Filter, shape: tuple[int, int]
) -> None:
    panorama, side, line = smooth(*shape), 33, 2
    whole = grid(panorama, heading, size=(side, side), rotation=rotation, filter=filter, line=line)
    for number in range(4):
        top, left = (number // 2) * (side + line), (number % 2) * (side + line)
        x = ((heading + 90 * number + rotation) % 360) / 360 * shape[1] - 0.5
        column, y = int(np.floor(x)), shape[0] / 2 - 0.5
        near = [panorama[int(row), (column + step) % shape[1]] for row in (np.floor(y), np.ceil(y)) for step in (0, 1)]
        middle = whole[top + side // 2, left + side // 2]
        assert (middle >= np.min(near, axis=0)).all()
        assert (middle <= np.max(near, axis=0)).all()


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("heading", HEADINGS)
def test_each_column_of_a_view_shows_its_heading_and_each_row_its_elevation(heading: float, filter: Filter) -> None:
    picture = view(compass(), heading, size=(65, 129), filter=filter)
    right = np.degrees(np.arctan((np.arange(129) - 64) / 64.5))
    assert off(told_heading(picture[32]), heading + right).max() < 1.2
    up = np.degrees(np.arctan((32 - np.arange(65)) / 64.5))
    assert np.abs(picture[:, 64, 2] / 255 * 180 - 90 - up).max() < 1.2


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("pitch", [-90.0, -45.0, 10.0, 45.0, 90.0])
def test_pitch_looks_up(pitch: float, filter: Filter) -> None:
    middle = view(compass(), 70.0, size=(65, 65), pitch=pitch, filter=filter)[32, 32]
    assert abs(middle[2] / 255 * 180 - 90 - pitch) < 1.2
    if abs(pitch) < 90:
        assert off(told_heading(middle), 70.0) < 1.2


@pytest.mark.parametrize("pitch", [0.0, 25.0])
@pytest.mark.parametrize("rotation", [0.0, 12.5, 200.0, -30.0, 720.25])
def test_a_turned_panorama_with_its_rotation_gives_the_same_view(rotation: float, pitch: float) -> None:
    picture = view(compass(rotation=rotation), 33.3, size=(48, 64), rotation=rotation, pitch=pitch)
    assert most(picture, view(compass(), 33.3, size=(48, 64), pitch=pitch)) <= 2


@pytest.mark.parametrize("pitch", [0.0, -35.0, 80.0])
@pytest.mark.parametrize("heading", [0.0, 359.9, 0.4, 180.0])
def test_the_seam_of_a_panorama_is_not_to_be_seen(heading: float, pitch: float) -> None:
    picture = view(smooth(), heading, size=(160, 160), pitch=pitch).astype(int)
    assert np.abs(np.diff(picture, axis=1)).max() <= 6
    assert np.abs(np.diff(picture, axis=0)).max() <= 6
    assert most(picture[:, ::-1], view(smooth()[:, ::-1], -heading, size=(160, 160), pitch=pitch)) <= 1


def test_a_heading_by_whole_columns_is_the_same_as_a_rolled_panorama() -> None:
    panorama = noise()
    for pitch in (0.0, 40.0):
        for filter in FILTERS:
            rolled = view(np.roll(panorama, -31, axis=1), 0.3, size=(40, 50), pitch=pitch, filter=filter)
            assert np.array_equal(view(panorama, 62.3, size=(40, 50), pitch=pitch, filter=filter), rolled)


@pytest.mark.parametrize("heading", HEADINGS)
@pytest.mark.parametrize("pitch", [0.0, 20.0, -75.0, 90.0])
@pytest.mark.parametrize("fov", [30.0, 90.0, 150.0])
def test_a_bilinear_view_is_within_2_levels_of_an_exact_one_and_within_1_unless_neighbours_differ_by_more_than_100(
    heading: float, pitch: float, fov: float
) -> None:
    for panorama, tolerance in ((smooth(), 1), (noise() // 255 * 100, 1), (noise() % 101, 1), (noise(), 2)):
        picture = view(panorama, heading, size=(60, 80), fov=fov, pitch=pitch)
        assert most(picture, written_out(panorama, heading, (60, 80), fov, pitch, "bilinear")) <= tolerance


@pytest.mark.parametrize("heading", [45.31, 359.9, 22.27, 123.456])
@pytest.mark.parametrize("pitch", [0.0, 20.0, -75.0])
def test_a_nearest_view_is_the_exact_one(heading: float, pitch: float) -> None:
    picture = view(noise(), heading, size=(60, 80), pitch=pitch, filter="nearest", engine="numpy")
    assert np.array_equal(picture, written_out(noise(), heading, (60, 80), 90.0, pitch, "nearest"))


def test_a_view_without_pitch_is_that_of_the_least_pitch() -> None:
    for filter in FILTERS:
        level = view(noise(), 45.3, size=(60, 80), filter=filter)
        assert np.array_equal(level, view(noise(), 45.3, size=(60, 80), pitch=1e-12, filter=filter))


@pytest.mark.parametrize("shape", [(2, 2), (2, 4), (3, 5), (7, 500), (500, 7)])
@pytest.mark.parametrize("pitch", [0.0, -90.0, 33.0])
def test_panoramas_of_any_shape_are_seen_whole(shape: tuple[int, int], pitch: float) -> None:
    panorama = noise(*shape)
    for fov in (5.0, 90.0, 170.0):
        for filter, tolerance in zip(FILTERS, (0, 2), strict=True):
            picture = view(panorama, 77.77, size=(30, 17), fov=fov, pitch=pitch, filter=filter, engine="numpy")
            exact = written_out(panorama, 77.77, (30, 17), fov, pitch, filter)
            if filter == "bilinear" or pitch != -90.0:  # at the pole itself every heading is as good
                assert most(picture, exact) <= tolerance


def test_a_pole_is_clamped_and_never_wraps() -> None:
    panorama = np.zeros((90, 180, 3), np.uint8)
    panorama[:45] = 200
    for filter in FILTERS:
        assert (view(panorama, 10.0, size=(64, 64), pitch=90.0, filter=filter) == 200).all()
        assert (view(panorama, 10.0, size=(64, 64), pitch=-90.0, filter=filter) == 0).all()


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("value", [0, 1, 128, 255])
def test_one_colour_stays_that_colour(value: int, filter: Filter) -> None:
    panorama = np.full((90, 180, 3), (value, 255 - value, 7), np.uint8)
    for pitch in (0.0, 15.0):
        assert (view(panorama, 12.34, size=(50, 50), pitch=pitch, filter=filter) == panorama[0, 0]).all()


def test_a_view_is_contiguous_writable_and_its_own() -> None:
    panorama = noise()
    before = panorama.copy()
    for picture, shape in (
        (view(panorama, 5.0, size=(30, 50)), (30, 50, 3)),
        (grid(panorama, 5.0, size=(30, 50), line=3), (63, 103, 3)),
    ):
        assert picture.shape == shape
        assert picture.dtype == np.uint8
        assert picture.flags.c_contiguous
        assert picture.flags.writeable
        picture[:] = 0
    assert np.array_equal(panorama, before)
    assert view(panorama, 5.0, size=(30, 50)).any()


def test_a_panorama_may_be_read_only_and_scattered_in_memory() -> None:
    panorama = noise()
    scattered = np.asfortranarray(np.repeat(panorama, 2, axis=1))[:, ::2]
    scattered.flags.writeable = False
    assert np.array_equal(view(scattered, 5.0, size=(30, 50)), view(panorama, 5.0, size=(30, 50)))


def test_a_grid_is_its_four_views_with_a_grey_line_between() -> None:
    whole = grid(noise(), 33.3, size=(30, 50), pitch=5.0, fov=80.0, rotation=7.0, line=4)
    assert whole.shape[:2] == grid_size((30, 50), 4) == (64, 104)
    assert (whole[30:34] == 128).all()
    assert (whole[:, 50:54] == 128).all()
    for number in range(4):
        top, left = (number // 2) * 34, (number % 2) * 54
        picture = view(noise(), 33.3 + 90 * number, size=(30, 50), pitch=5.0, fov=80.0, rotation=7.0)
        assert np.array_equal(whole[top : top + 30, left : left + 50], picture)
    assert grid_size() == (1284, 1284)
    assert grid(noise(), 0.0, size=(3, 5), line=0).shape == (6, 10, 3)


def test_a_view_is_the_same_with_maps_kept_and_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    first = [grid(noise(), heading, size=(40, 40)) for heading in HEADINGS]
    again = [grid(noise(), heading, size=(40, 40)) for heading in HEADINGS]
    monkeypatch.setattr(projection, "MAPS", BoundedCache(0))
    anew = [grid(noise(), heading, size=(40, 40)) for heading in HEADINGS]
    for pictures in zip(first, again, anew, strict=True):
        assert np.array_equal(pictures[0], pictures[1])
        assert np.array_equal(pictures[0], pictures[2])


def test_maps_do_not_depend_on_the_heading_and_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = BoundedCache(400_000)
    monkeypatch.setattr(projection, "MAPS", maps)
    for heading in HEADINGS:
        grid(noise(), heading, size=(40, 40))
    assert len(maps) == 1
    for side in range(20, 220, 20):
        for filter in FILTERS:
            view(noise(), 0.0, size=(side, side), pitch=3.0, filter=filter)
            assert 0 < maps.nbytes <= 400_000


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"panorama": [[1]]}, "panorama=list"),
        ({"panorama": np.zeros((4, 8, 3))}, "uint8"),
        ({"panorama": np.zeros((4, 8), np.uint8)}, "uint8"),
        ({"panorama": np.zeros((4, 8, 4), np.uint8)}, "4, 8, 4"),
        ({"panorama": np.zeros((1, 8, 3), np.uint8)}, "at least 2 x 2"),
        ({"panorama": np.zeros((0, 0, 3), np.uint8)}, "at least 2 x 2"),
        ({"heading": float("nan")}, "heading=nan"),
        ({"heading": "north"}, "heading='north'"),
        ({"rotation": float("inf")}, "rotation=inf"),
        ({"rotation": None}, "rotation=None"),
        ({"fov": 0.0}, "fov=0"),
        ({"fov": 180.0}, "fov=180"),
        ({"pitch": 90.1}, "pitch=90.1"),
        ({"filter": "cubic"}, "nearest, bilinear"),
        ({"filter": []}, "nearest, bilinear"),
        ({"engine": "pillow"}, "numpy, opencv, auto"),
        ({"engine": []}, "numpy, opencv, auto"),
        ({"size": (0, 5)}, "size="),
        ({"size": (5, 4097)}, "size="),
        ({"size": (5.0, 5)}, "size="),
        ({"size": (True, 5)}, "size="),
        ({"size": 5}, "size="),
        ({"size": (5, 5, 3)}, "size="),
    ],
)
def test_a_wrong_argument_is_named(wrong: dict[str, Any], told: str) -> None:
    arguments: dict[str, Any] = {"panorama": noise(), "heading": 0.0, "size": (8, 8)} | wrong
    for look in (view, grid):
        with pytest.raises(ValueError, match="expected") as error:
            look(**arguments)
        assert told in str(error.value)
        assert str(error.value).isprintable()


@pytest.mark.parametrize("line", [-1, 2.5, 5000, True, None])
def test_a_wrong_line_is_named(line: Any) -> None:
    with pytest.raises(ValueError, match="line="):
        grid(noise(), 0.0, size=(8, 8), line=line)


def test_numbers_of_numpy_are_taken() -> None:
    picture = view(noise(), np.float32(30), size=(np.int64(8), np.int32(9)), fov=np.int64(90), pitch=np.float64(0))  # type: ignore[arg-type]
    assert np.array_equal(picture, view(noise(), 30.0, size=(8, 9)))


def by_py360convert(heading: float, fov: float, pitch: float, size: tuple[int, int] = (24, 32)) -> Picture:
    """Project by py360convert: heading 0 is in the middle of the width, and fields reach from centre to centre."""
    from py360convert import e2p  # type: ignore[import-not-found, unused-ignore]

    ahead = size[1] / 2 / np.tan(np.radians(fov / 2))
    wide, tall = (float(np.degrees(2 * np.arctan((side - 1) / 2 / ahead))) for side in size[::-1])
    picture: Picture = e2p(smooth(), (wide, tall), heading - 180, pitch, size, mode="bilinear")
    return picture


@pytest.mark.parametrize("number", range(len(VIEWS)))
def test_views_are_those_of_py360convert_within_1_level(number: int) -> None:
    heading, fov, pitch = VIEWS[number]
    theirs = np.load(GOLDEN, allow_pickle=False)["views"][number]
    assert most(view(smooth(), heading, size=(24, 32), fov=fov, pitch=pitch), theirs) <= 1


def test_the_pinned_views_are_what_py360convert_gives() -> None:
    pytest.importorskip("py360convert", reason="py360convert, which needs scipy, is not installed")
    assert np.array_equal(np.load(GOLDEN, allow_pickle=False)["views"], [by_py360convert(*each) for each in VIEWS])


def test_views_are_those_of_opencv_within_1_level() -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    right, down = np.meshgrid(np.arange(64) + 0.5 - 32, np.arange(48) + 0.5 - 24)
    x = np.degrees(np.arctan2(right, 32)) + 200.3 - 0.5
    y = 90 - np.degrees(np.arctan2(-down, np.hypot(right, 32))) - 0.5
    theirs = cv2.remap(smooth(), x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    assert most(view(smooth(), 200.3, size=(48, 64)), theirs) <= 1


def needs_opencv() -> None:
    pytest.importorskip("cv2", reason="OpenCV is not installed")


@pytest.mark.parametrize("heading", HEADINGS)
@pytest.mark.parametrize("pitch", [0.0, 10.0, -45.0, 75.0, 90.0])
@pytest.mark.parametrize("fov", [30.0, 90.0, 150.0])
def test_opencv_is_within_10_levels_of_numpy_and_within_2_unless_neighbours_differ_by_more_than_20(
    heading: float, pitch: float, fov: float
) -> None:
    needs_opencv()
    for panorama, tolerance in ((noise(), 10), (noise() // 255 * 20, 2), (noise() % 21, 2), (smooth(), 2)):
        arguments: dict[str, Any] = {"size": (60, 80), "fov": fov, "pitch": pitch, "rotation": 3.3}
        picture = view(panorama, heading, engine="opencv", **arguments)
        assert most(picture, view(panorama, heading, **arguments)) <= tolerance


@pytest.mark.parametrize("heading", HEADINGS)
@pytest.mark.parametrize("pitch", [0.0, 10.0, -45.0, 75.0])
@pytest.mark.parametrize("fov", [30.0, 90.0, 150.0])
def test_a_nearest_pixel_by_opencv_is_another_only_where_it_lies_on_the_edge_between_both(
    heading: float, pitch: float, fov: float
) -> None:
    needs_opencv()
    panorama, size = noise(1024, 2048), (120, 160)
    arguments: dict[str, Any] = {"size": size, "fov": fov, "pitch": pitch, "filter": "nearest"}
    picture = view(panorama, heading, engine="opencv", **arguments)
    differs = (picture != view(panorama, heading, **arguments)).any(axis=2)
    edge = [np.abs(place - np.rint(place)) < 0.001 for place in places(panorama, heading, size, fov, pitch)]
    assert not (differs & ~(edge[0] | edge[1])).any()
    x, y = (np.floor(place).astype(int) for place in places(panorama, heading, size, fov, pitch))
    steps = [panorama[(y + down).clip(0, 1023), (x + along) % 2048] for down in (-1, 0, 1) for along in (-1, 0, 1)]
    assert (np.array(steps) == picture).all(axis=3).any(axis=0).all()


@pytest.mark.parametrize("shape", [(2, 2), (2, 4), (3, 5), (7, 500), (500, 7), (2, 80_000)])
@pytest.mark.parametrize("pitch", [0.0, -90.0, 33.0])
def test_opencv_sees_panoramas_of_any_shape(shape: tuple[int, int], pitch: float) -> None:
    needs_opencv()
    for fov in (5.0, 90.0, 170.0):
        for size in ((30, 17), (1, 8), (8, 1), (1, 1)):
            arguments: dict[str, Any] = {"size": size, "fov": fov, "pitch": pitch}
            picture = view(noise(*shape), 77.77, engine="opencv", **arguments)
            assert most(picture, view(noise(*shape), 77.77, **arguments)) <= 10


@pytest.mark.parametrize("heading", [0.0, 90.0, 180.0, 270.0])
def test_what_lies_between_two_pixels_is_the_same_one_for_opencv(heading: float) -> None:
    needs_opencv()
    picture = view(noise(), heading, size=(65, 65), filter="nearest", engine="opencv")[32, 32]
    assert (picture == view(noise(), heading, size=(65, 65), filter="nearest")[32, 32]).all()


@pytest.mark.parametrize("pitch", [0.0, 40.0])
@pytest.mark.parametrize("filter", FILTERS)
def test_opencv_sees_no_seam_and_the_same_from_whole_columns_on(pitch: float, filter: Filter) -> None:
    needs_opencv()
    arguments: dict[str, Any] = {"size": (40, 50), "pitch": pitch, "filter": filter, "engine": "opencv"}
    for columns in (0, 31, 90, 179):
        rolled = view(np.roll(noise(), -columns, axis=1), 0.3, **arguments)
        assert np.array_equal(view(noise(), 2.0 * columns + 0.3, **arguments), rolled)
    for heading in (0.0, 359.9, 0.4, 180.0):
        picture = view(smooth(), heading, size=(160, 160), pitch=pitch, engine="opencv").astype(int)
        assert np.abs(np.diff(picture, axis=1)).max() <= 6


def test_opencv_takes_any_memory_and_gives_pictures_of_their_own() -> None:
    needs_opencv()
    scattered = np.asfortranarray(np.repeat(noise(), 2, axis=1))[:, ::2]
    scattered.flags.writeable = False
    arguments: dict[str, Any] = {"size": (30, 50), "engine": "opencv"}
    for heading in HEADINGS:
        picture = view(noise(), heading, **arguments)
        assert np.array_equal(view(scattered, heading, **arguments), picture)
        assert np.array_equal(view(noise()[:, ::-1][:, ::-1], heading, **arguments), picture)
        assert picture.flags.c_contiguous
        assert picture.flags.writeable
    whole = grid(noise(), 33.3, line=4, **arguments)
    assert (whole[30:34] == 128).all()
    for number in range(4):
        top, left = (number // 2) * 34, (number % 2) * 54
        picture = view(noise(), 33.3 + 90 * number, **arguments)
        assert np.array_equal(whole[top : top + 30, left : left + 50], picture)


def test_maps_for_opencv_are_kept_for_all_headings(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_opencv()
    maps = BoundedCache(400_000)
    monkeypatch.setattr(projection, "MAPS", maps)
    for heading in HEADINGS:
        for filter in FILTERS:
            grid(noise(), heading, size=(40, 40), filter=filter, pitch=5.0, engine="opencv")
    assert (len(maps), maps.nbytes) == (1, 40 * 40 * 8)


def test_auto_is_opencv_where_it_can_be_imported() -> None:
    needs_opencv()
    picture = view(noise(), 45.3, size=(60, 80), pitch=10.0, engine="auto")
    assert np.array_equal(picture, view(noise(), 45.3, size=(60, 80), pitch=10.0, engine="opencv"))


def test_without_opencv_auto_is_numpy_and_opencv_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.delitem(sys.modules, "verienv.virl.pictures.projection_opencv", raising=False)
    monkeypatch.delattr(verienv.virl.pictures, "projection_opencv", raising=False)
    panorama_module.projector.cache_clear()
    try:
        picture = view(noise(), 45.3, size=(60, 80), pitch=10.0, engine="auto")
        assert np.array_equal(picture, view(noise(), 45.3, size=(60, 80), pitch=10.0, engine="numpy"))
        for look in (view, grid):
            with pytest.raises(
                ImportError, match=r"engine='opencv' needs OpenCV .*pip install \"verienv\[opencv\]"
            ) as error:
                look(noise(), 0.0, size=(8, 8), engine="opencv")
            assert str(error.value).isprintable()
    finally:
        panorama_module.projector.cache_clear()


def test_opencv_is_the_engine_where_it_can_be_imported() -> None:
    for look in (view, grid):
        asked = look(noise(), 45.3, size=(60, 80), pitch=10.0, engine="auto")
        assert np.array_equal(look(noise(), 45.3, size=(60, 80), pitch=10.0), asked)


def test_a_cache_holds_what_was_used_last_up_to_its_bytes() -> None:
    cache, made = BoundedCache(1000), list[str]()

    def get(key: str, size: int = 400) -> NDArray[np.uint8]:
        def make() -> NDArray[np.uint8]:
            made.append(key)
            return np.zeros(size, np.uint8)

        return cache.get(key, make)

    get("a"), get("b"), get("a"), get("c")
    assert (made, cache.nbytes, len(cache)) == (["a", "b", "c"], 800, 2)
    get("a"), get("c"), get("b")
    assert made == ["a", "b", "c", "b"]
    assert get("larger", 1001).size == 1001
    assert (cache.nbytes, len(cache)) == (800, 2)
    get("larger", 1001)
    assert made[-2:] == ["larger", "larger"]
    get("whole", 1000)
    assert (cache.nbytes, len(cache)) == (1000, 1)


def test_what_a_cache_gives_is_read_only_and_the_same_each_time() -> None:
    cache = BoundedCache(1000)
    kept = cache.get("a", lambda: np.zeros(4, np.uint8))
    assert cache.get("a", lambda: np.ones(4, np.uint8)) is kept
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        cache.get("b", lambda: np.zeros(2000, np.uint8))[0] = 1


def test_a_cache_is_pickled_and_copied_empty() -> None:
    cache = BoundedCache(1000)
    cache.get("a", lambda: np.zeros(4, np.uint8))
    for other in (pickle.loads(pickle.dumps(cache)), copy.deepcopy(cache), copy.copy(cache)):  # noqa: S301
        assert (other.most_bytes, other.nbytes, len(other)) == (1000, 0, 0)
    assert len(cache) == 1


def test_a_cache_stays_as_it_was_where_making_fails() -> None:
    cache = BoundedCache(1000)

    def fail() -> NDArray[np.uint8]:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        cache.get("a", fail)
    assert (cache.nbytes, len(cache)) == (0, 0)
    with pytest.raises(ValueError, match="most_bytes=-1"):
        BoundedCache(-1)


if __name__ == "__main__":
    np.savez_compressed(GOLDEN, views=np.array([by_py360convert(*each) for each in VIEWS]))
