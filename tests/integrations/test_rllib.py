"""RLlib trains on a numeric id."""

import json

import pytest

pytestmark = pytest.mark.integrations

SHORT_ROUTES = json.dumps({"turns": [1, 2], "window": 2})


def test_ppo_learns_to_follow_short_routes(in_library) -> None:
    said = in_library("rllib", "rllib_ppo.py", "verienv/VIRL-Discrete-v0", 20_000, SHORT_ROUTES)
    assert said["random"] < -1
    assert said["trained"] > said["random"] + 1


def test_its_masking_module_takes_no_action_that_is_forbidden(in_library) -> None:
    settings = json.dumps({"cards": 3, "attempts": 1})
    said = in_library("rllib", "rllib_mask.py", "verienv/GeneralPoints-Tokens-v0", 500, settings)
    assert said["allowed"] == said["taken"] >= 500
