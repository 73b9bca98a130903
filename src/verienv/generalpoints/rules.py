"""The rule: what J, Q and K count."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache, cached_property
from itertools import product
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from verienv.core.config import validate
from verienv.core.shown import shown
from verienv.generalpoints.cards import FACES, RANK_NUMBER


class FaceRule(BaseModel):
    """The numbers of the three face cards, each from 1 to 99. The ace counts 1, a number card its number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    J: int = Field(ge=1, le=99, strict=True)
    Q: int = Field(ge=1, le=99, strict=True)
    K: int = Field(ge=1, le=99, strict=True)

    @classmethod
    def of(cls, rule: RuleLike) -> FaceRule:
        """The rule meant by a preset's name, a mapping of J, Q and K, or a FaceRule.

        Raises:
            ValueError: names the presets, or the face card that is missing or wrong.
        """
        if isinstance(rule, FaceRule):
            return rule
        if isinstance(rule, str):
            if rule in PRESETS:
                return PRESETS[rule]
            raise ValueError(
                f"rule={shown(rule)} is not a preset; use one of {', '.join(PRESETS)}, or a mapping such as "
                '{"J": 11, "Q": 12, "K": 13}'
            )
        if isinstance(rule, Mapping):
            missing = [face for face in FACES if face not in rule]
            if missing:
                raise ValueError(
                    f"rule={shown(dict(rule))} gives no number for {', '.join(missing)}; give all of J, Q and K"
                )
            return validate(cls, dict(rule), "rule")
        raise ValueError(f"rule={shown(rule)}: expected a preset's name or a mapping of J, Q and K to numbers")

    @property
    def name(self) -> str:
        """The preset's name, else "J=5,Q=6,K=7"."""
        return next((name for name, rule in PRESETS.items() if rule == self), f"J={self.J},Q={self.Q},K={self.K}")

    @cached_property
    def values(self) -> Mapping[str, int]:
        """Every rank's number under this rule; shared, not to be changed."""
        return RANK_NUMBER | {"J": self.J, "Q": self.Q, "K": self.K}

    @cached_property
    def text(self) -> str:
        """ "J = 10, Q = 10, K = 10", as the prompts say it."""
        return ", ".join(f"{face} = {self.values[face]}" for face in FACES)


RuleLike = str | Mapping[str, int] | FaceRule


def _preset(jack: int, queen: int, king: int) -> FaceRule:
    return FaceRule(J=jack, Q=queen, K=king)


PRESETS: dict[str, FaceRule] = {
    "ten": _preset(10, 10, 10),
    "rank": _preset(11, 12, 13),
    "five": _preset(5, 5, 5),
    "six": _preset(6, 6, 6),
    "seven": _preset(7, 7, 7),
    "eight": _preset(8, 8, 8),
    "nine": _preset(9, 9, 9),
    "eleven": _preset(11, 11, 11),
    "twelve": _preset(12, 12, 12),
    "thirteen": _preset(13, 13, 13),
    "five_six_seven": _preset(5, 6, 7),
    "eight_nine_ten": _preset(8, 9, 10),
    "seven_nine_eleven": _preset(7, 9, 11),
    "reversed": _preset(13, 12, 11),
}
"""Rules by name. "ten" is the paper's training rule, "rank" its out-of-distribution rule; the others appear in
published variations of the task or are permutations of those."""

AnyRule = Literal["any"]
"""The name of a rule that is drawn with each hand, one of ``rules_but``."""


def rules_but(held_out: Collection[FaceRule]) -> list[FaceRule]:
    """Return the 729 rules in which J, Q and K count 5 to 13 each, less those held out. Raises ValueError for none."""
    found = [rule for rule in _every_rule() if rule not in held_out]
    if not found:
        raise ValueError("held_out_rules leave none for rule='any'; hold out fewer")
    return found


@cache
def _every_rule() -> tuple[FaceRule, ...]:
    return tuple(FaceRule(J=jack, Q=queen, K=king) for jack, queen, king in product(range(5, 14), repeat=3))
