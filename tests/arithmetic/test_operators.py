"""Formulas with fewer operators: what the solver finds, and what the grammar refuses."""

from fractions import Fraction
from functools import cache
from itertools import chain, combinations
from typing import Any

import pytest

from verienv.arithmetic.expression import IllegalFormula, parse_formula
from verienv.arithmetic.operators import OPERATORS, parse_operators
from verienv.arithmetic.solver import is_solvable, multisets, solutions

SUBSETS = ["".join(some) for some in chain.from_iterable(combinations(OPERATORS, size) for size in (1, 2, 3, 4))]


@cache
def made(values: tuple[int, ...], operators: str) -> frozenset[Fraction]:
    """Every value of a tree over ``values``, by trying all of them."""
    if len(values) == 1:
        return frozenset([Fraction(values[0])])
    found = set()
    for size in range(1, len(values)):
        for places in combinations(range(len(values)), size):
            one = tuple(values[place] for place in places)
            other = tuple(values[place] for place in range(len(values)) if place not in places)
            for left in made(one, operators):
                for right in made(other, operators):
                    found |= {left + right} if "+" in operators else set()
                    found |= {left - right} if "-" in operators else set()
                    found |= {left * right} if "*" in operators else set()
                    found |= {left / right} if "/" in operators and right else set()
    return frozenset(found)


@pytest.mark.parametrize("operators", SUBSETS)
def test_a_hand_is_solvable_where_some_tree_of_these_operators_makes_the_target(operators: str) -> None:
    for hand in [*multisets(5, 3), (1, 2, 3, 4), (2, 3, 8, 8), (1, 1, 5, 5), (2, 2, 3, 12)]:
        for target in (0, 1, 2, 3, 10, 24):
            possible = target in made(hand, operators)
            assert is_solvable(hand, target, operators) is possible, (hand, target)
            assert bool(solutions(hand, target, operators)) is possible, (hand, target)


@pytest.mark.parametrize("operators", SUBSETS)
def test_every_solution_is_written_with_these_operators_alone(operators: str) -> None:
    for hand in [(1, 2, 3, 4), (2, 3, 8, 8), (2, 4, 4, 9), (1, 2, 2, 6), (1, 1, 4, 8)]:
        for target in (1, 2, 3, 4, 24):
            found = solutions(hand, target, operators)
            assert len({each.minimal() for each in found}) == len(found)
            for expression in found:
                read = parse_formula(expression.minimal(), operators).expression
                top, bottom = read.fraction() or (0, 1)
                assert (read.numbers, Fraction(top, bottom)) == (hand, target)


@pytest.mark.parametrize(
    ("formula", "named"), [("4-3", "-"), ("-4+3", "-"), (r"\frac{8}{2}", "/"), ("8÷2", "/"), ("4+3−1=6", "-")]
)
def test_a_formula_with_another_operator_or_sign_is_illegal_and_told_which(formula: str, named: str) -> None:
    with pytest.raises(IllegalFormula, match=rf"it uses {named}, which is not among the operators allowed, \+ \*"):
        parse_formula(formula, "+*")


def test_operators_have_one_spelling() -> None:
    assert [parse_operators(given) for given in ("*+", "+*", "/", "/*-+")] == ["+*", "+*", "/", "+-*/"]


@pytest.mark.parametrize("given", ["", "++", "+^", "plus", None, 3, ["+"], "+-*/ "])
def test_other_operators_are_refused_in_one_sentence(given: Any) -> None:
    with pytest.raises(ValueError, match=r"operators=.*: expected some of \+ - \* /, each once"):
        parse_operators(given)
