"""The rewards: why a response fails, what each failure costs, and the presets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from fractions import Fraction
from typing import Any, ClassVar, Literal

from pydantic import Field, FiniteFloat

from verienv.arithmetic.expression import parse_formula
from verienv.core.verdict import OwnRewards, RewardTable, Verdict, total
from verienv.generalpoints.closeness import closeness
from verienv.generalpoints.published import published_faults
from verienv.generalpoints.puzzle import Puzzle


class Failure(StrEnum):
    """Why a response does not solve the puzzle. One category each, in the order of judgement."""

    UNREADABLE = "unreadable"
    """No JSON object with a ``formula``."""
    ILLEGAL = "illegal"
    """The formula is outside the grammar, or uses an operator that the puzzle does not allow."""
    WRONG_NUMBERS = "wrong_numbers"
    """Its integers are not exactly the cards' numbers, or the plain numbers."""
    FALSE_EQUATION = "false_equation"
    """It claims to equal something other than the target."""
    DIVISION_BY_ZERO = "division_by_zero"
    WRONG_VALUE = "wrong_value"
    UNCONFIRMED = "unconfirmed"
    """sympy disagreed with our arithmetic; logged, never seen."""
    MISREAD = "misread"
    """Vision only: ``cards`` are not the cards in the picture."""


class GeneralPointsRewards(RewardTable):
    """Prices by category; the defaults are the paper's (arXiv 2501.17161, appendix A).

    In vision a misread hand pays ``min(category, 0) - misread_penalty``. A formula that solves the puzzle is right
    under every table, exactly; the fields below change what others pay, never beyond ``correct``.

    Attributes:
        faults: "category" prices the verdict's own failure; "sum" and "first" price what published code finds
            (``published_faults``): all faults added up, a misread hand then at ``-misread_penalty`` flat; or the first.
        prefix: under "sum" and "first", the price of a solution that lacks its last parenthesis.
        closeness: paid on top of ``wrong_value`` for coming nearer to the target than formulas that need no look
            at the numbers (``closeness``, from 0 to 1, times this price).
    """

    correct: FiniteFloat = 5.0
    wrong_value: FiniteFloat = -1.0
    wrong_numbers: FiniteFloat = -2.0
    illegal: FiniteFloat = -3.0
    unreadable: FiniteFloat = -3.0
    misread_penalty: FiniteFloat = 1.5
    faults: Literal["category", "first", "sum"] = "category"
    prefix: FiniteFloat = 0.0
    closeness: FiniteFloat = Field(default=0.0, ge=0)

    presets: ClassVar[Mapping[str, RewardTable]] = {}
    penalties: ClassVar[frozenset[str]] = frozenset({"misread_penalty"})
    optional: ClassVar[frozenset[str]] = frozenset({"faults", "prefix", "closeness"})

    @property
    def by_failure(self) -> bool:
        """Whether the failure alone says what a formula pays."""
        return self.faults == "category" and not self.closeness

    def price(self, failure: str) -> float:
        """The price of a formula failure, "" for a correct formula."""
        return float(getattr(self, _PRICED_AS[failure]))

    def pay(self, failure: str, formula: Any, puzzle: Puzzle) -> float:
        """The reward of a formula, the cards read right: its price, or what ``faults`` or ``closeness`` make of it."""
        if not failure or self.by_failure:
            return self.price(failure)
        if self.faults != "category":
            found = published_faults(formula, puzzle, spaces=self.faults == "first")
            counted = found if self.faults == "sum" else found[:1]
            return min(total(getattr(self, fault) for fault in counted), self.correct)
        if failure != Failure.WRONG_VALUE:
            return self.price(failure)
        value = parse_formula(formula).expression.fraction() or (0, 1)
        return min(self.wrong_value + self.closeness * closeness(Fraction(*value), puzzle), self.correct)

    def misread(self, reward: float) -> float:
        """The reward of a misread hand, by that of its formula; finite for any table."""
        reward = 0.0 if self.faults == "sum" else min(reward, 0.0)
        return max(reward - self.misread_penalty, -sys.float_info.max)


_PRICED_AS = {
    "": "correct",
    Failure.UNREADABLE: "unreadable",
    Failure.ILLEGAL: "illegal",
    Failure.WRONG_NUMBERS: "wrong_numbers",
    Failure.FALSE_EQUATION: "wrong_value",
    Failure.DIVISION_BY_ZERO: "wrong_value",
    Failure.WRONG_VALUE: "wrong_value",
    Failure.UNCONFIRMED: "wrong_value",
}

_NOTHING: dict[str, float] = {
    "wrong_value": 0.0,
    "wrong_numbers": 0.0,
    "illegal": 0.0,
    "unreadable": 0.0,
    "misread_penalty": 0.0,
}
REWARDS: dict[str, GeneralPointsRewards] = {
    "paper": GeneralPointsRewards(),
    "binary": GeneralPointsRewards(**(_NOTHING | {"correct": 1.0})),
    "binary_format": GeneralPointsRewards(**(_NOTHING | {"correct": 1.0, "unreadable": -0.1})),
    "partial": GeneralPointsRewards(**(_NOTHING | {"correct": 1.0, "closeness": 0.5})),
    "paper_code": GeneralPointsRewards(faults="sum", prefix=1.0),
    "first_fault": GeneralPointsRewards(faults="first", prefix=1.0, misread_penalty=0.0),
}
"""The presets. ``paper_code`` pays as the code of the paper does, ``first_fault`` as that of arXiv 2510.00237, but for
what is right: that is exact here. So a solution that the code misses (8/(3-8/3), by its floats; a space or a sign) is
paid in full, and one that it takes although its equation is false (=999) pays ``wrong_value``. How an answer is read,
and the cards by sight, is ours too. ``first_fault`` knows no misread price: a misread hand pays at most 0."""
GeneralPointsRewards.presets = REWARDS

RewardsLike = str | Mapping[str, Any] | GeneralPointsRewards | Callable[[Verdict], float] | OwnRewards
