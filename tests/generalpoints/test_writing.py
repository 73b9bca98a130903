"""How the expert of GeneralPoints writes its demonstrations."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from verienv.arithmetic.solver import solutions
from verienv.demos import demonstrations
from verienv.generalpoints import GeneralPointsQuestion, Puzzle
from verienv.generalpoints.answers import GeneralPointsWriting

ENV_ID = "verienv/GeneralPoints-L-v0"
HAND = Puzzle(("4", "3", "2", "K"))


def formulas(**options: Any) -> list[str]:
    rows = demonstrations(ENV_ID, **{"n": 8, **options})
    return [json.loads(row["completion"][0]["content"])["formula"] for row in rows]


def test_a_random_solution_is_each_of_them_equally_often() -> None:
    question, rng = GeneralPointsQuestion.of(HAND), np.random.default_rng(0)
    how = GeneralPointsWriting(solution="random")
    found = Counter(json.loads(question.demonstration(how, rng))["formula"] for _ in range(6000))
    expected = [expression.minimal() for expression in solutions(HAND.values, 24)]
    assert set(found) == set(expected)
    share = 6000 / len(expected)
    chi_square = sum((found[formula] - share) ** 2 / share for formula in expected)
    assert chi_square < len(expected) + 4 * (2 * len(expected)) ** 0.5


def test_the_solution_of_a_row_depends_on_the_seed_and_its_number_alone() -> None:
    whole = formulas(solution="random", seed=3)
    assert formulas(solution="random", seed=3, n=3) == whole[:3]
    assert whole != formulas(seed=3)


def test_a_random_solution_leaves_hands_and_wrong_attempts_as_they_are() -> None:
    shortest = demonstrations(ENV_ID, "revision", n=8)
    other = demonstrations(ENV_ID, "revision", n=8, solution="random")
    assert [row["prompt"] for row in shortest] == [row["prompt"] for row in other]


def test_an_equation_is_the_formula_and_the_target() -> None:
    assert formulas(equation=True, target=36) == [f"{formula}=36" for formula in formulas(target=36)]


@pytest.mark.parametrize("env_id", [ENV_ID, "verienv/GeneralPoints-VL-v0"])
@pytest.mark.parametrize("kind", ["sft", "revision", "preference"])
def test_both_go_with_steps_and_every_kind(env_id: str, kind: Any) -> None:
    rows = demonstrations(env_id, kind, n=3, steps=True, solution="random", equation=True, split="rule_ood")
    assert [row["reward"] for row in rows] == [5.0] * 3


def test_where_the_stated_rule_is_another_the_solution_is_of_the_scored_one() -> None:
    for row in demonstrations(ENV_ID, n=5, rule="ten", stated_rule="rank", solution="random", equation=True):
        assert row["reward"] == 5.0


@pytest.mark.parametrize(
    ("env_id", "options", "message"),
    [
        (ENV_ID, {"solution": "longest"}, "solution='longest': expected one of shortest, random"),
        (ENV_ID, {"solution": ["random"]}, r"solution=\['random'\]: expected one of"),
        (ENV_ID, {"equation": 1}, "equation=1: expected True or False"),
        (ENV_ID, {"steps": "no"}, "steps='no': expected True or False"),
        (ENV_ID, {"solutoin": "random"}, "unknown setting 'solutoin'"),
        (ENV_ID, {"equations": True}, "unknown setting 'equations'.*did you mean 'equation', an option of the expert"),
        ("verienv/VIRL-L-v0", {"solution": "random"}, "V-IRL's expert has no such option; it has one way to answer"),
    ],
)
def test_wrong_options_are_told_at_once(env_id: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        demonstrations(env_id, **options)
