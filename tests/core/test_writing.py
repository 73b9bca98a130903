"""Options of the expert, which a task of one's own may have."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.core.next_number import NextNumber, NextNumberEnv, NextNumberTask

import verienv
from verienv.core.writing import Writing


@dataclass(frozen=True, kw_only=True)
class Padded(Writing):
    spaces: int = 0
    some: bool = False


@dataclass(frozen=True, kw_only=True)
class PaddedNumber(NextNumber):
    writing = Padded

    def judge(self, response: str) -> verienv.Verdict:
        return super().judge(response.strip())

    def demonstration(self, how: Any, rng: np.random.Generator) -> str:
        spaces = int(rng.integers(1, 1 + how.spaces)) if how.some else how.spaces
        return " " * spaces + self.expert(steps=how.steps)


class PaddedEnv(NextNumberEnv):
    def deal(self, rng: np.random.Generator, instance: str | None = None) -> Any:
        return PaddedNumber(number=int(rng.integers(50)), attempts=self.config.attempts)


class PaddedTask(NextNumberTask):
    name, title, column = "padded", "Padded", "padding"
    environments: ClassVar = {"tests/Padded-v0": "tests.core.test_writing:PaddedEnv"}
    question = PaddedNumber


PaddedEnv.task = PaddedTask()


def spaces(**options: Any) -> list[int]:
    rows = verienv.demonstrations("tests/Padded-v0", n=9, **options)
    texts = [row["completion"][0]["content"] for row in rows]
    return [len(text) - len(text.lstrip()) for text in texts]


@pytest.mark.usefixtures("listed")
def test_a_task_of_one_s_own_names_its_options_and_needs_nothing_else() -> None:
    verienv.register_task(PaddedEnv.task)
    assert spaces() == [0] * 9
    assert spaces(spaces=2, most=10) == [2] * 9
    drawn = spaces(spaces=8, some=True)
    assert len(set(drawn)) > 2
    assert spaces(spaces=8, some=True) == drawn


@pytest.mark.usefixtures("listed")
def test_an_option_of_another_task_is_refused_with_those_that_there_are() -> None:
    verienv.register_task(PaddedEnv.task)
    with pytest.raises(ValueError, match=r"Padded's expert has no such option; its options are spaces, some"):
        spaces(solution="random")


def test_a_flag_is_true_or_false() -> None:
    with pytest.raises(ValueError, match="some='yes': expected True or False"):
        Padded(some="yes")  # type: ignore[arg-type]
