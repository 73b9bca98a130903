"""The question of GeneralPoints, in words or with a picture, and the row it travels as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from verienv.arithmetic.operators import OPERATORS, parse_operators
from verienv.core.config import ReasoningTags, validate
from verienv.core.plain import PlainRow
from verienv.core.question import Picture, Question, check_fields, check_phrasing
from verienv.core.reasoning import REASONING_TAGS, parse_reasoning_tags
from verienv.core.shown import shown
from verienv.core.verdict import Verdict
from verienv.core.writing import Writing
from verienv.generalpoints.answers import GeneralPointsWriting, expert_answer, solution_count, wrong_answer
from verienv.generalpoints.difficulty import difficulty_of, looked_up
from verienv.generalpoints.prompts import PHRASINGS, phrasings_of, write_question
from verienv.generalpoints.puzzle import Puzzle, read_instance
from verienv.generalpoints.rules import FaceRule
from verienv.generalpoints.verifier import REWARDS, Failure, GeneralPointsRewards, RewardsLike, verify

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

    puzzle: Puzzle
    attempts: int = 5
    phrasing: int = 0
    rewards: GeneralPointsRewards = REWARDS["paper"]
    strict: bool = False
    reasoning_tags: tuple[str, ...] = REASONING_TAGS
    jitter: int = 0
    table: Table | None = field(default=None, compare=False, repr=False)
    counted: bool = field(default=False, compare=False, repr=False)

    writing = GeneralPointsWriting

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self, ("puzzle", Puzzle), ("rewards", GeneralPointsRewards))
        check_phrasing(self, len(phrasings_of(self.puzzle)))

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
        )

    @property
    def instance(self) -> str:
        """Ranks and target, such as "generalpoints:4-3-2-K:24"."""
        return self.puzzle.id

    @property
    def prompt(self) -> str:
        return write_question(self.puzzle, self.phrasing, vision=self.vision)

    @property
    def pictures(self) -> list[Picture]:
        if self.table is None:
            return []
        picture = self.table.draw(self.puzzle.cards, self.jitter)
        picture.flags.writeable = False
        return [picture]

    def judge(self, response: str) -> Verdict:
        return verify(
            response,
            self.puzzle,
            vision=self.vision,
            rewards=self.rewards,
            strict=self.strict,
            reasoning_tags=self.reasoning_tags,
        )

    def expert(self, *, steps: bool = False, choice: int = 0, equation: bool = False) -> str:
        """Write the answer with the shortest solution under the scored rule, its ``number`` under the stated one.

        Args:
            steps: write the derivation first.
            choice: which solution, from 0 for the shortest, taken modulo their number.
            equation: write the target after the formula.
        """
        return expert_answer(self.puzzle, choice, steps=steps, equation=equation)

    def demonstration(self, how: Writing, rng: np.random.Generator) -> str:
        if not isinstance(how, GeneralPointsWriting):
            return self.expert(steps=how.steps)
        choice = int(rng.integers(solution_count(self.puzzle))) if how.solution == "random" else 0
        return self.expert(steps=how.steps, choice=choice, equation=how.equation)

    def wrong(self, failure: str, rng: np.random.Generator) -> str | None:
        return wrong_answer(self.puzzle, Failure(failure), rng)

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
        return self.rewards.correct

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
        )


_Rule = Annotated[FaceRule, BeforeValidator(FaceRule.of)]


class GeneralPointsRow(BaseModel):
    """The columns of a row. All but ``cards`` have defaults, so that a table of one's own may hold no more than hands.

    Attributes:
        cards: ranks, with or without suits; they may be left out where ``instance`` is given.
        rule: what J, Q and K count: a mapping such as {"J": 11, "Q": 12, "K": 13}, or a preset's name.
        target: what to make.
        stated_rule: the rule that the prompt states, if it is not ``rule``.
        operators: those that a formula may use, such as "+*".
        plain_numbers: whether ``cards`` are integers in place of cards, as texts or not.
        vision: whether the cards were shown as a picture.
        rewards: the table of rewards: a mapping, or a preset's name.
        strict: whether plain JSON alone is read.
        reasoning_tags: the tags around reasoning, which is no answer: a pair, or an empty list for none.
        attempts: answers allowed.
        phrasing: which phrasing of the question, 0 for the default.
        jitter: the seed of the picture's chances.
        instance: the puzzle's id, checked against the cards where both are given.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    cards: tuple[str, ...]
    rule: _Rule = FaceRule(J=10, Q=10, K=10)
    target: int = Field(default=24, strict=True)
    stated_rule: _Rule | None = None
    operators: Annotated[str, BeforeValidator(parse_operators)] = OPERATORS
    plain_numbers: bool = Field(default=False, strict=True)
    vision: bool = Field(default=False, strict=True)
    rewards: Annotated[GeneralPointsRewards, BeforeValidator(GeneralPointsRewards.of)] = GeneralPointsRewards()
    strict: bool = Field(default=False, strict=True)
    reasoning_tags: ReasoningTags = REASONING_TAGS
    attempts: int = Field(default=5, ge=1, le=64, strict=True)
    phrasing: int = Field(default=0, ge=0, lt=len(PHRASINGS), strict=True)
    jitter: int = Field(default=0, ge=0, lt=2**64, strict=True)
    instance: str | None = None

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        """Read a mapping: columns of other names are ignored, and None (a table's null) is the default.

        Raises:
            ValueError: names the column that is missing or wrong.
        """
        given = PlainRow(row).given(cls)
        if "cards" not in given and "instance" in given:
            puzzle = read_instance(given["instance"])
            told = {"cards": puzzle.ranks, "target": puzzle.target, "plain_numbers": puzzle.plain_numbers}
            given = {**told, **given}
        if given.get("plain_numbers") is True and isinstance(given.get("cards"), list | tuple):
            given["cards"] = [str(number) if type(number) is int else number for number in given["cards"]]
        return validate(cls, given, "GeneralPoints row")

    @model_validator(mode="after")
    def _is_a_puzzle(self) -> Self:
        if self.instance not in (None, self.puzzle.id):
            raise ValueError(
                f"instance={shown(self.instance)} is another puzzle than cards and target, {self.puzzle.id!r}"
            )
        return self

    @cached_property
    def puzzle(self) -> Puzzle:
        """The puzzle that the columns spell."""
        return Puzzle(self.cards, self.rule, self.target, self.stated_rule, self.operators, self.plain_numbers)
