"""The expert's answers and the steps that derive them; wrong answers on purpose."""

import json
import re
from fractions import Fraction

import numpy as np
import pytest

from verienv.arithmetic.solver import multisets, solutions
from verienv.generalpoints.answers import (
    expert_answer,
    expert_expression,
    random_expression,
    write_answer,
    wrong_answer,
)
from verienv.generalpoints.cards import RANKS
from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.rules import PRESETS
from verienv.generalpoints.sampler import Dealing, hands
from verienv.generalpoints.verifier import Failure, verify

STEP = re.compile(r"(\d+|\(-?\d+(?:/\d+)?\)) ([-+*/]) (\d+|\(-?\d+(?:/\d+)?\)) = (-?\d+(?:/\d+)?)")
WRITTEN = [failure for failure in Failure if failure not in (Failure.UNCONFIRMED, Failure.MISREAD)]
SETTINGS = [("ten", "ten"), ("rank", "rank"), ("rank", "ten")]


def test_an_answer_is_the_json_that_the_prompts_ask_for() -> None:
    assert json.loads(expert_answer(Puzzle(("4", "3", "2", "K")))) == {
        "cards": ["4", "3", "2", "K"],
        "number": [4, 3, 2, 10],
        "formula": "2+10+3*4",
    }


def test_each_choice_is_another_solution_the_shortest_first() -> None:
    puzzle = Puzzle(("4", "3", "2", "K"))
    count = len(solutions(puzzle.values, 24))
    answers = [expert_answer(puzzle, choice) for choice in range(count)]
    assert len(set(answers)) == count > 1
    assert all(verify(answer, puzzle).is_correct for answer in answers)
    assert expert_answer(puzzle, count) == answers[0]
    assert len(answers[0]) == min(map(len, answers))


def test_under_a_stated_rule_the_number_follows_the_prompt_and_the_formula_the_score() -> None:
    puzzle = Puzzle(("A", "4", "6", "K"), "rank", stated_rule="ten")
    fields = json.loads(expert_answer(puzzle))
    assert fields["number"] == [1, 4, 6, 10]
    assert "13" in fields["formula"]
    verdict = verify(expert_answer(puzzle), puzzle)
    assert verdict.is_correct
    assert verdict.metrics["numbers_correct"]


def value(operand: str) -> Fraction:
    return Fraction(operand.strip("()"))


def derived(numbers: list[Fraction], lines: list[str]) -> Fraction:
    """What the written steps make: each must be true and use two numbers that are there."""
    for line in lines:
        match = STEP.fullmatch(line)
        assert match, line
        left, operator, right, result = match.groups()
        a, b, c = value(left), value(right), value(result)
        assert c == {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else None}[operator], line
        for used in (a, b):
            assert used in numbers, line
            numbers.remove(used)
        numbers.append(c)
    assert len(numbers) == 1
    return numbers[0]


def test_the_steps_of_every_hand_really_derive_the_answer() -> None:
    names = dict(enumerate(RANKS, start=1))
    derived_hands = 0
    for hand in multisets(13, 4):
        puzzle = Puzzle([names[number] for number in hand], "rank")
        for choice in range(len(solutions(hand, 24))):
            *lines, answer = expert_answer(puzzle, choice, steps=True).split("\n")
            assert len(lines) == 3
            assert derived([Fraction(number) for number in hand], lines) == 24
            assert answer == expert_answer(puzzle, choice)
            derived_hands += 1
    assert derived_hands == 4469


def test_steps_write_fractions_and_negative_numbers_in_parentheses() -> None:
    assert expert_answer(Puzzle(("3", "3", "8", "8")), steps=True).splitlines()[:3] == [
        "8 / 3 = 8/3",
        "3 - (8/3) = 1/3",
        "8 / (1/3) = 24",
    ]


def test_a_hand_without_a_solution_has_no_expert_answer() -> None:
    with pytest.raises(ValueError, match="A, A, A, A cannot make 24 under rule ten"):
        expert_expression(Puzzle(("A", "A", "A", "A")))


def test_another_hand_may_be_written_as_the_cards() -> None:
    assert json.loads(write_answer(Puzzle(("A", "2", "3")), "1+2", cards=("K",)))["cards"] == ["K"]


@pytest.mark.parametrize("failure", WRITTEN)
@pytest.mark.parametrize(("rule", "stated"), SETTINGS)
def test_a_wrong_answer_fails_as_it_is_meant_to(failure: Failure, rule: str, stated: str) -> None:
    rng, written = np.random.default_rng(0), 0
    dealt = hands(Dealing(rule=PRESETS[rule], stated_rule=PRESETS[stated]))[::9]
    for hand in dealt:
        puzzle = Puzzle(hand, rule, stated_rule=stated)
        answer = wrong_answer(puzzle, failure, rng)
        if answer is not None:
            assert verify(answer, puzzle).failure == failure, (hand, answer)
            written += 1
    assert written > 0.1 * len(dealt)


def test_only_a_division_by_zero_cannot_always_be_written() -> None:
    rng = np.random.default_rng(0)
    for hand in hands(Dealing())[::25]:
        missing = [failure for failure in WRITTEN if wrong_answer(Puzzle(hand), failure, rng) is None]
        assert set(missing) <= {Failure.DIVISION_BY_ZERO}


def test_a_misread_hand_names_another_card_and_fails_in_vision_only() -> None:
    puzzle, rng = Puzzle(("4", "3", "2", "K")), np.random.default_rng(0)
    for _ in range(20):
        answer = wrong_answer(puzzle, Failure.MISREAD, rng)
        assert answer is not None
        assert verify(answer, puzzle, vision=True).failure == Failure.MISREAD
        assert verify(answer, puzzle).is_correct


def test_nothing_fails_as_unconfirmed() -> None:
    assert wrong_answer(Puzzle(("4", "3", "2", "K")), Failure.UNCONFIRMED, np.random.default_rng(0)) is None


def test_a_false_equation_stays_false_at_the_greatest_target() -> None:
    puzzle, rng = Puzzle(("10", "10", "10", "10", "10", "10"), target=999_999), np.random.default_rng(0)
    for _ in range(50):
        answer = wrong_answer(puzzle, Failure.FALSE_EQUATION, rng)
        assert verify(str(answer), puzzle).failure == Failure.FALSE_EQUATION


def test_the_same_generator_writes_the_same_wrong_answer() -> None:
    puzzle = Puzzle(("4", "3", "2", "K"))
    for failure in WRITTEN:
        first, second = (wrong_answer(puzzle, failure, np.random.default_rng(5)) for _ in range(2))
        assert first == second


def test_a_random_expression_uses_each_value_once() -> None:
    rng = np.random.default_rng(0)
    assert all(random_expression([4, 3, 2, 10], rng).numbers == (2, 3, 4, 10) for _ in range(100))
