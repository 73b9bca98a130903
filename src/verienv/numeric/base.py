"""The base of the numeric environments: what they pass on from the environment beneath."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from verienv.core.env import VerifiedEnv
from verienv.core.formats import OwnFormat
from verienv.core.shown import shown


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


def check_writes(game: VerifiedEnv) -> None:
    """Raise ValueError if the answers that a numeric environment writes for its actions cannot be written."""
    form = game.wording.answer_format
    if isinstance(form, OwnFormat) and not callable(getattr(form.value, "write", None)):
        raise ValueError(
            f"answer_format={shown(form.value)}: in numbers the environment writes each answer itself; give it "
            "`write(fields)`, which returns a response, or leave answer_format out"
        )
