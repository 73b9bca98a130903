"""Speed of vector environments in arrays as ratios to SyncVectorEnv in one process, taking turns; medians of rounds.

python benchmarks/vectors.py [--check] [--rounds 5]

Both sides take the same actions from the same seeds, 64 environments in SAME_STEP mode on one core; what is timed is
``step``. The bounds are for routes and formulas met before; what the first meeting costs is a row of its own. With
``--check`` a broken bound is exit status 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

import verienv  # noqa: F401 - registers the ids
from race import Row, race, report
from verienv.numeric import make_vec

COUNT, STEPS = 64, 40
KEPT = {"autoreset_mode": AutoresetMode.SAME_STEP}

Envs = VectorEnv[Any, Any, Any]
Choose = Callable[[Any, Any, np.random.Generator], Any]
"""A policy: from the vector of single environments and the masks to actions."""


def at_random(envs: Any, masks: Any, luck: np.random.Generator) -> Any:
    """Draw among the actions that the masks allow."""
    return (masks * luck.random(masks.shape)).argmax(1)


def mostly_right(envs: Any, masks: Any, luck: np.random.Generator) -> Any:
    """Take the expert's action nine times in ten."""
    experts = np.array([env.unwrapped.expert_action() for env in envs.envs])
    return np.where(luck.random(COUNT) < 0.9, experts, at_random(envs, masks, luck))


def spelled(envs: Any, masks: Any, luck: np.random.Generator) -> Any:
    """Go on as the expert would nine times in ten, where the formula so far begins as the expert's."""
    actions = at_random(envs, masks, luck)
    for k, env in enumerate(envs.envs):
        so_far, right = env.unwrapped.builder.tokens, env.unwrapped.expert_actions()
        if luck.random() < 0.9 and right[: len(so_far)] == so_far:
            actions[k] = right[len(so_far)]
    return actions


def recorded(envs: Envs, choose: Choose, seed: int) -> list[Any]:
    """The actions of a policy from a seed on."""
    luck, actions = np.random.default_rng(seed), []
    _, info = envs.reset(seed=seed)
    for _ in range(STEPS):
        actions.append(choose(envs, info["action_mask"], luck))
        *_, info = envs.step(actions[-1])
    return actions


def compared(env_id: str, name: str, choose: Choose, rounds: int, most: float, **settings: Any) -> list[Row]:
    ours = make_vec(env_id, COUNT, vector_kwargs=KEPT, **settings)
    theirs = gym.make_vec(env_id, COUNT, "sync", vector_kwargs=KEPT, **settings)
    firsts: list[float] = []
    last: dict[str, Any] = {}

    def stepped(side: str, envs: Envs) -> Callable[[Any], Any]:
        def step(actions: Any) -> Any:
            last[side] = envs.step(actions)
            return last[side]

        return step

    def inputs(number: int) -> tuple[Sequence[Any], Sequence[Any]]:
        seed = 1000 * number
        actions = recorded(theirs, choose, seed)
        ours.reset(seed=seed)
        begun = perf_counter()
        for each in actions:
            ours.step(each)
        firsts.append((perf_counter() - begun) / STEPS * 1e6)
        ours.reset(seed=seed)
        theirs.reset(seed=seed)
        return actions, actions

    mine, other = race(rounds, stepped("ours", ours), stepped("theirs", theirs), inputs)
    equal = all(np.array_equal(one, two) for one, two in zip(last["ours"][:4], last["theirs"][:4], strict=True))
    exactness = "equal" if equal else "DIFFERENT"
    return [
        Row(f"{name}: step / SyncVectorEnv's step", mine, other, exactness, most),
        Row("the same, routes or formulas met for the first time", sorted(firsts)[len(firsts) // 2], other),
    ]


def virl(rounds: int) -> list[Row]:
    env_id, rows = "verienv/VIRL-Discrete-v0", []
    for name, choose in (("at random", at_random), ("mostly right", mostly_right)):
        rows += compared(env_id, f"V-IRL, {name}", choose, rounds, 1 / 10)
    return rows


def generalpoints(rounds: int) -> list[Row]:
    env_id, rows = "verienv/GeneralPoints-Tokens-v0", []
    rows += compared(env_id, "GeneralPoints, at random", at_random, rounds, 1 / 5)
    rows += compared(env_id, "GeneralPoints, at random, strict mask", at_random, rounds, 1 / 5, strict_mask=True)
    return rows + compared(env_id, "GeneralPoints, mostly right", spelled, rounds, 1 / 5)


if __name__ == "__main__":
    raise SystemExit(report(__doc__, [virl, generalpoints], rounds=5))
