"""Faces to training libraries. Each module imports its library only inside the functions that need it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium as gym

from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.puzzle import Puzzle, read_instance
from verienv.generalpoints.rows import PuzzleRow


def question_rows(env_id: str, split: str, n: int, seed: int, **settings: Any) -> Iterator[dict[str, Any]]:
    """Yield ``n`` questions: ``prompt`` (chat messages) and the columns of ``PuzzleRow``.

    The k-th row is the k-th episode of an environment of the same settings, first reset with ``seed``.

    Raises:
        ValueError: if ``n`` is not positive, or for an environment that the adapters do not know.
    """
    env = made(env_id, split, n, **settings)
    for index in range(n):
        env.reset(seed=seed if index == 0 else None)
        yield {"prompt": env.messages, **PuzzleRow.of(env.puzzle, env.config).columns()}


def instance_columns(env: GeneralPointsEnv, instance: str) -> dict[str, Any]:
    """The columns of an instance under the settings of ``env``."""
    (ranks, target), dealing = read_instance(instance), env.config.dealing
    return PuzzleRow.of(Puzzle(ranks, dealing.rule, target, dealing.stated_rule), env.config).columns()


def made(env_id: str, split: str, n: int, **settings: Any) -> GeneralPointsEnv:
    """The environment to take ``n`` rows from. Raises ValueError as ``question_rows`` does."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n={n!r}: expected a positive number of rows")
    env = gym.make(env_id, split=split, **settings).unwrapped
    if not isinstance(env, GeneralPointsEnv):
        raise ValueError(f"env_id={env_id!r}: the adapters know the GeneralPoints environments only")
    return env
