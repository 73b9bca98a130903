"""Walks, a task whose episodes hold several questions, and policies that walk."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from verienv.core.config import TaskConfig
from verienv.core.env import VerifiedEnv
from verienv.core.question import Question
from verienv.core.task import Measures, Task
from verienv.core.verdict import Verdict
from verienv.evaluation import evaluate

WALK = "tests/Walk-v0"
ROUTES = ["ff", "ffr", "rf", "frrf", "ffff", "fffr", "rrr", "frf"]
MEASURES = Measures(
    failures=("wrong",),
    metrics={"is_turn": False},
    headings={
        "steps": "per step",
        "steps_per_episode": "mean per route",
        "turns": "at turns",
        "progress": "way done",
    },
    ratios={
        "steps": ("is_correct", "attempt"),
        "turns": ("is_correct", "is_turn"),
        "due": ("is_turn", "attempt"),
    },
    outcomes=("progress",),
)


@dataclass(frozen=True, kw_only=True)
class Step(Question):
    """A step of a route such as "ffrf": each letter is asked for and answered by itself."""

    route: str
    at: int = 0

    @property
    def instance(self) -> str:
        return self.route

    @property
    def prompt(self) -> str:
        return f"{self.at} of {self.route}"

    @property
    def due(self) -> str:
        return self.route[self.at]

    def judge(self, response: str) -> Verdict:
        right = response == self.due
        failure = "" if right else "wrong"
        return Verdict(reward=float(right), is_correct=right, failure=failure, metrics={"is_turn": self.due == "r"})

    def expert(self, *, steps: bool = False) -> str:
        return self.due

    def wrong(self, failure: str, rng: np.random.Generator) -> str | None:
        return "?"

    def info(self, solved: bool) -> dict[str, Any]:
        return {"progress": (self.at + solved) / len(self.route)}


class WalkTask(Task):
    name = "walk"
    title = "Walk"
    environments: ClassVar = {WALK: f"{__name__}:Walk"}
    question = Step

    def measures(self, vision: bool) -> Measures:
        return MEASURES

    def next(self, question: Question, verdict: Verdict) -> Question | None:
        if not verdict.is_correct:
            return super().next(question, verdict)
        following = question.but(at=question.at + 1, attempt=1)
        return following if following.at < len(following.route) else None


class WalkConfig(TaskConfig):
    attempts: int = Field(default=2, ge=1, le=64)


class Walk(VerifiedEnv):
    task, settings = WalkTask(), WalkConfig

    def deal(self, rng: np.random.Generator, instance: str | None = None) -> Step:
        drawn = "".join(rng.choice(list("fffr"), size=int(rng.integers(2, 9)))) if instance is None else instance
        return Step(route=drawn, attempts=self.attempts)


def straight_on(dialogues):
    return ["f"] * len(dialogues)


def turns_late(dialogues):
    """Answer right at the second attempt where a turn is due."""
    return ["r" if len(dialogue) > 1 else "f" for dialogue in dialogues]


def walked(policy, *routes, **settings):
    return evaluate(policy, WALK, {"walks": {"instances": list(routes)}}, **settings)
