"""Every solving tree over 1..13 is accepted, trees that miss are rejected, and sympy agrees throughout."""

import random
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import combinations, combinations_with_replacement

import pytest
import sympy

from verienv.arithmetic.expression import Expression
from verienv.generalpoints import PRESETS, Puzzle, formula_failure, parse_formula
from verienv.generalpoints.cards import RANKS

Tree = tuple[int | str, ...]  # in postfix order, which is the tree
ACCEPTED = {
    "ten": 20_611,
    "rank": 53_282,
    "five": 20_611,
    "six": 20_611,
    "seven": 20_611,
    "eight": 20_611,
    "nine": 20_611,
    "eleven": 27_328,
    "twelve": 33_034,
    "thirteen": 27_321,
    "five_six_seven": 20_611,
    "eight_nine_ten": 20_611,
    "seven_nine_eleven": 27_328,
    "reversed": 53_282,
}
"""Solving trees whose values some hand has under the rule."""
HANDS = list(combinations_with_replacement(range(1, 14), 4))


def splits(values: tuple[int, ...]) -> set[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The distinct ways to give some values to the left of an operator and the others to its right."""
    places = range(len(values))
    return {
        (tuple(values[i] for i in left), tuple(values[i] for i in places if i not in left))
        for size in range(1, len(values))
        for left in combinations(places, size)
    }


@cache
def trees(values: tuple[int, ...]) -> dict[Fraction, list[Tree]]:
    """Every distinct binary tree over at most three values, by its exact value."""
    if len(values) == 1:
        return {Fraction(values[0]): [values]}
    found: dict[Fraction, list[Tree]] = {}
    for left, right in splits(values):
        for a, left_trees in trees(left).items():
            for b, right_trees in trees(right).items():
                results = {"+": a + b, "-": a - b, "*": a * b} | ({"/": a / b} if b else {})
                for operator, value in results.items():
                    found.setdefault(value, []).extend((*x, *y, operator) for x in left_trees for y in right_trees)
    return found


def solving(values: tuple[int, ...], target: int = 24) -> Iterator[Tree]:
    """Every distinct binary tree over ``values`` that makes ``target``, found without the library."""
    for left, right in splits(values):
        for b, right_trees in trees(right).items() if len(right) <= 2 else ():
            lefts = {"+": target - b, "-": target + b} | ({"*": target / b, "/": target * b} if b else {})
            for operator, a in lefts.items():
                yield from ((*x, *y, operator) for x in trees(left).get(a, ()) for y in right_trees)
        for a, left_trees in trees(left).items() if len(right) > 2 else ():
            rights = {"+": target - a, "-": a - target} | ({"*": target / a, "/": a / target} if a else {})
            for operator, b in rights.items():
                yield from ((*x, *y, operator) for x in left_trees for y in trees(right).get(b, ()))


def by_sympy(tree: Tree) -> sympy.Expr | None:
    """The value by sympy's arithmetic; None where a step has none (sympy itself goes on: 1/zoo is 0)."""
    stack: list[sympy.Expr] = []
    for item in tree:
        if isinstance(item, int):
            stack.append(sympy.Integer(item))
        else:
            right, left = stack.pop(), stack.pop()
            if item == "+":
                stack.append(left + right)
            elif item == "-":
                stack.append(left - right)
            else:
                stack.append(left * right if item == "*" else left / right)
        if not stack[-1].is_finite:
            return None
    return stack[0]


@pytest.fixture(scope="module")
def solving_trees() -> dict[tuple[int, ...], list[Tree]]:
    return {values: found for values in HANDS if (found := list(solving(values)))}


def hand_under(rule: str, values: tuple[int, ...]) -> Puzzle | None:
    """A hand with these values under the rule, of face cards where they will do; None if there is none."""
    worth = PRESETS[rule].values
    ranks = {worth[rank]: rank for rank in RANKS}
    return Puzzle([ranks[value] for value in values], rule) if all(value in ranks for value in values) else None


def test_there_are_53282_solving_trees_over_1362_hands(solving_trees):
    assert len(solving_trees) == 1362
    assert sum(map(len, solving_trees.values())) == 53_282
    assert all(len(set(found)) == len(found) for found in solving_trees.values())


@pytest.fixture(scope="module")
def formulas(solving_trees) -> dict[tuple[int, ...], list[tuple[str, str]]]:
    """Each solving tree, minimal and full."""
    expressions = {values: map(Expression, found) for values, found in solving_trees.items()}
    return {values: [(one.minimal(), one.full()) for one in each] for values, each in expressions.items()}


def count_accepted(rule, formulas, every=1):
    """How many solving trees the hands under the rule have; of each hand one in ``every`` is tried, from the first."""
    accepted = 0
    for values, found in formulas.items():
        puzzle = hand_under(rule, values)
        if puzzle is None:
            continue
        assert puzzle.values == values
        for minimal, full in found[::every]:
            assert formula_failure(minimal, puzzle) == ""
            assert formula_failure(full, puzzle) == ""
        accepted += len(found)
    return accepted


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        pytest.param(rule, count, marks=[] if rule == "rank" else pytest.mark.slow)  # it has all values from 1 to 13
        for rule, count in ACCEPTED.items()
    ],
)
def test_every_solving_tree_is_accepted_minimal_and_parenthesised(rule, count, formulas):
    assert count_accepted(rule, formulas) == count


@pytest.mark.parametrize(("rule", "count"), ACCEPTED.items())
def test_a_tenth_of_the_solving_trees_of_every_hand_is_accepted_under_its_rule(rule, count, formulas):
    assert count_accepted(rule, formulas, every=10) == count


def test_the_proof_covers_every_preset_rule():
    assert list(ACCEPTED) == list(PRESETS)


def test_printed_trees_read_back_with_their_value_and_the_full_print_keeps_the_tree(solving_trees):
    for found in solving_trees.values():
        for tree in found:
            expression = Expression(tree)
            assert parse_formula(expression.full()).expression.postfix == tree
            top, bottom = parse_formula(expression.minimal()).expression.fraction()
            assert top == 24 * bottom


def test_sympy_agrees_that_every_solving_tree_makes_24(solving_trees):
    for found in solving_trees.values():
        for tree in found:
            assert by_sympy(tree) == 24


def test_trees_that_miss_24_are_rejected_and_sympy_agrees():
    rng = random.Random(20250117)
    for _ in range(20_000):
        values = tuple(rng.randint(1, 13) for _ in range(4))
        tree = random_tree(values, rng)
        value = by_sympy(tree)
        expected = "division_by_zero" if value is None else ("" if value == 24 else "wrong_value")
        puzzle = hand_under("rank", values)
        expression = Expression(tree)
        assert formula_failure(expression.minimal(), puzzle) == expected
        assert formula_failure(expression.full() + "=24", puzzle) == expected


def random_tree(values: tuple[int, ...], rng: random.Random) -> Tree:
    parts: list[Tree] = [(value,) for value in values]
    while len(parts) > 1:
        at = rng.randrange(len(parts) - 1)
        parts[at : at + 2] = [(*parts[at], *parts[at + 1], rng.choice("+-*/"))]
    return parts[0]


def test_solving_trees_fail_for_every_other_hand_of_a_sample(solving_trees):
    rng = random.Random(7)
    hands = list(solving_trees)
    for _ in range(5000):
        values, other = rng.sample(hands, 2)
        formula = Expression(rng.choice(solving_trees[values])).minimal()
        assert formula_failure(formula, hand_under("rank", other)) == "wrong_numbers"
