"""A task of two questions an episode, for tests: say the number that follows."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from verienv.core.config import TaskConfig
from verienv.core.env import VerifiedEnv
from verienv.core.question import Question
from verienv.core.task import Measures, Task
from verienv.core.verdict import Verdict

FAILURES = ("wrong", "silent")
ENV_ID = "tests/NextNumber-v0"


@dataclass(frozen=True, kw_only=True)
class NextNumber(Question):
    """What follows a number, and then what follows that.

    Attributes:
        drawn: by chance, beside the instance.
        asked: how many questions lie behind.
        last: whether nothing follows.
    """

    number: int
    drawn: float = 0.0
    asked: int = 0
    last: bool = False

    @property
    def instance(self) -> str:
        return f"next:{self.number}"

    @cached_property
    def prompt(self) -> str:  # type: ignore[override]
        return f"What follows {self.number + self.asked}?"

    def judge(self, response: str) -> Verdict:
        right = response == self.expert()
        failure = "" if right else "wrong" if response else "silent"
        metrics = {"off_by": 0 if right else 1}
        feedback = "Yes." if right else "No."
        return Verdict(reward=float(right), is_correct=right, failure=failure, feedback=feedback, metrics=metrics)

    def expert(self, *, steps: bool = False) -> str:
        return str(self.number + self.asked + 1)

    def wrong(self, failure: str, rng: np.random.Generator) -> str | None:
        return {"wrong": "?", "silent": ""}.get(failure)

    def info(self, solved: bool) -> dict[str, Any]:
        return {"share": (self.asked + solved) / 2}


class NextNumberConfig(TaskConfig):
    splits: ClassVar[dict[str, dict[str, int]]] = {"train": {"most": 100}, "test": {"most": 10}}
    attempts: int = Field(default=3, ge=1, le=64, strict=True)
    most: int = 100


class NextNumberTask(Task):
    name, title, unit, noun, column, fields = "next", "Next number", "pair", "number", "number", ()
    environments: ClassVar[dict[str, str]] = {ENV_ID: f"{__name__}:NextNumberEnv"}
    question = NextNumber

    def measures(self, vision: bool) -> Measures:
        return Measures(failures=FAILURES, metrics={"off_by": 0}, outcomes=("share",))

    def next(self, question: Any, verdict: Verdict) -> Question | None:
        if not verdict.is_correct:
            return super().next(question, verdict)
        return None if question.asked or question.last else question.but(asked=1, attempt=1)


TASK = NextNumberTask()


class NextNumberEnv(VerifiedEnv):
    task, settings, longest_question = TASK, NextNumberConfig, 64

    def deal(self, rng: np.random.Generator, instance: str | None = None) -> NextNumber:
        if instance is None:
            number = int(rng.integers(self.config.most))
        else:
            name, _, digits = str(instance).partition(":")
            if name != "next" or not digits.isdigit():
                raise ValueError(f"instance={instance!r}: expected one such as 'next:5'")
            number = int(digits)
        return NextNumber(number=number, drawn=float(rng.random()), attempts=self.config.attempts)
