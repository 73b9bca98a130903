"""Bearings, distances and the words for directions, against unit vectors and against the ellipsoid."""

import math

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from verienv.virl.world.geometry import (
    COMPASS,
    POSITIONS,
    bearing,
    between,
    compass_word,
    distance,
    position_word,
    turn,
    turn_word,
    wrap_angle,
)

PAIRS = 1_000_000


def heading_pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.random.default_rng(5).uniform(-720, 720, size=(2, count)))


def signed_turns(headings: np.ndarray, to: np.ndarray) -> np.ndarray:
    """The signed angle between unit vectors, in degrees: no remainder is taken."""
    a, b = np.radians(headings), np.radians(to)
    cross = np.cos(a) * np.sin(b) - np.sin(a) * np.cos(b)
    return np.degrees(np.arctan2(cross, np.cos(a) * np.cos(b) + np.sin(a) * np.sin(b)))


def pairs_near(latitude_limit: float, count: int) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Pairs of points up to 2 km apart in every direction; some lie across the date line."""
    rng = np.random.default_rng(8)
    pairs = []
    for latitude, longitude, azimuth, metres in zip(
        rng.uniform(-latitude_limit, latitude_limit, count),
        np.concatenate([rng.uniform(-180, 180, count - 200), rng.uniform(179.99, 180.0, 200)]),
        rng.uniform(0, 360, count),
        rng.uniform(1, 2000, count),
        strict=True,
    ):
        end = Geodesic.WGS84.Direct(latitude, longitude, azimuth, metres)
        pairs.append(((float(latitude), float(longitude)), (end["lat2"], end["lon2"])))
    return pairs


def test_turn_words_agree_with_unit_vectors_on_a_million_pairs():
    headings, to = heading_pairs(PAIRS)
    turns = signed_turns(headings, to)
    size = np.searchsorted([22.5, 67.5], np.abs(turns))
    words = np.array([["", "slightly left", "left"], ["", "slightly right", "right"]])
    expected = words[(turns > 0).astype(int), size]
    assert list(map(turn_word, headings.tolist(), to.tolist())) == expected.tolist()


def test_compass_words_agree_with_the_nearest_unit_vector():
    headings, _ = heading_pairs(200_000)
    compass = np.radians(np.arange(8) * 45.0)
    likeness = np.cos(np.radians(headings)[:, None] - compass)
    assert [compass_word(heading) for heading in headings.tolist()] == [COMPASS[i] for i in likeness.argmax(axis=1)]


def test_position_words_agree_with_the_nearest_of_eight_directions():
    headings, towards = heading_pairs(200_000)
    likeness = np.cos(np.radians(towards - headings)[:, None] - np.radians(np.arange(8) * 45.0))
    expected = [POSITIONS[i] for i in likeness.argmax(axis=1)]
    assert list(map(position_word, headings.tolist(), towards.tolist())) == expected


def test_a_turn_is_the_angle_between_unit_vectors():
    headings, to = heading_pairs(200_000)
    found = np.array(list(map(turn, headings.tolist(), to.tolist())))
    assert np.abs(found - signed_turns(headings, to)).max() < 1e-9


@pytest.mark.parametrize(
    ("heading", "to", "angle", "word"),
    [
        (350, 10, 20, ""),
        (10, 350, -20, ""),
        (350, 20, 30, "slightly right"),
        (20, 350, -30, "slightly left"),
        (350, 60, 70, "right"),
        (60, 350, -70, "left"),
        (359, 1, 2, ""),
        (1, 359, -2, ""),
        (0, 22.5, 22.5, ""),
        (0, 337.5, -22.5, ""),
        (350, 57.5, 67.5, "slightly right"),
        (10, 302.5, -67.5, "slightly left"),
        (0, 67.6, 67.6, "right"),
        (0, 292.4, -67.6, "left"),
        (0, 180, 180, "right"),
        (180, 0, 180, "right"),
        (270, 90, 180, "right"),
        (350, 169, 179, "right"),
        (350, 171, -179, "left"),
        (0, 360, 0, ""),
        (720, -90, -90, "left"),
    ],
)
def test_turns_across_north_and_at_the_bounds(heading, to, angle, word):
    assert turn(heading, to) == pytest.approx(angle, abs=1e-12)
    assert turn_word(heading, to) == word


@pytest.mark.parametrize(
    ("heading", "word"),
    [(0, "north"), (350, "north"), (10, "north"), (359.999, "north"), (337.6, "north"), (337.4, "northwest"),
     (22.4, "north"), (22.6, "northeast"), (-45, "northwest"), (405, "northeast"), (180, "south"), (-1e-20, "north")],
)  # fmt: skip
def test_compass_words_across_north(heading, word):
    assert compass_word(heading) == word


def test_what_is_met_by_a_turn_stands_on_its_side():
    headings, to = heading_pairs(20_000)
    for heading, towards in zip(headings.tolist(), to.tolist(), strict=True):
        word, position = turn_word(heading, towards), position_word(heading, towards)
        if not word:
            assert position == "front"
        elif word.startswith("slightly"):
            assert position == f"{word.removeprefix('slightly ')} front"
        else:
            assert word in position or position == "behind"


@pytest.mark.parametrize("angle", [-1e-20, -360.0, 360.0, 720.0, 359.9999999999999, -0.0, 1e17, -1e17])
def test_wrapped_angles_are_at_least_0_and_below_360(angle):
    assert 0.0 <= wrap_angle(angle) < 360.0
    assert math.copysign(1.0, wrap_angle(angle)) == 1.0


def test_bearings_and_distances_agree_with_the_ellipsoid_up_to_2_km_and_70_degrees():
    for start, end in pairs_near(70.0, 3000):
        true = Geodesic.WGS84.Inverse(*start, *end)
        assert abs(turn(true["azi1"], bearing(start, end))) < 0.2
        assert distance(start, end) == pytest.approx(true["s12"], rel=0.006)


def test_distances_are_the_same_both_ways_and_bearings_opposite():
    for start, end in pairs_near(60.0, 1000):
        assert distance(start, end) == pytest.approx(distance(end, start))
        assert abs(abs(turn(bearing(start, end), bearing(end, start))) - 180) < 0.1


def test_a_place_is_no_distance_from_itself():
    assert distance((40.7, -74.0), (40.7, -74.0)) == 0.0
    assert 0.0 <= bearing((40.7, -74.0), (40.7, -74.0)) < 360.0


def test_half_way_is_as_far_from_both_ends_across_the_date_line_too():
    for start, end in pairs_near(60.0, 1000):
        middle = between(start, end, 0.5)
        whole = distance(start, end)
        assert distance(start, middle) == pytest.approx(whole / 2, rel=1e-3)
        assert distance(middle, end) == pytest.approx(whole / 2, rel=1e-3)
        assert -180.0 <= middle[1] <= 180.0
