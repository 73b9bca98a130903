"""The base of the vector environments in arrays: seeds, resets by mask, autoreset modes and infos, as Gymnasium's."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from verienv.core.counts import check_count
from verienv.core.question import Question
from verienv.core.registered import Own
from verienv.core.shown import shown
from verienv.numeric.base import NumericEnv

Indices = NDArray[np.intp]
"""The numbers of some environments of the vector, ascending."""


class NumericVector(VectorEnv[Any, Any, Any]):
    """Environments in numbers, stepped together as arrays.

    The same seeds, actions and settings bring the observations, rewards and infos of
    ``gymnasium.vector.SyncVectorEnv`` over as many single environments, number for number. Every array is a fresh one.

    Args:
        num_envs: how many.
        autoreset_mode: what follows the end of an episode, as in ``SyncVectorEnv``.
        settings: those of a single environment.

    Raises:
        ValueError: for settings that no arrays hold; ``verienv.numeric.make_vec`` takes those too.
    """

    _single: Any

    def __init__(
        self, num_envs: int = 1, *, autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP, **settings: Any
    ) -> None:
        check_count("num_envs", num_envs)
        self._mode = AutoresetMode(autoreset_mode)
        self._single = self.single(**settings)
        if why := self.missing(self._single):
            raise ValueError(f"{type(self).__name__} holds no {why}; verienv.numeric.make_vec makes environments of it")
        self.num_envs = num_envs
        self.render_mode = self._single.render_mode
        self.metadata = {**self._single.metadata, "autoreset_mode": self._mode}
        self.single_observation_space = self._single.observation_space
        self.single_action_space = self._single.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._actions = int(self._single.action_space.n)
        self._games = [copy(self._single.game) for _ in range(num_envs)]  # each deals with a generator of its own
        self._questions: list[Any] = [None] * num_envs
        self._all: Indices = np.arange(num_envs)
        self._begun, self._over = np.zeros(num_envs, np.bool_), np.zeros(num_envs, np.bool_)

    @classmethod
    def missing(cls, env: NumericEnv) -> str:
        """Return the setting of an environment that the arrays do not hold, "" if they hold all.

        They hold no function of the user's own, which may answer the same question otherwise the next time, no picture,
        and no wrapper.
        """
        game = env.game
        if env.env is not game:
            return f"wrapped environments ({env.env})"
        if game.vision:
            return "pictures"
        if env.render_mode is not None:
            return f"render_mode={shown(env.render_mode)}"
        wording, rewards = game.wording, getattr(game.config, "rewards", None)
        for name in ("prompt", "answer_format", "feedback"):
            if isinstance(getattr(wording, name), Own):
                return f"function as {name}"
        return "function as rewards" if isinstance(rewards, Own) else ""

    @classmethod
    @abstractmethod
    def single(cls, **settings: Any) -> NumericEnv:
        """Make one of the single environments."""

    @classmethod
    def holds(cls, **settings: Any) -> bool:
        """Whether the arrays hold these settings. Raises ValueError for a wrong one."""
        return not cls.missing(cls.single(**settings))

    @abstractmethod
    def _begin(self, at: Indices, questions: Sequence[Any]) -> None:
        """Begin episodes with these questions in the environments ``at``."""

    @abstractmethod
    def _act(self, at: Indices, actions: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Take actions in the environments ``at``; return the rewards, and which episodes are over."""

    @abstractmethod
    def _observe(self, at: Indices) -> Any:
        """Return the observations of the environments ``at``, batched, in fresh arrays."""

    @abstractmethod
    def _tell(self, at: Indices) -> dict[str, NDArray[Any]]:
        """Return the infos of the environments ``at``: for each key an array of as many values."""

    @abstractmethod
    def action_masks(self) -> NDArray[np.bool_]:
        """Return the masks of all environments, bool, (num_envs, actions)."""

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Deal anew, in all environments or in those of ``options["reset_mask"]`` (bool, one for each).

        Args:
            seed: one for each environment; of an integer, the first's, followed by the next ones.
            options: the other ones are those of a single environment's reset, for each that is reset.

        Raises:
            ValueError: as the single environment's reset; for a wrong count of seeds, or a wrong mask.
            ResetNeeded: if the mask leaves out an environment in which no episode has begun.
        """
        given = dict(options or {})
        at = self._masked(given.pop("reset_mask")) if "reset_mask" in given else self._all
        if seed is None or isinstance(seed, int):
            seeds: Sequence[int | None] = [None if seed is None else seed + i for i in range(self.num_envs)]
        else:
            seeds = seed
        if len(seeds) != self.num_envs:
            raise ValueError(f"seed: {len(seeds)} seeds; expected one for each of the {self.num_envs} environments")
        self._deal(at, [seeds[i] for i in at.tolist()], given or None)
        return self._observe(self._all), self._infos(at)

    def _masked(self, mask: Any) -> Indices:
        """Return the environments that a reset's mask names."""
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            raise TypeError(f"options['reset_mask']={shown(mask)}: expected a numpy array of dtype bool")
        if mask.shape != (self.num_envs,) or not mask.any():
            expected = f"expected shape ({self.num_envs},), with one True at least"
            raise ValueError(f"options['reset_mask'] has shape {mask.shape} and {mask.sum()} True; {expected}")
        if not (self._begun | mask).all():
            raise ResetNeeded("options['reset_mask'] leaves out environments in which no episode has begun: add them")
        return np.flatnonzero(mask)

    def _deal(self, at: Indices, seeds: Sequence[int | None], options: Mapping[str, Any] | None) -> None:
        games = self._games
        self._start(at, [games[i].deal_for(seed, options) for i, seed in zip(at.tolist(), seeds, strict=True)])

    def _deal_next(self, at: Indices) -> None:
        """Deal the next episodes of the environments ``at``, as a reset without a seed does."""
        games = self._games
        self._start(at, [self._next(games[i]) for i in at.tolist()])

    def _next(self, game: Any) -> Question:
        """Deal the next episode's question of an environment."""
        question: Question = game.deal(game.np_random)
        return question

    def _start(self, at: Indices, questions: list[Question]) -> None:
        self._begin(at, questions)
        for i, question in zip(at.tolist(), questions, strict=True):
            self._questions[i] = question
        self._begun[at], self._over[at] = True, False

    def step(
        self, actions: Any
    ) -> tuple[Any, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Take an action in each environment.

        Raises:
            ValueError: if an action is none, or there are more or fewer than environments.
            ResetNeeded: if no episode has begun, or, without autoreset, one has ended.
        """
        if not self._begun.all():
            raise ResetNeeded("no episode has begun: call reset() before step()")
        rewards, infos = np.zeros(self.num_envs), dict[str, Any]()
        if not self._over.any():
            due, playing = None, self._all
        elif self._mode == AutoresetMode.DISABLED:
            raise ResetNeeded("an episode is over: reset it by options={'reset_mask': ...} before step()")
        else:  # the mode is the next step's
            due, playing = np.flatnonzero(self._over), np.flatnonzero(~self._over)
        chosen = self._checked(actions, playing)
        over = np.zeros(self.num_envs, np.bool_)
        rewards[playing], over[playing] = self._act(playing, chosen)
        if due is not None:
            self._deal_next(due)
        self._over = over.copy()
        if self._mode == AutoresetMode.SAME_STEP and over.any():
            ended = np.flatnonzero(over)
            infos = self._final(ended)
            self._deal_next(ended)
        infos.update(self._infos(self._all))
        return self._observe(self._all), rewards, over, np.zeros(self.num_envs, np.bool_), infos

    def _checked(self, actions: Any, at: Indices) -> NDArray[Any]:
        """Return the actions of the environments ``at`` as integers."""
        if len(actions) != self.num_envs:
            raise ValueError(f"actions: {len(actions)} of them; expected one for each of {self.num_envs} environments")
        chosen = np.asarray(actions)[at]
        if chosen.dtype.kind not in "iu":
            chosen = np.array([int(action) for action in chosen], np.int64)
        wrong = (chosen < 0) | (chosen >= self._actions)
        if wrong.any():
            first = int(wrong.argmax())
            raise ValueError(
                f"action={int(chosen[first])} in environment {at[first]}: expected an integer from 0 to "
                f"{self._actions - 1}"
            )
        return chosen

    def _infos(self, at: Indices) -> dict[str, Any]:
        """Return the infos of the environments ``at`` as Gymnasium's vectors do: each array with its mask ``_key``."""
        told, infos, mask = self._tell(at), dict[str, Any](), np.zeros(self.num_envs, np.bool_)
        mask[at] = True
        masks = np.repeat(mask[None], len(told), axis=0)  # of each its own part
        for k, (key, values) in enumerate(told.items()):
            if len(at) < self.num_envs:
                values, some = np.zeros((self.num_envs, *values.shape[1:]), values.dtype), values
                if values.dtype == object:
                    values[:] = None
                values[at] = some
            infos[key], infos[f"_{key}"] = values, masks[k]
        return infos

    def _final(self, at: Indices) -> dict[str, Any]:
        """Return the infos that tell of episodes which end at this step, in the environments ``at``."""
        seen, mask = self._observe(at), np.zeros(self.num_envs, np.bool_)
        last = np.full(self.num_envs, None, object)
        for k, i in enumerate(at.tolist()):
            last[i] = _one_of(seen, k)
        mask[at] = True
        return {"final_obs": last, "_final_obs": mask, "final_info": self._infos(at), "_final_info": mask.copy()}


def _one_of(batch: Any, k: int) -> Any:
    if isinstance(batch, dict):
        return {name: _one_of(part, k) for name, part in batch.items()}
    return batch[k]
