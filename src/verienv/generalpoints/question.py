"""The question of GeneralPoints, in words or with a picture, and the row it travels as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from verienv.core.dialogue import attempt_line
from verienv.core.plain import PlainRow
from verienv.core.question import Picture, Question, check_fields, check_phrasing
from verienv.core.reasoning import REASONING_TAGS, parse_reasoning_tags
from verienv.core.verdict import OwnRewards, Verdict, plain_rewards
from verienv.core.wording import PLAIN, Slots, Wording
from verienv.core.writing import Writing
from verienv.generalpoints.answers import GeneralPointsWriting, expert_answer, solution_count, wrong_answer
from verienv.generalpoints.difficulty import difficulty_of, looked_up
from verienv.generalpoints.prompts import SLOTS, answer_shape, kinds_of, phrasings_of, write_question
from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.row import GeneralPointsRow
from verienv.generalpoints.verifier import REWARDS, Failure, GeneralPointsRewards, RewardsLike, formula_facts, verify

if TYPE_CHECKING:
    from verienv.generalpoints.pictures.drawing import Table


@dataclass(frozen=True, kw_only=True)
class GeneralPointsQuestion(Question):
    """A puzzle, asked.

    Attributes:
        puzzle: cards, rule, target and stated rule. With ``vision`` the cards have suits and are in the picture.
        phrasing: which of the phrasings, 0 for the default.
        rewards: the prices.
        strict: whether plain JSON alone is read.
        reasoning_tags: the tags around reasoning, which is no answer; () for none.
        jitter: with ``vision``, the seed of all that is left to chance in the picture.
        table: the table that the picture is drawn on; None where it is not known, as in a row.
        counted: whether solutions are counted where no shipped table tells how many there are; not in a row.
    """

    slots = Slots((), (*SLOTS.needed, *SLOTS.others))

    puzzle: Puzzle
    attempts: int = 5
    phrasing: int = 0
    rewards: GeneralPointsRewards | OwnRewards = REWARDS["paper"]
    strict: bool = False
    reasoning_tags: tuple[str, ...] = REASONING_TAGS
    jitter: int = 0
    table: Table | None = field(default=None, compare=False, repr=False)
    counted: bool = field(default=False, compare=False, repr=False)

    writing = GeneralPointsWriting

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self, ("puzzle", Puzzle), ("rewards", (GeneralPointsRewards, OwnRewards)))
        check_phrasing(self, len(phrasings_of(self.puzzle)))
        self.wording.check(self.slots, answer_shape(self.puzzle), kinds_of(self.vision))

    @classmethod
    def of(
        cls,
        puzzle: Puzzle,
        *,
        vision: bool = False,
        rewards: RewardsLike = "paper",
        strict: bool = False,
        attempts: int = 5,
        phrasing: int = 0,
        reasoning_tags: tuple[str, ...] | None = REASONING_TAGS,
        wording: Wording = PLAIN,
    ) -> Self:
        """Return the question about a puzzle; ``judge`` then agrees with ``verify`` of the same arguments."""
        prices = GeneralPointsRewards.of(rewards)
        return cls(
            puzzle=puzzle,
            vision=vision,
            rewards=prices,
            strict=strict,
            reasoning_tags=parse_reasoning_tags(reasoning_tags),
            attempts=attempts,
            phrasing=phrasing,
            wording=wording,
        )

    @property
    def instance(self) -> str:
        """Ranks and target, such as "generalpoints:4-3-2-K:24"."""
        return self.puzzle.id

    @property
    def prompt(self) -> str:
        if self.wording is PLAIN:
            return self._phrased()
        return self.wording.write(self._slots, self._phrased)

    def _phrased(self) -> str:
        form = self.wording.answer_format
        return write_question(self.puzzle, self.phrasing, vision=self.vision, answer_format=form)

    def _slots(self) -> dict[str, str]:
        puzzle = self.puzzle
        return {
            "cards": "the cards in the picture" if self.vision else ", ".join(puzzle.ranks),
            "rule": puzzle.stated_rule.text,
            "target": str(puzzle.target),
            "count": str(len(puzzle.ranks)),
            "operators": " ".join(puzzle.operators),
            "attempts": attempt_line(self.attempt, self.attempts),
            "format": self.wording.answer_format.instruction(answer_shape(puzzle)),
        }

    def feedback_slots(self, verdict: Verdict) -> dict[str, str]:
        """Return the target, and of a legal formula the numbers ``used``, those ``missing``, and its ``value``."""
        return {"target": str(self.puzzle.target), **formula_facts(verdict.answer.get("formula"), self.puzzle)}

    @property
    def pictures(self) -> list[Picture]:
        if self.table is None:
            return []
        picture = self.table.draw(self.puzzle.cards, self.jitter)
        picture.flags.writeable = False
        return [picture]

    def judge(self, response: str) -> Verdict:
        verdict = verify(
            response,
            self.puzzle,
            vision=self.vision,
            rewards=self.rewards,
            strict=self.strict,
            reasoning_tags=self.reasoning_tags,
            answer_format=self.wording.answer_format,
        )
        return self.worded(verdict)

    def expert(self, *, steps: bool = False, choice: int = 0, equation: bool = False) -> str:
        """Write the answer with the shortest solution under the scored rule, its ``number`` under the stated one.

        Args:
            steps: write the derivation first.
            choice: which solution, from 0 for the shortest, taken modulo their number.
            equation: write the target after the formula.
        """
        form = self.wording.answer_format
        return expert_answer(self.puzzle, choice, steps=steps, equation=equation, answer_format=form)

    def demonstration(self, how: Writing, rng: np.random.Generator) -> str:
        if not isinstance(how, GeneralPointsWriting):
            return self.expert(steps=how.steps)
        choice = int(rng.integers(solution_count(self.puzzle))) if how.solution == "random" else 0
        return self.expert(steps=how.steps, choice=choice, equation=how.equation)

    def wrong(self, failure: str, rng: np.random.Generator) -> str | None:
        kind, shape = Failure(failure), answer_shape(self.puzzle)
        return self.wrong_in_format(shape, kind, lambda: wrong_answer(self.puzzle, kind, rng), rng)

    @property
    def cluster(self) -> str:
        """The value multiset and the target: hands that share them are one problem, with one formula."""
        return self.puzzle.problem

    @property
    def difficulty_measures(self) -> dict[str, int]:
        """Return ``solutions`` and ``difficulty``, its level; -1 where neither a table nor the settings tell."""
        puzzle = self.puzzle
        solutions, level = (difficulty_of if self.counted else looked_up)(
            puzzle.numbers, puzzle.target, puzzle.operators
        )
        return {"solutions": solutions, "difficulty": level}

    @property
    def best_reward(self) -> float:
        return self.rewards.correct if isinstance(self.rewards, GeneralPointsRewards) else super().best_reward

    @property
    def facts(self) -> Puzzle:
        """The puzzle: reward functions under test are called with it."""
        return self.puzzle

    def info(self, solved: bool) -> dict[str, Any]:
        """Return, with ``vision``, the suits (a letter for each card) and the jitter."""
        if not self.vision:
            return {}
        return {"suits": "".join([card[-1] for card in self.puzzle.cards]), "jitter": self.jitter}

    def row(self) -> dict[str, Any]:
        """Return the columns of ``GeneralPointsRow``, and ``values``: the cards' numbers under ``rule``."""
        rewards = plain_rewards(self.rewards)
        row = GeneralPointsRow(
            cards=self.puzzle.cards,
            rule=self.puzzle.rule,
            target=self.puzzle.target,
            stated_rule=self.puzzle.stated_rule,
            operators=self.puzzle.operators,
            plain_numbers=self.puzzle.plain_numbers,
            vision=self.vision,
            rewards=self.rewards,
            strict=self.strict,
            reasoning_tags=self.reasoning_tags,
            attempts=self.attempts,
            phrasing=self.phrasing,
            jitter=self.jitter,
        )
        return {
            "instance": self.instance,
            "values": list(self.puzzle.values),
            **row.model_dump(mode="json", exclude={"instance"}),
            "rewards": rewards,
            **self.wording.columns(),
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        read = GeneralPointsRow.read(row)
        return cls(
            puzzle=read.puzzle,
            vision=read.vision,
            attempts=read.attempts,
            phrasing=read.phrasing,
            rewards=read.rewards,
            strict=read.strict,
            reasoning_tags=read.reasoning_tags,
            jitter=read.jitter,
            wording=Wording.from_row(PlainRow(row), cls.slots),
        )
