"""GeneralPoints in tokens as a vector environment in arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from verienv.core.episode import as_judged
from verienv.generalpoints.answers import write_answer
from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.question import GeneralPointsQuestion
from verienv.generalpoints.rewards import GeneralPointsRewards
from verienv.generalpoints.verifier import formula_failure
from verienv.numeric.masks import masked
from verienv.numeric.tokens import GeneralPointsTokens, check_options, make
from verienv.numeric.vectors import formula_graph
from verienv.numeric.vectors.base import Indices, NumericVector
from verienv.numeric.vectors.formula_graph import FormulaGraph
from verienv.numeric.vectors.verdicts import is_read_as_written

MOST_HANDS, MOST_VERDICTS = 4096, 16384
"""The most hands whose numbers are kept, and formulas whose verdicts are; some 20 MB together."""


class Judged(NamedTuple):
    """A verdict as it is kept: its reward, whether it is correct, its failure, and its entries of ``info``."""

    reward: float
    is_correct: bool
    failure: str
    entries: tuple[tuple[str, Any], ...]


class GeneralPointsTokensVector(NumericVector):
    """Many environments of verienv/GeneralPoints-Tokens-v0, stepped together as arrays.

    Masks come from a graph of the states of a formula, which the single environment's own grammar fills as they are
    met; its verifier judges what is handed in. States, hands and verdicts are kept up to some 30 MB.

    Args:
        num_envs: how many.
        autoreset_mode: "NextStep", "SameStep" or "Disabled", or a member of ``AutoresetMode``.
        settings: those of the single environment.

    Raises:
        ValueError: for a wrong setting, or one that no arrays hold: a ``render_mode``, or a function as rewards,
            prompt, answer format or feedback. ``verienv.numeric.make_vec`` takes those too.
    """

    _single: GeneralPointsTokens

    def __init__(
        self, num_envs: int = 1, *, autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP, **settings: Any
    ) -> None:
        super().__init__(num_envs, autoreset_mode=autoreset_mode, **settings)
        env = self._single
        self._builder, self._at, self._is_text = env.builder, env.starts, env.config.info == "text"
        self._graph = FormulaGraph(self._builder)
        kinds = ("", *env.failures)
        self._marks = {kind: np.array([kind == each for each in env.failures], np.float32) for kind in kinds}
        self._hands: dict[Any, NDArray[np.float32]] = {}
        self._verdicts: dict[Any, Judged] = {}
        self._by_failure: dict[str, Judged] = {}
        self._is_by_failure = not self._is_text and self._failure_tells_all()
        whole = (num_envs,)
        self._state = np.zeros((num_envs, sum(map(prod, env.layout.values()))), np.float32)
        self._node: Indices = np.zeros(whole, np.intp)
        self._tokens = np.zeros((num_envs, self._builder.max_tokens), np.int16)
        self._answers, self._judged = np.zeros(whole, np.int64), np.zeros(whole, np.bool_)
        self._is_correct = np.zeros(whole, np.bool_)
        self._formulas = np.full(whole, "", object)
        self._before = {**({"failure": "", "feedback": ""} if self._is_text else {}), **env.game.measures.metrics}
        self._entries: dict[str, NDArray[Any]] = {
            key: np.full(whole, value, object if isinstance(value, str) else type(value))
            for key, value in self._before.items()
        }
        self._measures: dict[str, NDArray[np.int64]] = {}

    @classmethod
    def single(cls, **settings: Any) -> GeneralPointsTokens:
        return make(**settings)

    def _failure_tells_all(self) -> bool:
        """Whether a verdict's numbers hang on the formula's failure alone.

        The rest of an answer is right, if it is read as it was written.
        """
        game, rewards = self._single.game, self._single.game.config.rewards
        return is_read_as_written(game) and isinstance(rewards, GeneralPointsRewards) and rewards.by_failure

    def action_masks(self) -> NDArray[np.bool_]:
        return self._graph.masks[self._node].astype(np.bool_)

    def _deal(self, at: Indices, seeds: Sequence[int | None], options: Mapping[str, Any] | None) -> None:
        check_options(options)
        super()._deal(at, seeds, options)

    def _begin(self, at: Indices, questions: Sequence[GeneralPointsQuestion]) -> None:
        self._state[at] = [self._hand(question.puzzle) for question in questions]
        self._answers[at] = 0
        self._judged[at] = self._is_correct[at] = False
        self._formulas[at] = ""
        for key, value in self._before.items():
            self._entries[key][at] = value
        told = [question.difficulty_measures for question in questions]
        for name in told[0]:
            self._measures.setdefault(name, np.zeros(self.num_envs, np.int64))[at] = [each[name] for each in told]
        self._begin_formulas(at, [""] * len(at))

    def _hand(self, puzzle: Puzzle) -> NDArray[np.float32]:
        """Return the numbers of a hand, from those that are kept."""
        key = (puzzle.ranks, *puzzle.stated_rule.values.values())
        found = self._hands.get(key)
        if found is None:
            if len(self._hands) >= MOST_HANDS:
                self._hands.clear()
            found = self._hands[key] = self._single.hand_numbers(puzzle)
        return found

    def _begin_formulas(self, at: Indices, failures: Sequence[str]) -> None:
        """Begin formulas, after verdicts with these failures or none."""
        state, start, attempts = self._state, self._at, self._single.game.attempts
        self._node[at] = 0
        state[at, start["used"] : start["rule"]] = 0
        state[at, start["operand_next"]] = 1
        state[at, start["attempts_left"]] = (attempts - self._answers[at]) / attempts
        state[at, start["failure"] :] = [self._marks[failure] for failure in failures]

    def _act(self, at: Indices, actions: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        nodes = self._node[at]
        hands_in = (actions == self._builder.done) | (self._graph.masks[nodes, actions] == 0)
        self._judged[at] = hands_in
        self._push(at[~hands_in], nodes[~hands_in], actions[~hands_in])
        rewards, over = np.zeros(len(at)), np.zeros(len(at), np.bool_)
        handed = at[hands_in]
        if len(handed):
            verdicts = [self._hand_in(int(i), int(token)) for i, token in zip(handed, actions[hands_in], strict=True)]
            self._answers[handed] += 1
            correct = np.array([each.is_correct for each in verdicts])
            self._is_correct[handed] = correct
            rewards[hands_in] = [each.reward for each in verdicts]
            over[hands_in] = correct | (self._answers[handed] >= self._single.game.attempts)
            self._begin_formulas(handed, [each.failure for each in verdicts])
        return rewards, over

    def _push(self, at: Indices, nodes: Indices, tokens: NDArray[Any]) -> None:
        """Add allowed tokens to the formulas."""
        graph, state, start, cards = self._graph, self._state, self._at, self._builder.cards
        lengths, after = graph.lengths[nodes], graph.follow(nodes, tokens)
        self._tokens[at, lengths] = tokens
        self._node[at] = after
        state[at, start["tokens"] + lengths * self._builder.done + tokens] = 1
        numbers = graph.numbers[after]
        state[at, start["used"] : start["used"] + cards] = numbers[:, :cards]
        state[at, start["filled"] : start["rule"]] = numbers[:, cards:]
        if self._is_text:
            for i in at.tolist():
                self._formulas[i] = self._formula(i, self._builder.done)
        if len(graph) > formula_graph.MOST:
            self._forget()

    def _forget(self) -> None:
        """Forget the states of formulas but for those in play."""
        lengths = self._graph.lengths[self._node].tolist()
        self._graph = graph = FormulaGraph(self._builder)
        paths = [self._tokens[i, :length].tolist() for i, length in enumerate(lengths)]
        self._node[:] = [graph.state_of(tuple(path)) for path in paths]

    def _formula(self, i: int, token: int) -> str:
        """Return the formula that a token hands in."""
        self._builder.tokens = self._tokens[i, : self._graph.lengths[self._node[i]]].tolist()
        return self._builder.handed_in(token, self._questions[i].puzzle.values)

    def _hand_in(self, i: int, token: int) -> Judged:
        """Have a formula judged."""
        puzzle, formula = self._questions[i].puzzle, self._formula(i, token)
        key = (puzzle.ranks, puzzle.values, puzzle.stated_values, puzzle.target, formula)
        verdict = self._verdicts.get(key)
        if verdict is None:
            if len(self._verdicts) >= MOST_VERDICTS:
                self._verdicts.clear()
            verdict = self._verdicts[key] = self._judge(self._questions[i], formula)
        self._formulas[i] = formula
        for name, value in verdict.entries:
            self._entries[name][i] = value
        return verdict

    def _judge(self, question: GeneralPointsQuestion, formula: str) -> Judged:
        """Return the verdict on a formula, as a single environment has it judged."""
        if self._is_by_failure:
            failure = formula_failure(formula, question.puzzle)
            if failure in self._by_failure:
                return self._by_failure[failure]
        answer = write_answer(question.puzzle, formula, answer_format=question.wording.answer_format)
        verdict = question.judge(as_judged(question, answer))
        entries = {"failure": verdict.failure, "feedback": verdict.feedback, **verdict.metrics}
        kept = tuple((name, entries[name]) for name in self._before)
        judged = Judged(verdict.reward, verdict.is_correct, verdict.failure, kept)
        self._by_failure[judged.failure] = judged
        return judged

    def _observe(self, at: Indices) -> Any:
        env, state = self._single, self._state[at]
        masks = self._graph.masks[self._node[at]]
        if env.config.observation == "array":
            return masked(state, masks, env.config.mask)
        parts = {}
        for name, shape in env.layout.items():
            start = self._at[name]
            parts[name] = state[:, start : start + prod(shape)].reshape(-1, *shape).copy()
        return masked(parts, masks, env.config.mask)

    def _tell(self, at: Indices) -> dict[str, NDArray[Any]]:
        answers, correct = self._answers[at], self._is_correct[at]
        told = {name: values[at] for name, values in (*self._entries.items(), *self._measures.items())}
        if self._is_text:
            told["instance"] = np.array([self._questions[i].instance for i in at.tolist()], object)
            told["formula"] = self._formulas[at]
        return {
            **told,
            "attempt": answers,
            "attempts_left": self._single.game.attempts - answers,
            "is_correct": correct,
            "is_success": correct.copy(),
            "judged": self._judged[at],
            "action_mask": self._graph.masks[self._node[at]],
        }
