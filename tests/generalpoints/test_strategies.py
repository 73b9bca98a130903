"""Strategies for GeneralPoints: puzzles are as asked, formulas do what they say, all shrink to the plain."""

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from verienv.generalpoints import Puzzle, formula_failure, is_solvable, solutions
from verienv.generalpoints.strategies import failing_formulas, puzzles, solving_formulas

HAND = Puzzle(("4", "3", "2", "K"))
few = settings(max_examples=100, deadline=None, derandomize=True, database=None)


@given(
    st.data(),
    st.sampled_from([3, 4, 5]),
    st.sampled_from([None, "rank", {"J": 14, "Q": 15, "K": 16}]),
    st.integers(10, 30),
)
@few
def test_puzzles_are_solvable_and_as_asked(data, count, rule, target):
    puzzle = data.draw(puzzles(rule, target, count))
    assert len(puzzle.cards) == count
    assert puzzle.target == target
    assert rule is None or puzzle == Puzzle(puzzle.cards, rule, target)
    assert is_solvable(puzzle.values, target)


@given(st.data())
@few
def test_formulas_do_what_their_strategy_says(data):
    puzzle = data.draw(puzzles())
    assert formula_failure(data.draw(solving_formulas(puzzle)), puzzle) == ""
    assert formula_failure(data.draw(failing_formulas(puzzle)), puzzle) != ""


@pytest.mark.parametrize("failure", ["illegal", "wrong_numbers", "false_equation", "wrong_value"])
def test_failing_formulas_fail_in_every_way(failure):
    once = settings(derandomize=True, database=None, max_examples=2000)
    assert (
        find(failing_formulas(HAND), lambda formula: formula_failure(formula, HAND) == failure, settings=once)
        is not None
    )


def test_examples_shrink_to_the_plain():
    once = settings(derandomize=True, database=None)
    assert find(puzzles("ten"), lambda puzzle: True, settings=once) == Puzzle(("A", "A", "A", "8"))
    assert find(solving_formulas(HAND), lambda formula: True, settings=once) == solutions(HAND.values, 24)[0].minimal()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"target": 0}, "integer from 1"),
        ({"count": 7}, "2 to 6"),
        ({"rule": "none"}, "preset"),
        ({"target": 999_999}, "no 4 cards"),
    ],
)
def test_wrong_settings_of_puzzles_are_errors(arguments, said):
    with pytest.raises(ValueError, match=said):
        puzzles(**arguments)


def test_a_puzzle_without_solution_has_no_solving_formulas():
    with pytest.raises(ValueError, match="cannot make 24"):
        solving_formulas(Puzzle(("A", "A", "A", "A")))


def test_puzzles_may_have_fewer_operators() -> None:
    puzzle = find(puzzles(target=12, count=2, operators="*+"), lambda drawn: True)
    assert (puzzle.operators, len(puzzle.cards)) == ("+*", 2)
    assert formula_failure(find(solving_formulas(puzzle), lambda formula: True), puzzle) == ""
