"""The row that a question of GeneralPoints travels as."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from verienv.arithmetic.operators import OPERATORS, parse_operators
from verienv.core.config import ReasoningTags, validate
from verienv.core.plain import PlainRow
from verienv.core.reasoning import REASONING_TAGS
from verienv.core.shown import shown
from verienv.core.verdict import OwnRewards
from verienv.generalpoints.phrasings import PHRASINGS
from verienv.generalpoints.puzzle import Puzzle, read_instance
from verienv.generalpoints.rewards import REWARDS, GeneralPointsRewards
from verienv.generalpoints.rules import FaceRule

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
    rewards: Annotated[GeneralPointsRewards | OwnRewards, BeforeValidator(GeneralPointsRewards.of)] = REWARDS["paper"]
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
