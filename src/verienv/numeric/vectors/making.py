"""Making vector environments: in arrays where these hold what is asked for, else by Gymnasium's own."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from importlib import import_module
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import VectorEnv

from verienv.numeric.vectors.base import NumericVector

_OWN = {"autoreset_mode"}
_OF_GYMNASIUM = {"disable_env_checker", "max_episode_steps", "wrappers"}
_USUAL: Mapping[str, Any] = {"copy": True, "observation_mode": "same"}
"""Arguments of ``SyncVectorEnv`` and the values that the arrays have."""


def make_vec(
    id: str | EnvSpec,
    num_envs: int = 1,
    vectorization_mode: str | None = None,
    vector_kwargs: Mapping[str, Any] | None = None,
    **settings: Any,
) -> VectorEnv[Any, Any, Any]:
    """Make a vector environment as ``gym.make_vec`` does, stepped as arrays where they hold what is asked for.

    They hold verienv/VIRL-Discrete-v0 (``VIRLDiscreteVector``) and verienv/GeneralPoints-Tokens-v0
    (``GeneralPointsTokensVector``): the same observations, rewards and infos, several times as fast. For any other id,
    wrapper, argument or setting it is ``gym.make_vec`` itself.

    Args:
        id: an environment, by id or specification.
        num_envs: how many.
        vectorization_mode: None; "sync" or "async" for Gymnasium's own in any case.
        vector_kwargs: those of ``SyncVectorEnv``, such as ``{"autoreset_mode": "SameStep"}``.
        settings: those of ``gym.make``; and ``wrappers``, as for ``gym.make_vec``.

    Raises:
        ValueError: one line that names a setting that is unknown or wrong, and what is accepted.
    """
    given = dict(vector_kwargs or {})
    module, _, name = id.rpartition(":") if isinstance(id, str) else ("", "", "")
    if module:
        import_module(module)
    usual = all(name in _OWN or _USUAL.get(name, _OWN) == value for name, value in given.items())
    usual = usual and vectorization_mode is None and not settings.get("wrappers")
    usual = usual and settings.get("max_episode_steps") is None
    own = {name: value for name, value in settings.items() if name not in _OF_GYMNASIUM}
    kind = _kinds().get(name) if usual else None
    if kind is not None and kind.holds(**own):
        envs = kind(num_envs, **{name: value for name, value in given.items() if name in _OWN}, **own)
        envs.spec = deepcopy(gym.spec(name))
        envs.spec.kwargs |= {**deepcopy(settings), "num_envs": num_envs}
        return envs
    return gym.make_vec(id, num_envs, vectorization_mode, vector_kwargs=given or None, **settings)


def _kinds() -> Mapping[str, type[NumericVector]]:
    from verienv.numeric.vectors.navigation import VIRLDiscreteVector
    from verienv.numeric.vectors.tokens import GeneralPointsTokensVector

    return {
        "verienv/VIRL-Discrete-v0": VIRLDiscreteVector,
        "verienv/GeneralPoints-Tokens-v0": GeneralPointsTokensVector,
    }
