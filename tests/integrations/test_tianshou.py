"""Tianshou finds the mask in the observation."""

import json

import pytest

pytestmark = pytest.mark.integrations


@pytest.mark.parametrize(
    ("env_id", "settings"),
    [("verienv/GeneralPoints-Tokens-v0", {"cards": 3, "attempts": 1}), ("verienv/VIRL-Discrete-v0", {"both": True})],
)
def test_dqn_takes_no_action_that_is_forbidden(in_library, env_id, settings) -> None:
    said = in_library("tianshou", "tianshou_dqn.py", env_id, 1000, json.dumps(settings))
    assert said["allowed"] == said["taken"] == 1000
    assert said["finite"]
