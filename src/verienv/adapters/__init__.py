"""Faces to training libraries. Each module imports its library only inside the functions that need it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

import gymnasium as gym

from verienv.demos import images_of
from verienv.generalpoints.env import GeneralPointsEnv
from verienv.generalpoints.rows import PuzzleRow

if TYPE_CHECKING:
    from PIL.Image import Image


def question_rows(env_id: str, split: str, n: int, seed: int, **settings: Any) -> Iterator[dict[str, Any]]:
    """Yield ``n`` questions: ``prompt`` (chat messages) and the columns of ``PuzzleRow``; by sight also ``images``
    (PIL images, one for each placeholder in the prompt).

    The k-th row is the k-th episode of an environment of the same settings, first reset with ``seed``.

    Raises:
        ValueError: if ``n`` is not positive, or for an environment that the adapters do not know.
    """
    env = made(env_id, split, n, **settings)
    for index in range(n):
        env.reset(seed=seed if index == 0 else None)
        row = {"prompt": env.messages, **instance_columns(env)}
        yield row | {"images": images_of(env)} if env.pictures else row


def instance_columns(env: GeneralPointsEnv) -> dict[str, Any]:
    """The columns of the puzzle in play. By sight, its cards have suits."""
    return PuzzleRow.of(env.puzzle, env.config, vision=bool(env.perception)).columns()


def png(image: Image) -> bytes:
    """The image as a PNG file, packed as far as is quick: a tenth less would take twice the time."""
    file = BytesIO()
    image.save(file, "PNG", compress_level=4)
    return file.getvalue()


def made(env_id: str, split: str, n: int, **settings: Any) -> GeneralPointsEnv:
    """The environment to take ``n`` rows from. Raises ValueError as ``question_rows`` does."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n={n!r}: expected a positive number of rows")
    env = gym.make(env_id, split=split, **settings).unwrapped
    if not isinstance(env, GeneralPointsEnv):
        raise ValueError(f"env_id={env_id!r}: the adapters know the GeneralPoints environments only")
    return env
