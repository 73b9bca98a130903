"""The base of the numeric environments: what they pass on from the environment beneath."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from verienv.core.env import VerifiedEnv


class NumericEnv(gym.Env[Any, Any]):
    """An environment in numbers over one in words or pictures.

    Attributes:
        env: the environment beneath, wrapped or not.
        game: the same without wrappers.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 1}  # type: ignore[misc]

    env: gym.Env[Any, Any]
    game: VerifiedEnv
    _mask: NDArray[np.int8]

    def action_masks(self) -> NDArray[np.bool_]:
        """``info["action_mask"]`` as bool; the name is sb3-contrib's convention."""
        return self._mask.astype(np.bool_)

    @property
    def info(self) -> dict[str, Any]:
        """The full info of the environment beneath, also after the end."""
        return self.game.info

    @property
    def final_info(self) -> dict[str, Any]:
        """The full info with which an episode ended last, {} before the first end."""
        return self.game.final_info

    @property
    def cluster(self) -> str:
        """The unit of inference: episodes that share it are one problem, the same hand or route."""
        return self.game.cluster

    def close(self) -> None:
        self.env.close()
