"""Settings that a reset changes: an episode under options is the one that gym.make with these settings deals."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import verienv
from verienv.core import tasks

SMALL: dict[str, dict[str, Any]] = {
    "verienv/GeneralPoints-VL-v0": {"image_size": 96},
    "verienv/VIRL-VL-v0": {"view_size": 64},
}
GP: list[dict[str, Any]] = [
    {"difficulty": (2, 3)},
    {"solutions": 1, "difficulty": 1},
    {"rule": "rank", "difficulty": [3, 3]},
    {"target": 30},
]
ROUTES: list[dict[str, Any]] = [{"turns": (1, 2)}, {"waypoints": (5, 9), "turns": 2}, {"landmarks": (2, 4)}]
CASES = [(env_id, changes) for task, each in (("GeneralPoints", GP), ("VIRL", ROUTES)) for env_id in
         (f"verienv/{task}-L-v0", f"verienv/{task}-VL-v0") for changes in each]  # fmt: skip

each_change = pytest.mark.parametrize(("env_id", "changes"), CASES, ids=str)


def reset(env: Any, **how: Any) -> tuple[str, dict[str, Any]]:
    observation, info = env.reset(**how)
    assert observation in env.observation_space
    return observation["text"], info


@each_change
def test_an_episode_under_options_is_the_one_that_gym_make_deals(env_id: str, changes: dict[str, Any]) -> None:
    small = SMALL.get(env_id, {})
    env, made = gym.make(env_id, **small), gym.make(env_id, **small, **changes)
    env.reset(seed=1)
    assert reset(env, seed=4, options=changes) == reset(made, seed=4)
    assert np.array_equal(env.unwrapped.pictures, made.unwrapped.pictures)  # type: ignore[attr-defined]
    assert reset(env) == reset(made)


@each_change
def test_the_row_of_such_an_episode_deals_it(env_id: str, changes: dict[str, Any]) -> None:
    small = SMALL.get(env_id, {})
    env = gym.make(env_id, **small)
    row = verienv.rows(env_id, n=1, **small, **changes)[0]
    text, info = reset(env, seed=row["seed"], options=changes)
    episode = verienv.Episode.of(row)
    assert (episode.text, episode.info) == (text, info)


def test_every_setting_that_can_be_changed_is_tried() -> None:
    for task, changes in (("generalpoints", GP), ("virl", ROUTES)):
        for env_id in tasks.named(task).environments:
            changeable = tasks.named(task).environment_class(env_id).settings.changeable
            assert set(changeable) == {name for each in changes for name in each}


@pytest.mark.parametrize("mode", list(AutoresetMode), ids=str)
def test_vector_environments_pass_options_on_and_go_on_with_them(mode: AutoresetMode) -> None:
    make = lambda: gym.make("verienv/GeneralPoints-L-v0", attempts=1)  # noqa: E731
    vector = SyncVectorEnv([make] * 2, autoreset_mode=mode)
    _, infos = vector.reset(seed=[1, 2], options={"difficulty": 3})
    assert infos["difficulty"].tolist() == [3, 3]
    for _ in range(4):
        *_, infos = vector.step(("", ""))
        if mode == AutoresetMode.DISABLED:
            _, infos = vector.reset(options={"reset_mask": np.array([True, True])})
        assert infos["difficulty"].tolist() == [3, 3]


@pytest.mark.parametrize("env_id", ["verienv/GeneralPoints-Tokens-v0", "verienv/VIRL-Discrete-v0"])
def test_numeric_environments_pass_options_on(env_id: str) -> None:
    changes = {"difficulty": 3} if "Tokens" in env_id else {"turns": 1}
    info = gym.make(env_id).reset(seed=0, options=changes)[1]
    assert {name: info[name] for name in changes} == changes


def test_tokens_keep_the_target_that_they_do_not_observe() -> None:
    env = gym.make("verienv/GeneralPoints-Tokens-v0")
    with pytest.raises(ValueError, match="target=36: tokens are observed without the target"):
        env.reset(options={"target": 36})
