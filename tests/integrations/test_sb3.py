"""Stable-Baselines3 and sb3-contrib train on the numeric environments by id, without a warning."""

import json

import pytest

pytestmark = pytest.mark.integrations

TOKENS, TOKENS_BY_SIGHT = "verienv/GeneralPoints-Tokens-v0", "verienv/GeneralPoints-VL-Tokens-v0"
THREE = json.dumps({"cards": 3, "attempts": 1})
THREE_STRICT = json.dumps({"cards": 3, "attempts": 1, "strict_mask": True})
SMALL_PICTURES = json.dumps({"cards": 3, "attempts": 1, "image_size": 96, "resize": 48})


def test_ppo_without_masks_learns_to_write_legal_formulas(in_library) -> None:
    said = in_library("sb3", "sb3_ppo.py", TOKENS, "MlpPolicy", 16_000, THREE)
    assert said["random"] < -2.5  # most formulas are illegal
    assert said["trained"] > said["random"] + 0.5


def test_maskable_ppo_learns_to_solve(in_library) -> None:
    said = in_library("sb3", "sb3_maskable_ppo.py", TOKENS, 24_000, THREE_STRICT)
    assert said["random"] < -0.5  # hardly any formula makes 24
    assert said["trained"] > said["random"] + 0.3


def test_ppo_reads_pictures_beside_numbers(in_library) -> None:
    said = in_library("sb3", "sb3_ppo.py", TOKENS_BY_SIGHT, "MultiInputPolicy", 4_000, SMALL_PICTURES)
    assert said["trained"] >= said["random"] - 0.1


@pytest.mark.parametrize(
    ("env_id", "settings"), [("verienv/VIRL-Discrete-v0", '{"turns": [1, 2], "window": 2}'), (TOKENS, THREE_STRICT)]
)
def test_in_arrays_it_learns_along_the_same_curve(in_library, env_id, settings) -> None:
    said = in_library("sb3", "sb3_vectors.py", env_id, 8192, settings)
    for algorithm in ("PPO", "MaskablePPO"):
        assert said[algorithm]["equal"]  # the return of every episode, and every weight
        assert said[algorithm]["episodes"] > 500
        assert said[algorithm]["last"] > said[algorithm]["first"]
