"""The map shows the way, the track and the attribution."""

import numpy as np
import pytest
from numpy.typing import NDArray

from verienv.virl import draw_map, shipped_city
from verienv.virl.env import VIRLEnv
from verienv.virl.pictures.map import _TRACK, _WAY


def near(picture: NDArray[np.uint8], colour: str) -> int:
    """Count the pixels of about this colour."""
    wanted = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return int((np.abs(picture.astype(int) - wanted).max(axis=2) < 12).sum())


def drawn(passed: int, *, with_city: bool = True) -> NDArray[np.uint8]:
    env = VIRLEnv(turns=(4, 4))
    env.reset(seed=0)
    city = shipped_city(env.instance.split(":")[1]) if with_city else None
    return np.asarray(draw_map(env.route, city, passed=passed, size=600))


def test_the_track_grows_over_the_way() -> None:
    tracks = [near(drawn(passed), _TRACK) for passed in (0, 4, 8)]
    ways = [near(drawn(passed), _WAY) for passed in (0, 4, 8)]
    assert tracks[0] < tracks[1] < tracks[2]
    assert ways[0] > ways[1] > ways[2] > 0


def test_the_attribution_is_written_where_a_citys_data_are_drawn() -> None:
    with_city, without = drawn(0)[-13:, 300:], drawn(0, with_city=False)[-13:, 300:]
    assert (with_city.min(axis=2) < 100).sum() > 200
    assert (without.min(axis=2) < 100).sum() == 0


def test_a_map_is_the_same_each_time() -> None:
    assert (drawn(3) == drawn(3)).all()


@pytest.mark.parametrize("size", [199, 4001])
def test_a_size_out_of_range_is_an_error(size: int) -> None:
    env = VIRLEnv()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="expected 200 to 4000 pixels"):
        draw_map(env.route, size=size)
