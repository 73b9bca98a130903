"""Gymnasium's own vector environments and wrappers are enough to train on a numeric id: no other library is needed."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from numpy.typing import NDArray

import verienv  # noqa: F401 - registers the ids

ENV_ID = "verienv/VIRL-Discrete-v0"
COUNT, STEPS = 4, 1000

Choose = Callable[[NDArray[Any]], NDArray[Any]]


class Linear:
    """A softmax over a linear map, updated after every step by the policy gradient of that step's reward."""

    def __init__(self, inputs: int, actions: int) -> None:
        self.weights, self.rng = np.zeros((inputs, actions)), np.random.default_rng(0)

    def __call__(self, states: NDArray[Any]) -> NDArray[Any]:
        scores = states @ self.weights
        chances = np.exp(scores - scores.max(1, keepdims=True))
        self.chances = chances / chances.sum(1, keepdims=True)
        return (self.chances.cumsum(1) > self.rng.random((len(states), 1))).argmax(1)

    def learn(self, states: NDArray[Any], actions: NDArray[Any], rewards: NDArray[Any]) -> None:
        slopes = np.eye(self.weights.shape[1])[actions] - self.chances
        self.weights += 0.1 * states.T @ (slopes * rewards[:, None])


def played(envs: VectorEnv[Any, Any, Any], choose: Choose, learn: Callable[..., None] | None = None) -> float:
    """The mean return of the last episodes of a run."""
    states, _ = envs.reset(seed=0)
    returns: list[float] = []
    for _ in range(STEPS):
        actions = choose(states)
        before, (states, rewards, terminated, _, info) = states, envs.step(actions)
        if learn:
            learn(before, actions, rewards)
        if terminated.any():
            returns += info["episode"]["r"][terminated].tolist()
    envs.close()
    return float(np.mean(returns[-len(returns) // 3 :]))


def made(kind: str, count: int, mode: AutoresetMode) -> VectorEnv[Any, Any, Any]:
    settings: dict[str, Any] = {"autoreset_mode": mode}
    if kind == "async":
        settings["context"] = "forkserver"
    return gym.make_vec(
        f"verienv:{ENV_ID}", count, kind, vector_kwargs=settings, turns=(1, 2), window=2, disable_env_checker=False
    )


def test_environments_in_processes_of_their_own_step_as_those_in_one() -> None:
    both = [made(kind, 2, AutoresetMode.SAME_STEP) for kind in ("sync", "async")]
    states = [envs.reset(seed=0)[0] for envs in both]
    luck, ended = np.random.default_rng(0), 0
    for _ in range(100):
        assert np.array_equal(*states)
        actions = luck.integers(0, 10, 2)
        (one, *told), (other, *found) = (envs.step(actions)[:4] for envs in both)
        assert all(np.array_equal(*each) for each in zip(told, found, strict=True))
        states, ended = [one, other], ended + int(told[1].sum())
    for envs in both:
        envs.close()
    assert ended > 2


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
@pytest.mark.parametrize("kind", ["sync", pytest.param("async", marks=pytest.mark.slow)])
def test_a_linear_policy_learns_to_do_better_than_at_random(kind: str, mode: AutoresetMode) -> None:
    envs = RecordEpisodeStatistics(made(kind, COUNT, mode))
    luck = np.random.default_rng(0)
    random = played(envs, lambda states: luck.integers(0, 10, len(states)))
    envs = RecordEpisodeStatistics(made(kind, COUNT, mode))
    learner = Linear(envs.single_observation_space.shape[0], int(envs.single_action_space.n))
    trained = played(envs, learner, learner.learn)
    assert random < -1
    assert trained > random + 1
