"""Verdict: the judgement of a response, priced by a RewardTable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from verienv.core.config import validate
from verienv.core.shown import shown

Metric = bool | int | float


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


class RewardTable(BaseModel):
    """A price for every category of response. Subclassed by each task, with its presets.

    Every field is a finite float; a table is immutable. Where a user may choose a table they may give the name
    of a preset, a table, or a plain dict of fields (the others keep the defaults).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    presets: ClassVar[Mapping[str, RewardTable]] = {}

    @classmethod
    def of(cls, rewards: str | Mapping[str, float] | RewardTable) -> Self:
        """Return the table meant by ``rewards``. Raises ValueError that names the presets or the wrong field."""
        if isinstance(rewards, cls):
            return rewards
        if isinstance(rewards, str):
            table = cls.presets.get(rewards)
            if isinstance(table, cls):
                return table
            raise ValueError(
                f"rewards={shown(rewards)} is not a preset; use one of {', '.join(cls.presets)}, a {cls.__name__}, "
                f"or a dict of {', '.join(cls.model_fields)}"
            )
        if isinstance(rewards, Mapping):
            return validate(cls, dict(rewards), "rewards")
        raise ValueError(f"rewards={shown(rewards)}: expected a preset's name, a {cls.__name__} or a dict")


Rewards = str | Mapping[str, float] | RewardTable
"""A preset, a dict of prices, or a task's table."""
