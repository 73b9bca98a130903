"""skrl trains on a numeric id, and finds the mask in the observation."""

import json

import pytest

pytestmark = pytest.mark.integrations

SHORT_ROUTES = json.dumps({"turns": [1, 2], "window": 2, "both": True})


def test_ppo_learns_to_follow_short_routes_and_takes_no_action_that_is_forbidden(in_library) -> None:
    said = in_library("skrl", "skrl_ppo.py", "verienv/VIRL-Discrete-v0", 10_240, SHORT_ROUTES)
    print(said["versions"])
    assert said["first"] < -1
    assert said["trained"] > said["first"] + 1
    assert said["allowed"] == said["taken"] > 10_000


def test_ppo_builds_formulas_of_tokens_that_the_mask_allows(in_library) -> None:
    said = in_library("skrl", "skrl_ppo.py", "verienv/GeneralPoints-Tokens-v0", 3072, json.dumps({"cards": 3}))
    assert said["allowed"] == said["taken"] > 3000
