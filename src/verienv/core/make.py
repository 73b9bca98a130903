"""Making an environment by its id, with errors that tell what is wrong."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from verienv.core.config import UnknownSettingError
from verienv.core.env import VerifiedEnv
from verienv.core.shown import shown

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
