"""The expert's answers and the steps that derive them."""

import json
import re
from fractions import Fraction

import pytest

from verienv.arithmetic.solver import multisets, solutions
from verienv.generalpoints.answers import expert_answer, expert_expression, write_answer
from verienv.generalpoints.cards import RANKS
from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.verifier import verify

STEP = re.compile(r"(\d+|\(-?\d+(?:/\d+)?\)) ([-+*/]) (\d+|\(-?\d+(?:/\d+)?\)) = (-?\d+(?:/\d+)?)")


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
