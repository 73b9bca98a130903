"""Making a numeric environment over one of the tasks, from keyword arguments of both: what the entry points share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import gymnasium as gym
from pydantic import BaseModel, create_model

from verienv.core.config import validate

Numeric = TypeVar("Numeric", bound=gym.Env[Any, Any])
EntryPoint = TypeVar("EntryPoint", bound=Callable[..., Any])


def entry_point_of(numeric: type[gym.Env[Any, Any]]) -> Callable[[EntryPoint], EntryPoint]:
    """Mark a function as what makes a ``numeric``: it has its metadata, where ``gym.make`` looks for render modes."""

    def marked(make: EntryPoint) -> EntryPoint:
        make.metadata = numeric.metadata  # type: ignore[attr-defined]
        return make

    return marked


def make_numeric(
    numeric: type[Numeric],
    own: type[BaseModel],
    game: type[Any],
    of_game: type[BaseModel],
    render_mode: str | None,
    settings: dict[str, Any],
) -> Numeric:
    """A ``numeric`` environment over a ``game``.

    Args:
        own: the settings of the first, ``of_game`` those of the second; ``settings`` may be of both.
        render_mode: the game's.

    Raises:
        ValueError: one line that names the setting that is unknown or wrong, and what is accepted by either.
    """
    both: type[BaseModel] = create_model("Settings", __base__=(own, of_game))
    validate(both, settings, numeric.__name__)
    mine = {name: settings[name] for name in own.model_fields if name in settings}
    others = {name: value for name, value in settings.items() if name not in mine}
    build: Callable[..., Numeric] = numeric
    return build(game(render_mode, **others), **mine)
