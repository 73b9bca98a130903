"""Making an environment by its id, or a short form of it, with errors that tell what is wrong."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import gymnasium as gym

from verienv.core import tasks
from verienv.core.config import UnknownSettingError
from verienv.core.env import VerifiedEnv
from verienv.core.shown import shown
from verienv.core.typed import import_from_here

_ADDED = " was raised from the environment creator"
"""The words with which Gymnasium adds all settings, however long, to an error."""


def make_env(env_id: str, **settings: Any) -> VerifiedEnv:
    """Make a verienv environment, unwrapped.

    Args:
        env_id: an id, or Gymnasium's "module:id", whose module is imported first.
        settings: as for ``gym.make``.

    Raises:
        ValueError: for another id, a module that is not there, or wrong settings.
    """
    if not isinstance(settings.get("render_mode"), str | None):
        raise ValueError(f"render_mode={shown(settings['render_mode'])}: expected None or a string")
    try:
        env = gym.make(env_id, disable_env_checker=True, **settings).unwrapped
    except (gym.error.Error, ModuleNotFoundError) as error:  # unknown id, unknown package before its colon
        raise ValueError(f"env_id={shown(env_id)}: {str(error)[:400]}") from None
    except UnknownSettingError as error:
        raise UnknownSettingError(str(error).partition(_ADDED)[0]) from None
    except TypeError as error:  # an environment that is not ours was given our settings
        why = str(error).partition(_ADDED)[0]
        raise ValueError(f"env_id={shown(env_id)} is no verienv environment, or misses a setting: {why}") from error
    if not isinstance(env, VerifiedEnv):
        raise ValueError(f"env_id={shown(env_id)} is no verienv environment; `verienv envs` lists them")
    return env


def full_id(name: str, *, numeric: bool = False) -> str:
    """Return the environment's id; "GeneralPoints-L" is enough. With ``numeric``, those in numbers are known too.

    "my_module:mine/Task-v0" imports the module first, also from the current folder.

    Raises:
        ValueError: for another one; it names those there are.
    """
    module, colon, env_id = name.partition(":")
    if colon:
        import_from_here(module)
        if env_id not in gym.registry:
            own = [each for task in tasks.every() for each in task.environments if not each.startswith("verienv/")]
            raise ValueError(f"{module} registers no environment {env_id!r}; known besides verienv's: {', '.join(own)}")
        return env_id
    wanted = _short(name)
    known = {_short(env_id): env_id for task in tasks.every() for env_id in task.environments}
    in_numbers = {_short(env_id): env_id for task in tasks.every() for env_id in task.numeric}
    if numeric:
        known |= in_numbers
    if wanted in known:
        return known[wanted]
    if wanted in in_numbers:
        raise ValueError(
            f"{in_numbers[wanted]} speaks in numbers, to libraries without text; `verienv show` shows it, this command "
            f"takes one in words: {', '.join(known.values())}"
        )
    close = get_close_matches(wanted, known, n=1)
    hint = f"did you mean {known[close[0]]}? " if close else ""
    raise ValueError(
        f"there is no environment {shown(name)} ({hint}known: {', '.join(known.values())}; module:id names one of your "
        "own; `verienv envs` lists them with their settings)"
    )


def _short(env_id: str) -> str:
    return env_id.removeprefix("verienv/").removesuffix("-v0").lower()
