"""Gymnasium's RecordVideo films every id, and its NumpyToTorch takes vectors of every numeric one."""

import pytest

pytestmark = pytest.mark.integrations


def test_every_id_is_filmed_frame_by_frame_and_every_numeric_one_becomes_tensors(in_library) -> None:
    said = in_library("gymnasium", "gymnasium_wrappers.py")
    assert len(said["frames"]) == 8
    assert all(filmed == shown for shown, filmed in said["frames"].values())
    assert len(said["tensors"]) == 4
    assert all(said["tensors"].values())
