"""Visibility: near walls hide far ones, and walls show on their outer side alone."""

import numpy as np
import pytest

from verienv.virl.pictures.streets.camera import Camera
from verienv.virl.pictures.streets.visibility import Walls, visible_spans


def test_a_near_wall_hides_a_far_one_up_to_its_height() -> None:
    left, right = np.array([[-5.0, 10.0], [-50.0, 100.0]]), np.array([[5.0, 10.0], [50.0, 100.0]])
    low = visible_spans(Camera(512, 1024), Walls(left, right, np.array([10.0, 20.0]), np.zeros(2)))
    assert set(low.wall.tolist()) == {0}
    tall = visible_spans(Camera(512, 1024), Walls(left, right, np.array([10.0, 120.0]), np.zeros(2)))
    behind = tall.wall == 1
    assert set(tall.wall.tolist()) == {0, 1}
    nearest = {
        int(column): top for column, top, wall in zip(tall.column, tall.top, tall.wall, strict=True) if wall == 0
    }
    for column, bottom in zip(tall.column[behind], tall.bottom[behind], strict=True):
        assert bottom == pytest.approx(nearest[int(column)], abs=0.01)


def test_a_wall_shows_on_its_outer_side_alone() -> None:
    ends = np.array([[-5.0, 10.0]]), np.array([[5.0, 10.0]])
    camera = Camera(512, 1024)
    assert len(visible_spans(camera, Walls(*ends, np.array([10.0]), np.zeros(1))).wall) > 100
    assert not len(visible_spans(camera, Walls(*reversed(ends), np.array([10.0]), np.zeros(1))).wall)


def test_a_wall_due_north_lies_on_both_edges_of_the_panorama() -> None:
    spans = visible_spans(
        Camera(512, 1024), Walls(np.array([[-5.0, 10.0]]), np.array([[5.0, 10.0]]), np.array([10.0]), np.zeros(1))
    )
    assert {0, 1023} <= set(spans.column.tolist())
    heights = dict(zip(spans.column.tolist(), spans.top.tolist(), strict=True))
    assert heights[0] == pytest.approx(heights[1023])
