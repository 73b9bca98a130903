"""Vector environments: a policy that reads texts alone walks whole routes, in every autoreset mode."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from tests.virl.routes import reader

import verienv  # noqa: F401 - registers the ids
from verienv.virl.env import VIRLEnv

SEEDS = [5, 6, 5]
# A fresh server process rather than a fork of this one, which may run threads.
KINDS: dict[str, Callable[..., VectorEnv[Any, Any, Any]]] = {
    "sync": SyncVectorEnv,
    "async": partial(AsyncVectorEnv, context="forkserver"),
}


def make() -> gym.Env[Any, Any]:
    return gym.make("verienv/VIRL-L-v0", turns=(1, 2))


def opened(count: int) -> list[list[str]]:
    """The routes of the first episodes of each environment, met alone."""
    routes = []
    for seed in SEEDS:
        env = VIRLEnv(turns=(1, 2))
        routes.append([env.reset(seed=seed if k == 0 else None)[1]["instance"] for k in range(count)])
    return routes


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
@pytest.mark.parametrize("kind", KINDS)
def test_routes_are_walked_one_after_the_other(kind: str, mode: AutoresetMode) -> None:
    envs = KINDS[kind]([make] * len(SEEDS), autoreset_mode=mode)
    try:
        observations, infos = envs.reset(seed=SEEDS)
        met = [[instance] for instance in infos["instance"]]
        ended = np.zeros(len(SEEDS), bool)
        while min(map(len, met)) < 3:
            answers = tuple(json.dumps({"action": reader.read(text)}) for text in observations["text"])
            observations, rewards, terminated, truncated, infos = envs.step(answers)
            assert not truncated.any()
            fresh = terminated if mode == AutoresetMode.SAME_STEP else ended
            if mode == AutoresetMode.SAME_STEP:
                assert (rewards == 1.0).all()
            else:
                assert (rewards == np.where(ended, 0.0, 1.0)).all()
            for index in np.flatnonzero(fresh):
                met[index].append(infos["instance"][index])
            ended = terminated
    finally:
        envs.close()
    assert [routes[:3] for routes in met] == opened(3)


def test_metrics_keep_their_types() -> None:
    envs = SyncVectorEnv([make] * 2)
    _, infos = envs.reset(seed=1)
    for key, kind in (("progress", float), ("observation_correct", bool), ("is_turn", bool), ("attempt", int)):
        assert infos[key].dtype == np.dtype(kind)
    envs.close()
