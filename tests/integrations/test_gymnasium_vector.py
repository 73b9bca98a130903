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


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
@pytest.mark.parametrize("kind", ["sync", pytest.param("async", marks=pytest.mark.slow)])
def test_a_linear_policy_learns_to_do_better_than_at_random(kind: str, mode: AutoresetMode) -> None:
    def make() -> VectorEnv[Any, Any, Any]:
        settings: dict[str, Any] = {"autoreset_mode": mode}
        if kind == "async":
            settings["context"] = "forkserver"
        envs = gym.make_vec(
            f"verienv:{ENV_ID}", COUNT, kind, vector_kwargs=settings, turns=(1, 2), window=2, disable_env_checker=False
        )
        return RecordEpisodeStatistics(envs)

    envs = make()
    luck = np.random.default_rng(0)
    random = played(envs, lambda states: luck.integers(0, 10, len(states)))
    envs = make()
    learner = Linear(envs.single_observation_space.shape[0], int(envs.single_action_space.n))
    trained = played(envs, learner, learner.learn)
    assert random < -1
    assert trained > random + 1
