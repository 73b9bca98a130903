"""Minari records episodes with their infos."""

import json

import pytest

pytestmark = pytest.mark.integrations


@pytest.mark.parametrize(
    ("env_id", "settings"),
    [
        ("verienv/GeneralPoints-L-v0", {"info": "text"}),
        ("verienv/GeneralPoints-VL-v0", {"info": "numbers"}),
        ("verienv/VIRL-L-v0", {"info": "text"}),
        ("verienv/GeneralPoints-Tokens-v0", {"mask": "observation"}),
        ("verienv/VIRL-Discrete-v0", {}),
    ],
)
def test_infos_are_recorded_and_given_back(in_library, env_id, settings) -> None:
    said = in_library("minari", "minari_dataset.py", env_id, json.dumps(settings))
    assert said["compared"] > 20
    assert said["alike"]
    assert said["recovered"]
