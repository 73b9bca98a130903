"""Verdict: the judgement of a response, priced by a RewardTable."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from math import fsum, isfinite
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from verienv.core.config import validate
from verienv.core.registered import Own, how_to_register
from verienv.core.shown import shown

Metric = bool | int | float

LARGEST_PRICE = 1e12
"""The largest price of a response: even in single precision a sum of squares over a training run stays finite."""


FUNCTION = "function"
"""The key of a function's name in the ``rewards`` of a row: a column of a table holds mappings alone."""


class Verdict(BaseModel):
    """The judgement of one response, complete enough to be an audit line.

    Attributes:
        reward: finite; what the reward table pays for the category of this response.
        is_correct: whether the response solves the instance.
        failure: "" if correct, else the kind of failure, one of those in the task's ``Measures``.
        feedback: one line of printable ASCII for the policy. It never holds a solution, part of one, or
            words of the policy's own.
        reason: one line for people: what was checked and why it came out so.
        answer: the fields read from the response, ``{}`` when none could be read. JSON-serialisable.
        metrics: the task's measures of this response, each of one fixed type.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reward: FiniteFloat
    is_correct: bool
    failure: str = ""
    feedback: str = ""
    reason: str = ""
    answer: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, Metric] = Field(default_factory=dict)


def total(rewards: Iterable[float]) -> float:
    """Return the sum of rewards, finite for any: one that no float can hold is the largest float of its sign."""
    summed = list(rewards)
    if isfinite(found := sum(summed)):
        return float(found)
    scale = 2.0**-64  # of more rewards than any episode has
    found = fsum(reward * scale for reward in summed) / scale
    return max(-sys.float_info.max, min(sys.float_info.max, found))


class RewardTable(BaseModel):
    """A price for every category of response. Subclassed by each task, with its presets.

    A field is a number, or a word for how faults are counted; a table is immutable. Where a user may choose a table
    they may give the name of a preset, a table, or a plain dict: of every field, or of some and ``"base"``, the preset
    that says what the rest pays: ``{"base": "binary", "correct": 2.0}``. A field in ``optional`` need not be named, and
    is written only where it is not its default.

    A table with a field ``correct`` pays no wrong answer more than a right one. As much is allowed: a table that pays
    all alike is a control.

    Raises:
        ValueError: for a price that is not finite, or so large that sums of rewards or of their squares might not be;
            for one above ``correct``; for a penalty below 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    presets: ClassVar[Mapping[str, RewardTable]] = {}
    penalties: ClassVar[frozenset[str]] = frozenset()
    """The fields that are taken off a price, and are none themselves."""
    optional: ClassVar[frozenset[str]] = frozenset()
    """The fields that a table may leave out: their defaults change nothing."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        prices = {name: getattr(self, name) for name in type(self).model_fields if name not in self._unsaid()}
        numbers = {name: price for name, price in prices.items() if isinstance(price, int | float)}
        for name, price in numbers.items():
            if not abs(price) <= LARGEST_PRICE:  # NaN too
                raise ValueError(
                    f"{name}={price!r}: expected a number from -{LARGEST_PRICE:g} to {LARGEST_PRICE:g}, so that sums "
                    "of rewards stay finite"
                )
            if name in self.penalties and price < 0:
                raise ValueError(
                    f"{name}={price!r}: a penalty is taken off, so that one below 0 would pay for the fault; give it "
                    f"as {-price!r}, or 0 for none"
                )
            if name not in self.penalties and price > numbers.get("correct", price):
                raise ValueError(
                    f"{name}={price!r}: a wrong answer would be paid more than a right one (correct="
                    f"{numbers['correct']!r}); give at most that, or raise correct"
                )
        return self

    @model_serializer(mode="wrap")
    def _write(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        unsaid = self._unsaid()
        return {name: value for name, value in write(self).items() if name not in unsaid}

    def _unsaid(self) -> set[str]:
        return {name for name in self.optional if getattr(self, name) == type(self).model_fields[name].default}

    @classmethod
    def of(cls, rewards: Rewards) -> Self | OwnRewards:
        """Return the table or function meant by ``rewards``. Raises ValueError that names presets, or the fault."""
        if isinstance(rewards, cls):
            return rewards
        if not isinstance(rewards, RewardTable | Mapping) and (own := OwnRewards.of(rewards)):
            return own
        if isinstance(rewards, str):
            return cls._preset(rewards, "rewards")
        if isinstance(rewards, Mapping) and isinstance(rewards.get(FUNCTION), str):
            return cls.of(rewards[FUNCTION])
        if isinstance(rewards, Mapping):
            given = {name: price for name, price in rewards.items() if price is not None or name not in cls.optional}
            base = cls._preset(given.pop("base"), 'rewards["base"]').model_dump() if "base" in given else {}
            missing = [name for name in cls.model_fields if name not in base | given and name not in cls.optional]
            unknown = [name for name in given if name not in cls.model_fields]  # told first: perhaps one misspelled
            if missing and not unknown:
                raise ValueError(
                    f"rewards={shown(rewards)}: nothing says what {', '.join(missing)} "
                    f"{'pays' if len(missing) == 1 else 'pay'}; name {'it' if len(missing) == 1 else 'them'} too"
                    + (f', or take the rest from a preset: add "base": {cls._choices()}' if cls.presets else "")
                )
            return validate(cls, base | given, "rewards")
        raise ValueError(f"rewards={shown(rewards)}: expected a preset's name, a {cls.__name__} or a dict")

    @classmethod
    def _preset(cls, name: Any, what: str) -> Self:
        table = cls.presets.get(name) if isinstance(name, str) else None
        if isinstance(table, cls):
            return table
        raise ValueError(
            f"{what}={shown(name)} is not a preset; use one of {', '.join(cls.presets)}"
            + (
                f", a {cls.__name__}, a dict of {', '.join(cls.model_fields)}, or a function"
                + how_to_register("rewards", name)
                if what == "rewards"
                else ""
            )
        )

    @classmethod
    def _choices(cls) -> str:
        return " or ".join(f'"{name}"' for name in cls.presets)


class OwnRewards(Own):
    """A function of the user's own: from a verdict to a finite number. The verdict's reward is 1 or 0."""

    kind = "rewards"
    setting = "rewards"

    def paid(self, verdict: Verdict) -> Verdict:
        """Return a verdict with the reward that the function pays.

        Raises:
            ValueError: the function returned no finite number.
        """
        reward = self.value(verdict.model_copy(deep=True))
        try:
            number = float("nan" if isinstance(reward, str | bytes | bytearray) else reward)
        except (TypeError, ValueError, OverflowError):
            number = float("nan")
        if not abs(number) <= LARGEST_PRICE:  # NaN too
            raise ValueError(
                f"rewards={shown(self.value)} returned {shown(reward)}; expected a number from {-LARGEST_PRICE:g} to "
                f"{LARGEST_PRICE:g}"
            )
        return verdict.model_copy(update={"reward": number})


def plain_rewards(rewards: RewardTable | OwnRewards) -> Any:
    """Return rewards as plain data, a mapping: prices by category, or under "function" the name of a function.

    Raises:
        ValueError: a function has no name; says how to give it one.
    """
    return {FUNCTION: rewards.name} if isinstance(rewards, OwnRewards) else rewards.model_dump(mode="json")


Rewards = str | Mapping[str, Any] | RewardTable | Callable[[Verdict], float] | OwnRewards
"""A preset, a dict of prices, a task's table, or a function from a verdict to a finite number."""
