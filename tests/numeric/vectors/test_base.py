"""Seeds, masks and errors of vector environments in arrays; and which environments they are not."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TransformReward
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from tests.numeric.vectors.differential import assert_same

import verienv  # noqa: F401 - registers the ids
from verienv.core.verdict import Verdict
from verienv.numeric import VIRLDiscreteVector, make_vec
from verienv.numeric.vectors.base import NumericVector

ENV_ID = "verienv/VIRL-Discrete-v0"


def half(verdict: Verdict) -> float:
    return verdict.reward / 2


@pytest.fixture
def envs() -> VIRLDiscreteVector:
    return VIRLDiscreteVector(3, autoreset_mode="Disabled", attempts=1, window=2)


def test_one_seed_stands_for_those_that_follow_it(envs: VIRLDiscreteVector) -> None:
    assert_same(envs.reset(seed=5), envs.reset(seed=[5, 6, 7]))
    before, _ = envs.reset()
    assert not np.array_equal(before, envs.reset()[0])


def test_what_is_returned_is_the_callers_own(envs: VIRLDiscreteVector) -> None:
    seen, info = envs.reset(seed=5)
    seen[:], info["action_mask"][:] = 7, 7
    assert_same(envs.reset(seed=5, options={})[0].max(), np.float32(1))
    assert envs.action_masks().all()
    assert envs.observation_space.contains(envs.step([0, 0, 0])[0])


def test_a_mask_begins_episodes_anew_and_leaves_the_others(envs: VIRLDiscreteVector) -> None:
    first, _ = envs.reset(seed=5)
    *_, terminated, _, _ = envs.step(np.full(3, 5))
    assert terminated.any()
    with pytest.raises(ResetNeeded, match="reset_mask"):
        envs.step(np.zeros(3, int))
    given = {"reset_mask": terminated}
    second, infos = envs.reset(seed=[5, 6, 7], options=given)
    assert np.array_equal(second[terminated], first[terminated])
    assert infos["_attempt"].tolist() == terminated.tolist()
    assert given["reset_mask"] is terminated  # nothing is taken out of the caller's own


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda envs: envs.reset(seed=[1, 2]), ValueError, "2 seeds; expected one for each of the 3"),
        (lambda envs: envs.reset(options={"turn": 2}), ValueError, "turn"),
        (lambda envs: envs.reset(options={"reset_mask": [True] * 3}), TypeError, "numpy array of dtype bool"),
        (lambda envs: envs.reset(options={"reset_mask": np.zeros(3, bool)}), ValueError, "one True"),
        (lambda envs: envs.reset(options={"reset_mask": np.ones(2, bool)}), ValueError, r"shape \(3,\)"),
        (lambda envs: envs.step([0, 0]), ValueError, "2 of them"),
        (lambda envs: envs.step([0, 10, 0]), ValueError, "action=10 in environment 1: expected an integer from 0 to 9"),
    ],
)
def test_errors_say_what_was_expected(envs: VIRLDiscreteVector, call: Any, error: type[Exception], said: str) -> None:
    before, _ = envs.reset(seed=1)
    with pytest.raises(error, match=said):
        call(envs)
    assert np.array_equal(envs._observe(np.arange(3)), before)  # nothing has moved


def test_no_episode_is_stepped_before_it_has_begun(envs: VIRLDiscreteVector) -> None:
    with pytest.raises(ResetNeeded, match="call reset"):
        envs.step([0, 0, 0])
    with pytest.raises(ResetNeeded, match="no episode has begun"):
        envs.reset(options={"reset_mask": np.array([True, False, True])})


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"rewards": half}, "function as rewards"),
        ({"feedback": lambda verdict, prompt: "No."}, "function as feedback"),
        ({"prompt": lambda slots: "Where to?"}, "function as prompt"),
        ({"render_mode": "ansi"}, "render_mode='ansi'"),
        ({"mode": "walk"}, "mode='walk'"),
    ],
)
def test_what_no_arrays_hold_is_made_of_single_environments(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=f"{why}.*make_vec"):
        VIRLDiscreteVector(2, **settings)
    assert isinstance(make_vec(ENV_ID, 2, **settings), SyncVectorEnv)


def test_make_vec_refuses_nothing_that_gymnasiums_takes() -> None:
    assert isinstance(make_vec(ENV_ID, 2, vectorization_mode="sync"), SyncVectorEnv)
    assert isinstance(make_vec(ENV_ID, 2, vector_kwargs={"copy": False}), SyncVectorEnv)
    assert isinstance(make_vec(ENV_ID, 2, wrappers=[lambda env: TransformReward(env, abs)]), SyncVectorEnv)
    assert type(make_vec("CartPole-v1", 2)) is type(gym.make_vec("CartPole-v1", 2))
    assert isinstance(make_vec(gym.spec(ENV_ID), 2), SyncVectorEnv)
    cut = make_vec(ENV_ID, 2, max_episode_steps=1)
    cut.reset(seed=0)
    assert cut.step(np.zeros(2, int))[3].all()
    plain = make_vec(f"verienv:{ENV_ID}", 2, None, {"copy": True}, max_episode_steps=None, disable_env_checker=True)
    assert isinstance(plain, NumericVector)
    assert plain.spec is not None
    assert (plain.spec.id, gym.spec(ENV_ID).kwargs) == (ENV_ID, {})


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(ValueError, match="windows"):
        make_vec(ENV_ID, 2, windows=3)
    with pytest.raises(ValueError, match="num_envs=0"):
        make_vec(ENV_ID, 0)


def test_gymnasiums_statistics_of_episodes_are_those_of_single_environments() -> None:
    told = []
    for make in (make_vec, gym.make_vec):
        envs = RecordEpisodeStatistics(make(ENV_ID, 4, vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP}))
        envs.reset(seed=0)
        luck = np.random.default_rng(0)
        infos = [envs.step(luck.integers(0, 10, 4))[4] for _ in range(10)]
        told.append([[info["episode"][key] for key in "rl"] for info in infos if "episode" in info])
    assert_same(np.array(told[0]), np.array(told[1]))
