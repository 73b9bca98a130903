"""Faces to training libraries. Each module imports its library only inside the functions that need it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

import gymnasium as gym

from verienv.adapters.tasks import TASKS, task_of
from verienv.core.env import VerifiedEnv
from verienv.demos import images_of, questions_in_turn

if TYPE_CHECKING:
    from PIL.Image import Image


def question_rows(env_id: str, split: str, n: int, seed: int, **settings: Any) -> Iterator[dict[str, Any]]:
    """Yield ``n`` questions: ``prompt`` (chat messages) and the columns of ``PuzzleRow`` or ``WaypointRow``; by sight
    also ``images`` (PIL images, one for each placeholder in the prompt).

    The k-th row is the k-th episode of an environment of the same settings, first reset with ``seed``; in V-IRL the
    k-th waypoint of its episodes, as the expert walks them.

    Raises:
        ValueError: if ``n`` is not positive, or for an environment that the adapters do not know.
    """
    env = made(env_id, split, n, **settings)
    for _ in questions_in_turn(env, n, seed):
        row = {"prompt": env.messages, **instance_columns(env)}
        yield row | {"images": images_of(env)} if env.pictures else row


def instance_columns(env: VerifiedEnv) -> dict[str, Any]:
    """The columns of the question in play. Raises ValueError as ``question_rows`` does."""
    task = task_of(env)
    if task is None:
        raise ValueError(f"{type(env).__name__}: the adapters know the environments of {_KNOWN} only")
    return task.in_play(env).columns()


def png(image: Image) -> bytes:
    """The image as a PNG file, packed as far as is quick: a tenth less would take twice the time."""
    file = BytesIO()
    image.save(file, "PNG", compress_level=4)
    return file.getvalue()


def made(env_id: str, split: str, n: int, **settings: Any) -> VerifiedEnv:
    """The environment to take ``n`` rows from. Raises ValueError as ``question_rows`` does."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n={n!r}: expected a positive number of rows")
    env = gym.make(env_id, split=split, **settings).unwrapped
    if not isinstance(env, VerifiedEnv) or task_of(env) is None:
        raise ValueError(f"env_id={env_id!r}: the adapters know the environments of {_KNOWN} only")
    return env


_KNOWN = " and ".join(task.name for task in TASKS)
