"""The mask of actions in the observation, under the names that libraries look for."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

MaskPlace = Literal["info", "observation", "rllib", "tianshou"]
"""The place of the mask: ``info`` alone, or the observation too, under the names of ``NAMES``."""

NAMES = {
    "observation": ("observation", "action_mask"),
    "rllib": ("observations", "action_mask"),
    "tianshou": ("obs", "mask"),
}
"""The names of the observation's two parts: those of RLlib's ActionMaskingRLModule, and of Tianshou's policies."""


def masked_space(space: spaces.Space[Any], actions: int, place: MaskPlace) -> spaces.Space[Any]:
    """Return the space of observations with the mask in them, where it is asked for there."""
    if place == "info":
        return space
    whole, mask = NAMES[place]
    return spaces.Dict({whole: space, mask: spaces.Box(0, 1, (actions,), _type_of(place))})


def masked(observation: Any, mask: NDArray[np.int8], place: MaskPlace) -> Any:
    """Return the observation with the mask in it, where it is asked for there."""
    if place == "info":
        return observation
    whole, name = NAMES[place]
    return {whole: observation, name: mask.astype(_type_of(place))}


def _type_of(place: MaskPlace) -> Any:
    return np.float32 if place == "rllib" else np.int8  # RLlib takes its logarithm
