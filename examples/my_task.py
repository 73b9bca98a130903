"""Countdown, a task of your own: reach a target with some of the numbers. ``import my_task`` registers it.

Try ``verienv play my_task:mine/Countdown-v0`` in this folder. CONTRIBUTING.md, "How to add a task", walks through it.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from pydantic import Field

import verienv
from verienv.arithmetic.expression import IllegalFormula, parse_formula
from verienv.arithmetic.solver import solutions
from verienv.core.config import TaskConfig
from verienv.core.response import read_answer
from verienv.core.sides import Side, on_side
from verienv.core.task import Measures

NUMBERS, TARGETS = range(1, 26), range(26, 100)
INSTANCE = re.compile(r"countdown:([0-9]{1,2}(?:-[0-9]{1,2}){3}):([0-9]{2})")
FEEDBACK = {
    "unreadable": 'Wrong: there is no JSON object with a "formula".',
    "illegal": "Wrong: the formula is not legal.",
    "wrong_numbers": "Wrong: it uses a number that is not there, or one too often.",
    "wrong_value": "Wrong: the formula does not make the target.",
}


@lru_cache(maxsize=4096)
def solution(numbers: tuple[int, ...], target: int) -> str | None:
    """The first formula of the fewest numbers, None if there is none."""
    subsets = (some for size in range(2, len(numbers) + 1) for some in combinations(numbers, size))
    return next((found[0].minimal() for some in subsets if (found := solutions(some, target))), None)


@dataclass(frozen=True, kw_only=True)
class Countdown(verienv.Question):
    numbers: tuple[int, ...]
    target: int

    @property
    def instance(self):
        return f"countdown:{'-'.join(map(str, self.numbers))}:{self.target}"

    @property
    def prompt(self):
        numbers = ", ".join(map(str, self.numbers))
        question = f"Make {self.target} with some of {numbers}, each at most once, and + - * / ( )."
        return f'{question}\nAnswer with JSON: {{"formula": "..."}}'

    def failure(self, response):
        answer = read_answer(response, "formula")
        if answer is None:
            return "unreadable"
        try:
            expression = parse_formula(answer["formula"] if isinstance(answer["formula"], str) else "").expression
        except IllegalFormula:
            return "illegal"
        if any(expression.numbers.count(number) > self.numbers.count(number) for number in expression.numbers):
            return "wrong_numbers"
        value = expression.fraction()  # numerator and denominator; None where it divides by zero
        return "" if value and value[0] == self.target * value[1] else "wrong_value"

    def judge(self, response):
        failure = self.failure(response)
        feedback = FEEDBACK.get(failure, "Correct.")
        return verienv.Verdict(reward=float(not failure), is_correct=not failure, failure=failure, feedback=feedback)

    def expert(self, *, steps=False):
        return json.dumps({"formula": solution(self.numbers, self.target)})

    def wrong(self, failure, rng):
        one, other, *_ = rng.permutation(self.numbers).tolist()
        formulas = {"illegal": f"({one}+{other}", "wrong_numbers": f"{one}*{other}+99", "wrong_value": f"{one}"}
        return json.dumps({"formula": formulas[failure]}) if failure in formulas else f"{one} and {other}, somehow."


class CountdownConfig(TaskConfig):
    splits = {"train": {"side": "train"}, "test": {"side": "test"}}
    side: Side = "train"
    attempts: int = Field(default=3, ge=1, le=64)


class CountdownTask(verienv.Task):
    name, title, noun, column, fields = "countdown", "Countdown", "round", "numbers", ("formula",)
    environments = {"mine/Countdown-v0": f"{__name__}:CountdownEnv"}
    question = Countdown

    def measures(self, vision):
        return Measures(failures=tuple(FEEDBACK))


class CountdownEnv(verienv.VerifiedEnv):
    """Reach a target of 26 to 99 with some of four numbers from 1 to 25, each used at most once."""

    task, settings = CountdownTask(), CountdownConfig

    def deal(self, rng, instance=None):
        numbers, target = self.draw(rng) if instance is None else self.read(instance)
        return Countdown(numbers=numbers, target=target, attempts=self.config.attempts)

    def draw(self, rng):
        while True:
            numbers, target = tuple(rng.choice(NUMBERS, size=4).tolist()), int(rng.choice(TARGETS))
            key = f"countdown:{sorted(numbers)}:{target}"  # every order of the same numbers lies on one side
            if on_side([key], self.config.side) and solution(numbers, target):
                return numbers, target

    def read(self, instance):
        found = INSTANCE.fullmatch(str(instance))
        numbers, target = (tuple(map(int, found[1].split("-"))), int(found[2])) if found else ((), 0)
        if target not in TARGETS or not set(numbers) <= set(NUMBERS) or not solution(numbers, target):
            raise ValueError(f"instance={instance!r}: expected one with a solution, such as 'countdown:3-7-8-25:67'")
        return numbers, target


verienv.register_task(CountdownEnv.task)
