"""Steps a vector environment in arrays beside Gymnasium's SyncVectorEnv and compares all that both return."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from verienv.numeric import make_vec

Envs = VectorEnv[Any, Any, Any]
Choose = Callable[[Envs, NDArray[Any], np.random.Generator], NDArray[Any]]
"""A policy: from the vector of single environments and the masks to actions."""


def assert_same(ours: Any, theirs: Any, where: str = "") -> None:
    """Check that two results are equal, types and dtypes included."""
    if isinstance(theirs, dict):
        assert set(ours) == set(theirs), (where, set(ours) ^ set(theirs))
        for key, value in theirs.items():
            assert_same(ours[key], value, f"{where}/{key}")
    elif isinstance(theirs, tuple | list):
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other, where)
    elif isinstance(theirs, np.ndarray):
        assert isinstance(ours, np.ndarray), where
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), where
        if theirs.dtype == object:
            for one, other in zip(ours, theirs, strict=True):
                assert_same(one, other, where)
        else:
            assert np.array_equal(ours, theirs), (where, np.argwhere(ours != theirs)[:5], ours, theirs)
    else:
        assert type(ours) is type(theirs), (where, ours, theirs)
        assert ours == theirs, (where, ours, theirs)


def made(env_id: str, count: int, mode: AutoresetMode, settings: dict[str, Any]) -> tuple[Envs, Envs]:
    """The same environments in arrays, if they hold the settings, and as Gymnasium makes them."""
    kept = {"autoreset_mode": mode}
    theirs = gym.make_vec(env_id, count, "sync", vector_kwargs=kept, **settings)
    return make_vec(env_id, count, vector_kwargs=kept, **settings), theirs


def step_both(ours: Envs, theirs: Envs, choose: Choose, steps: int, seed: int, options: Any = ()) -> int:
    """Step both as ``choose`` says, with resets of some environments in between; return how many episodes ended.

    Args:
        options: options of resets that are drawn now and then, besides none.
    """
    luck = np.random.default_rng(seed)
    seeds = [int(each) for each in luck.integers(2**31, size=ours.num_envs)]
    (seen, infos), told = ours.reset(seed=seeds), theirs.reset(seed=seeds)
    assert_same((seen, infos)[0], told[0], "reset")
    assert_same(infos, told[1], "reset infos")
    masks, ended = told[1]["action_mask"], 0
    over = np.zeros(ours.num_envs, bool)
    for number in range(steps):
        disabled = theirs.metadata["autoreset_mode"] == AutoresetMode.DISABLED and over.any()
        if disabled or luck.random() < 0.02:
            mask = over | (luck.random(ours.num_envs) < 0.2)
            mask[luck.integers(ours.num_envs)] = True
            drawn = [None if luck.random() < 0.6 else int(luck.integers(1000)) for _ in seeds]
            given = {} if not options or luck.random() < 0.5 else options[luck.integers(len(options))]
            (seen, infos), told = (
                envs.reset(seed=list(drawn), options={**given, "reset_mask": mask.copy()}) for envs in (ours, theirs)
            )
            assert_same(seen, told[0], f"reset {number}")
            assert_same(infos, told[1], f"reset {number} infos")
            masks = np.where(mask[:, None], told[1]["action_mask"], masks)
            over &= ~mask
        actions = choose(theirs, masks, luck)
        mine, told = ours.step(actions), theirs.step(actions)
        for name, one, other in zip(("obs", "rewards", "terminated", "truncated", "infos"), mine, told, strict=True):
            assert_same(one, other, f"step {number} {name}")
        over = told[2] | told[3]
        ended += int(over.sum())
        masks = told[4]["action_mask"]
    return ended


def at_random(envs: Envs, masks: NDArray[Any], luck: np.random.Generator) -> NDArray[Any]:
    """Draw evenly; one action in twenty of all, the others of those that the mask allows."""
    scores = luck.random(masks.shape) + masks * (luck.random((len(masks), 1)) < 0.95)
    return scores.argmax(1)
