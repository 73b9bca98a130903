"""A puzzle, and how answers to it are judged, as plain columns: for libraries that carry data in tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from verienv.core.config import validated
from verienv.core.verdict import Verdict
from verienv.generalpoints.config import GeneralPointsConfig
from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.rules import FaceRule
from verienv.generalpoints.verifier import GeneralPointsRewards, RewardsLike, verify

_Rule = Annotated[FaceRule, BeforeValidator(FaceRule.of)]


class PuzzleRow(BaseModel):
    """All that judging an answer needs, so that a row of a table needs no state beside it.

    Every field but ``cards`` has a default, so that a table of one's own may hold no more than hands.

    Attributes:
        cards: ranks, with or without suits.
        rule: what J, Q and K count: a mapping such as {"J": 11, "Q": 12, "K": 13}, or a preset's name.
        target: what to make.
        stated_rule: the rule that the prompt states, if it is not ``rule``.
        vision: whether the cards were shown as a picture.
        rewards: the table of rewards: a mapping, or a preset's name.
        strict: whether plain JSON alone is read.
        attempts: answers allowed.
        instance: the puzzle's id, checked against the cards where given.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    cards: tuple[str, ...]
    rule: _Rule = FaceRule(J=10, Q=10, K=10)
    target: int = Field(default=24, strict=True)
    stated_rule: _Rule | None = None
    vision: bool = Field(default=False, strict=True)
    rewards: Annotated[GeneralPointsRewards, BeforeValidator(GeneralPointsRewards.of)] = GeneralPointsRewards()
    strict: bool = Field(default=False, strict=True)
    attempts: int = Field(default=5, ge=1, le=64, strict=True)
    instance: str | None = None

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        """The row in a mapping: columns of other names are ignored, and None (a table's null) is the default.

        Raises:
            ValueError: names the column that is missing or wrong.
        """
        given = {name: row[name] for name in cls.model_fields if row.get(name) is not None}
        return validated(cls, given, "GeneralPoints row")

    @classmethod
    def of(cls, puzzle: Puzzle, config: GeneralPointsConfig, *, vision: bool = False) -> Self:
        """The row of a puzzle dealt under ``config``, with ``vision`` one whose cards were shown as a picture."""
        return cls(
            cards=puzzle.cards,
            rule=puzzle.rule,
            target=puzzle.target,
            stated_rule=puzzle.stated_rule,
            vision=vision,
            rewards=config.rewards,
            strict=config.strict,
            attempts=config.attempts,
            instance=puzzle.id,
        )

    @model_validator(mode="after")
    def _is_a_puzzle(self) -> Self:
        if self.instance not in (None, self.puzzle.id):
            raise ValueError(f"instance={self.instance!r} is another puzzle than cards and target, {self.puzzle.id!r}")
        return self

    @cached_property
    def puzzle(self) -> Puzzle:
        """The puzzle that the columns spell."""
        return Puzzle(self.cards, self.rule, self.target, self.stated_rule)

    def columns(self) -> dict[str, Any]:
        """The fields as plain lists, mappings, numbers and texts, and ``values``: the cards' numbers under ``rule``."""
        columns = self.model_dump(mode="json")
        return {"instance": columns.pop("instance"), "values": list(self.puzzle.values), **columns}

    def judge(self, response: str, rewards: RewardsLike | None = None, strict: bool | None = None) -> Verdict:
        """The verdict on a response. ``rewards`` and ``strict`` overrule the row's own."""
        return verify(
            response,
            self.puzzle,
            vision=self.vision,
            rewards=self.rewards if rewards is None else rewards,
            strict=self.strict if strict is None else strict,
        )
