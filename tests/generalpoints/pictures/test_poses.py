"""Poses: where cards lie, and at which angles."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from tests.generalpoints.pictures.lying import box

from verienv.generalpoints.pictures.poses import angles, poses
from verienv.generalpoints.pictures.visuals import Visual


def apart(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]


@pytest.mark.parametrize("count", [3, 4, 5, 6])
@pytest.mark.parametrize("size", [(96, 96), (336, 336), (96, 1600), (1600, 96), (224, 448)])
@pytest.mark.parametrize("arrangement", ["row", "grid", "scattered"])
@pytest.mark.parametrize("rotation", [0.0, 20.0, 45.0])
def test_no_card_overlaps_another_or_the_edge(
    count: int, size: tuple[int, int], arrangement: Any, rotation: float
) -> None:
    look = Visual(arrangement=arrangement, rotation=rotation)
    for jitter in range(25):
        boxes = [box(pose) for pose in poses(look, count, size, 1.4, jitter)]
        assert all(
            left >= 0 and top >= 0 and right <= size[1] and bottom <= size[0] for left, top, right, bottom in boxes
        )
        assert all(apart(one, other) for one, other in combinations(boxes, 2))


def test_a_row_is_one_row_and_a_grid_has_larger_cards() -> None:
    row, grid = (poses(Visual(arrangement=each), 6, (336, 336), 1.4, 0) for each in ("row", "grid"))
    assert len({pose.y for pose in row}) == 1
    assert len({pose.y for pose in grid}) == 2
    assert grid[0].width > 1.5 * row[0].width


def test_rotation_and_places_stay_in_their_bounds_and_use_them() -> None:
    look = Visual(arrangement="scattered", rotation=20.0)
    laid = [pose for jitter in range(200) for pose in poses(look, 4, (336, 336), 1.4, jitter)]
    angles = [pose.angle for pose in laid]
    assert -20 <= min(angles) < -18
    assert 18 < max(angles) <= 20
    assert np.std([pose.x for pose in laid[::4]]) > 5


def test_cards_lie_in_reading_order_in_every_arrangement() -> None:
    for arrangement in ("row", "grid", "scattered"):
        laid = poses(Visual(arrangement=arrangement), 4, (336, 336), 1.4, 7)
        cells = [(round(pose.y / 336), pose.x) for pose in laid] if arrangement != "row" else [(0, p.x) for p in laid]
        assert cells == sorted(cells)


@pytest.mark.parametrize("arrangement", ["row", "scattered"])
@pytest.mark.parametrize("rotation", [0.0, 0.5, 7.5, 15.0, 45.0])
def test_cards_lie_at_few_angles_of_which_all_come_up(arrangement: Any, rotation: float) -> None:
    look = Visual(arrangement=arrangement, rotation=rotation)
    lying = {pose.angle for jitter in range(300) for pose in poses(look, 4, (336, 336), 1.4, jitter)}
    assert lying == {*angles(rotation)}
    assert max(np.diff(angles(rotation)), default=0.0) <= 1


def test_the_angles_of_a_whole_rotation_are_whole_degrees() -> None:
    assert angles(20.0) == [*range(-20, 21)]
    assert angles(0.5) == [-0.5, 0.0, 0.5]
    assert angles(0.0) == [0.0]
