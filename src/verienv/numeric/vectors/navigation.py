"""V-IRL in numbers as a vector environment in arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from verienv.core.question import Question
from verienv.numeric.base import NumericEnv
from verienv.numeric.masks import masked
from verienv.numeric.navigation import VIRLDiscrete, make
from verienv.numeric.sentences import ACTIONS, IN_HEAD
from verienv.numeric.vectors.base import Indices, NumericVector
from verienv.numeric.vectors.route_rows import RouteRows, Told
from verienv.numeric.vectors.verdicts import Verdicts
from verienv.virl.question import VIRLQuestion

MOST_KNOWN = 8192
"""The number of questions that are kept; each is small, and shares its route."""


class VIRLDiscreteVector(NumericVector):
    """Many environments of verienv/VIRL-Discrete-v0, stepped together as arrays.

    Numbers and verdicts are computed once for a waypoint and an action, by the single environment's own functions, and
    kept in at most 64 MB (and what the routes in play need).

    Args:
        num_envs: how many.
        autoreset_mode: "NextStep", "SameStep" or "Disabled", or a member of ``AutoresetMode``.
        settings: those of the single environment.

    Raises:
        ValueError: for a wrong setting, or one that no arrays hold: ``mode="walk"``, a ``render_mode``, or a function
            as rewards, prompt, answer format or feedback. ``verienv.numeric.make_vec`` takes those too.
    """

    _single: VIRLDiscrete

    def __init__(
        self, num_envs: int = 1, *, autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP, **settings: Any
    ) -> None:
        super().__init__(num_envs, autoreset_mode=autoreset_mode, **settings)
        env, attempts = self._single, self._single.game.attempts
        self._verdicts = Verdicts(env.game.measures)
        self._rows = RouteRows(env, self._verdicts.number_of)
        self._alone = env.game.config.episode != "route"
        self._known: dict[tuple[str, int, int | None], VIRLQuestion] = {}
        self._told: list[Told] = [None] * num_envs  # type: ignore[list-item]
        self._measured: tuple[str, ...] = ()
        self._left = np.array([1 - wrong / attempts for wrong in range(attempts + 1)], np.float32)
        self._tried_as = np.array([ACTIONS.index(action) for action in env.actions])
        whole = (num_envs,)
        self._row: Indices = np.zeros(whole, np.intp)
        self._behind, self._length = np.zeros(whole, np.int64), np.ones(whole, np.int64)
        self._tried = np.zeros((num_envs, len(ACTIONS)), np.bool_)
        self._wrong, self._answers = np.zeros(whole, np.int64), np.zeros(whole, np.int64)
        self._verdict, self._is_success = np.zeros(whole, np.int32), np.zeros(whole, np.bool_)

    @classmethod
    def single(cls, **settings: Any) -> VIRLDiscrete:
        return make(**settings)

    @classmethod
    def missing(cls, env: NumericEnv) -> str:
        mode = getattr(env.game.config, "mode", "rail")
        return super().missing(env) or ("" if mode == "rail" else f"mode={mode!r}")

    def action_masks(self) -> NDArray[np.bool_]:
        return np.repeat(self._single.action_masks()[None], self.num_envs, axis=0)

    def _deal(self, at: Indices, seeds: Sequence[int | None], options: Mapping[str, Any] | None) -> None:
        if options:
            self._known.clear()  # new settings may mean new routes
        super()._deal(at, seeds, options)

    def _next(self, game: Any) -> Question:
        drawn = game.draw(game.np_random)
        question = self._known.get(drawn)
        if question is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[drawn] = question = game.question_of(*drawn)
        return question

    def _begin(self, at: Indices, questions: Sequence[VIRLQuestion]) -> None:
        told = [self._rows.route_of(question) for question in questions]
        begins = [len(question.steps) for question in questions]
        for i, route in zip(at.tolist(), told, strict=True):
            self._told[i] = route
        self._row[at] = np.array([route.first for route in told]) + begins
        self._behind[at], self._length[at] = begins, [route.length for route in told]
        self._tried[at] = False
        self._wrong[at] = self._answers[at] = self._verdict[at] = 0
        self._is_success[at] = False
        if not self._measured:
            self._measured = tuple(questions[0].difficulty_measures)
            self._measures = np.zeros((self.num_envs, len(self._measured)), np.int64)
        self._measures[at] = [route.measures for route in told]
        if self._rows.used > self._rows.most:
            self._forget(dict(zip(at.tolist(), questions, strict=True)))

    def _forget(self, begun: dict[int, VIRLQuestion]) -> None:
        """Forget the rows of all routes but those in play."""
        self._rows = RouteRows(self._single, self._verdicts.number_of)
        for i, before in enumerate(self._told):
            if before is not None:
                self._told[i] = self._rows.route_of(begun.get(i, self._questions[i]))
                self._row[i] += self._told[i].first - before.first
        self._rows.most = max(self._rows.most, 2 * self._rows.used)

    def _act(self, at: Indices, actions: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        rows, told = self._row[at], self._told
        verdicts = self._rows.judge(rows, actions, lambda k: told[at[k]])
        correct, ends = self._verdicts.is_correct[verdicts], self._rows.ends[rows]
        success, moved, wrong = correct & ends, correct & ~ends, ~correct
        answers = self._wrong[at] + 1
        over = success | (wrong & (answers >= self._single.game.attempts))
        self._answers[at] = np.where(moved, 0, answers)
        self._wrong[at] = np.where(correct, 0, answers)
        self._tried[at[correct]] = False
        self._tried[at[wrong], self._tried_as[actions[wrong]]] = True
        self._behind[at] += moved
        self._row[at] = rows + (success * self._length[at] if self._alone else moved)
        self._verdict[at], self._is_success[at] = verdicts, success
        return self._verdicts.rewards[verdicts], over

    def _observe(self, at: Indices) -> Any:
        rows, told = self._row[at], self._told
        self._rows.fill(rows, lambda k: told[at[k]])
        state = self._rows.numbers.take(rows, axis=0).astype(np.float32)
        state[:, IN_HEAD["tried"]] = self._tried[at]
        state[:, IN_HEAD["attempts_left"]] = self._left[self._wrong[at], None]
        return masked(state, self._masks(at), self._single.config.mask)

    def _masks(self, at: Indices) -> NDArray[np.int8]:
        return np.repeat(self._single.mask[None], len(at), axis=0)

    def _tell(self, at: Indices) -> dict[str, NDArray[Any]]:
        verdict, answers, success = self._verdict[at], self._answers[at], self._is_success[at]
        told = {key: column[verdict] for key, column in self._verdicts.told.items()}
        if self._single.config.info == "text":
            told["instance"] = np.array([self._told[i].question.route_id for i in at.tolist()], object)
        else:
            del told["failure"], told["feedback"]
        measures = self._measures[at]
        return {
            **told,
            "attempt": answers,
            "attempts_left": self._single.game.attempts - answers,
            "is_correct": self._verdicts.is_correct[verdict],
            "is_success": success,
            "progress": success.astype(float) if self._alone else (self._behind[at] + success) / self._length[at],
            **{name: measures[:, k].copy() for k, name in enumerate(self._measured)},
            "action_mask": self._masks(at),
        }
