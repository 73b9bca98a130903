"""The camera: what lies in one of the four views."""

import numpy as np

from verienv.virl.pictures.streets.camera import is_in_one_view


def test_a_rectangle_is_in_one_view_unless_an_edge_or_the_top_of_the_view_cuts_it() -> None:
    left, right = np.array([-3.0, 10.0]), np.array([3.0, 10.0])
    assert is_in_one_view(left, right, 9.0, 0.0)
    assert is_in_one_view(left, right, 9.0, 270.0)
    assert not is_in_one_view(left, right, 9.9, 0.0)
    assert not is_in_one_view(left, right, 1.0, 45.0)
    assert is_in_one_view(left, right, 1.0, 25.0)
    assert not is_in_one_view(left, right, 9.0, 25.0)
