"""TorchRL trains on a numeric id, with its mask."""

import json

import pytest

pytestmark = pytest.mark.integrations

SHORT_ROUTES = json.dumps({"turns": [1, 2], "window": 2, "both": True})


def test_masked_ppo_learns_to_follow_short_routes(in_library) -> None:
    said = in_library("torchrl", "torchrl_ppo.py", "verienv/VIRL-Discrete-v0", 10_000, SHORT_ROUTES)
    assert said["random"] < -1
    assert said["trained"] > said["random"] + 1
