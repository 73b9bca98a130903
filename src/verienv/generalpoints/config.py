"""Settings of the environment in words, and the splits that name some of them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from verienv.arithmetic.operators import OPERATORS, parse_operators
from verienv.core.answer_format import Shape
from verienv.core.config import ReasoningTags, parse_name
from verienv.core.feedback import Kinds
from verienv.core.reasoning import REASONING_TAGS
from verienv.core.sides import Side
from verienv.core.verdict import OwnRewards
from verienv.core.worded_config import WordedConfig
from verienv.core.wording import Slots
from verienv.generalpoints.cards import Suits
from verienv.generalpoints.difficulty import Wanted, parse_counts, parse_levels
from verienv.generalpoints.mixture import (
    MOST_COMBINATIONS,
    MOST_WITH_ANY,
    Rule,
    Weighted,
    parse_cards,
    parse_held_out,
    parse_rule,
    parse_target,
    rule_shares,
    shares,
)
from verienv.generalpoints.prompts import SLOTS, SLOTS_OF_NUMBERS, kinds_of, shape_of
from verienv.generalpoints.puzzle import parse_numbers
from verienv.generalpoints.rewards import GeneralPointsRewards
from verienv.generalpoints.rules import FaceRule
from verienv.generalpoints.sampler import Dealing, FaceCards, Sampling, Solvable

SPLITS: dict[str, dict[str, Any]] = {
    "train": {"side": "train", "rule": "ten"},
    "test": {"side": "test", "rule": "ten"},
    "rule_ood": {"side": "test", "rule": "rank", "face_cards": "condition"},
}
"""The settings that each split of GeneralPoints in words stands for. "rank" is J, Q, K = 11, 12, 13."""

RULE_BY_SIDE: dict[str, dict[str, Any]] = {
    "train side, J=Q=K=10": {"split": "train"},
    "train side, 11-12-13": {"split": "rule_ood", "side": "train"},
    "test side, J=Q=K=10": {"split": "test"},
    "test side, 11-12-13": {"split": "rule_ood"},
}
"""The four cells of a table rule by side, for ``verienv.evaluate(..., splits=RULE_BY_SIDE)``."""


class GeneralPointsConfig(WordedConfig):
    """The keyword arguments of ``gym.make("verienv/GeneralPoints-L-v0", ...)``. Explicit ones beat the split's.

    ``rule``, ``target`` and ``cards`` may be several values, drawn with the hand and stated in its question: a list, a
    list of pairs [value, weight], or a mapping of values to weights, such as ``rule=["ten", "rank"]`` or
    ``target={"24": 0.9, "36": 0.1}``. Weights are positive; the three are drawn independently of each other.

    Attributes:
        split: "train", "test" or "rule_ood": names for some of the settings below (``SPLITS``).
        side: deal the hands of the "train" or the "test" side, or "all".
        rule: what J, Q and K count: a preset's name or a mapping such as {"J": 5, "Q": 6, "K": 7}; or "any", which
            draws a rule with each hand, J, Q and K from 5 to 13 each. ``rule={"ten": 0.9, "any": 0.1}`` is replay:
            training on one rule with a share of others.
        held_out_rules: rules that "any" never draws, a list; by default "rank", that of ``rule_ood``.
        stated_rule: the rule that the prompt states, if it is not to be ``rule``: the probe of a policy that
            ignores its prompt.
        solvable: "both" for hands that are solvable under rule and stated rule, "scored" for those under ``rule``.
        target: what to make, 1 to 999999.
        operators: those that a formula may use, some of "+-*/": hands that need another are not dealt.
        cards: how many cards (or numbers) are dealt, 2 to 6.
        largest_card: the largest number card, for questions in words: 14 to 19 add to a deck of 13 ranks.
        large_cards: "any", "condition" (hands with at least one card from 14 on) or "force" (one is drawn first).
        numbers: the least and the greatest of plain integers, each as likely as another, dealt in place of cards, in
            words; such as (1, 99). The settings of cards do not apply.
        sampling: "deck" (without replacement) or "iid".
        face_cards: "any", "condition" (hands with at least one face card) or "force" (one is drawn first).
        difficulty: deal hands of this level alone, or of a range of levels, such as (2, 3). Level 3: each solution
            goes through a fraction; 2: each divides; 1: there are at most 3 solutions; 0: there are more.
        solutions: deal hands with so many distinct solutions alone, such as (1, 2). These two choose within a side.
            Solutions are counted where no shipped table has them: for 4 cards that is seconds when the environment is
            made, for 5 at each reset; 6 are too many.
        suits: the suits in the deck, "all", "black" or "red"; in words they decide only which hands can occur.
        attempts: answers allowed to one puzzle, 1 to 64.
        rewards: "paper", "binary", "binary_format", "partial", "paper_code", "first_fault", a GeneralPointsRewards, a
            dict of its fields (all, or some and "base", the preset of the rest), or a function from a verdict to a
            finite number.
        prompt, system_prompt, think_first, answer_format, feedback: see ``WordedConfig``. A template must name
            ``{cards}`` (but for pictures), ``{rule}`` (but for ``numbers``) and ``{target}``, and may name ``{count}``,
            ``{operators}``, ``{attempts}`` and ``{format}``. Lines of feedback may name ``{target}``, and for some
            failures ``{used}``, ``{missing}`` (in words) and ``{value}``.
        strict: read plain JSON alone, and in other formats the spelling of the question alone.
        reasoning_tags: the tags around reasoning, which is no answer, such as ("<think>", "</think>"); None for none.
    """

    splits: ClassVar[Mapping[str, Mapping[str, Any]]] = SPLITS
    changeable: ClassVar[tuple[str, ...]] = ("difficulty", "solutions", "rule", "target")
    shape: ClassVar[Shape] = shape_of()
    kinds: ClassVar[Kinds] = kinds_of(vision=False)

    side: Side = "train"
    rule: Annotated[Rule | Weighted[Rule], BeforeValidator(parse_rule)] = FaceRule(J=10, Q=10, K=10)
    held_out_rules: Annotated[tuple[FaceRule, ...], BeforeValidator(parse_held_out)] = (FaceRule(J=11, Q=12, K=13),)
    stated_rule: Annotated[FaceRule, BeforeValidator(FaceRule.of)] | None = None
    solvable: Solvable = "both"
    target: Annotated[int | Weighted[int], BeforeValidator(parse_target)] = 24
    cards: Annotated[int | Weighted[int], BeforeValidator(parse_cards)] = 4
    operators: Annotated[str, BeforeValidator(parse_operators)] = OPERATORS
    largest_card: int = Field(default=13, ge=13, le=19, strict=True)
    large_cards: FaceCards = "any"
    numbers: Annotated[tuple[int, int] | None, BeforeValidator(parse_numbers)] = None
    sampling: Sampling = "deck"
    face_cards: FaceCards = "any"
    suits: Suits = "all"
    difficulty: Annotated[tuple[int, int] | None, BeforeValidator(parse_levels)] = None
    solutions: Annotated[tuple[int, int] | None, BeforeValidator(parse_counts)] = None
    attempts: int = Field(default=5, ge=1, le=64, strict=True)
    rewards: Annotated[GeneralPointsRewards | OwnRewards, BeforeValidator(GeneralPointsRewards.of)] = (
        GeneralPointsRewards()
    )
    strict: bool = Field(default=False, strict=True)
    reasoning_tags: ReasoningTags = REASONING_TAGS

    @field_validator("split", mode="before")
    @classmethod
    def _parse_split(cls, split: Any) -> Any:
        if split in ("visual_ood", "rule_visual_ood") and split not in cls.splits:
            raise ValueError(
                "GeneralPoints in words has no visual splits (verienv/GeneralPoints-VL-v0 has); use "
                f"{', '.join(cls.splits)}"
            )
        return parse_name(split, cls.splits)

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        self.dealings  # noqa: B018 - raises where they do not
        return self

    @property
    def slots(self) -> Slots:
        return SLOTS if self.numbers is None else SLOTS_OF_NUMBERS

    @property
    def dealing(self) -> Dealing:
        """The hands that may be dealt under these settings. Raises ValueError where there are several combinations."""
        (dealing, _), *others = self.dealings
        if others:
            raise ValueError("rule, target or cards are several values: see dealings")
        return dealing

    @property
    def dealings(self) -> list[tuple[Dealing, float]]:
        """The hands that may be dealt under each combination of rule, target and cards, and its probability."""
        rules, targets, cards = rule_shares(self.rule, self.held_out_rules), shares(self.target), shares(self.cards)
        most = MOST_WITH_ANY if len(rules) > MOST_COMBINATIONS else MOST_COMBINATIONS
        if (many := len(rules) * len(targets) * len(cards)) > most:
            raise ValueError(f"rule, target and cards make {many} combinations: expected at most {most}")
        return [
            (self._dealing(rule, target, cards), of_rule * of_target * of_cards)
            for (rule, of_rule), (target, of_target), (cards, of_cards) in product(rules, targets, cards)
        ]

    def _dealing(self, rule: FaceRule, target: int, cards: int) -> Dealing:
        return Dealing(
            count=cards,
            rule=rule,
            stated_rule=self.stated_rule or rule,
            target=target,
            sampling=self.sampling,
            face_cards=self.face_cards,
            suits=self.suits,
            side=self.side,
            solvable=self.solvable,
            operators=self.operators,
            largest_card=self.largest_card,
            large_cards=self.large_cards,
            numbers=self.numbers,
            wanted=Wanted(self.difficulty, self.solutions),
        )
