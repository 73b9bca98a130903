"""The mask over the next token is exact: brute force over all short formulas, and the limits of the grammar."""

import copy
from itertools import permutations, product

import numpy as np
import pytest

from verienv.generalpoints import IllegalFormula, parse_formula, solutions
from verienv.numeric import FormulaBuilder
from verienv.numeric.formula_builder import SYMBOLS


def is_legal(formula: str) -> bool:
    try:
        parse_formula(formula)
    except IllegalFormula:
        return False
    return True


def legal_shapes(longest: int) -> set[str]:
    """Every string of at most so many symbols that is a legal formula, "c" standing for any card: brute force."""
    return {
        "".join(symbols)
        for length in range(1, longest + 1)
        for symbols in product("c+-*/()", repeat=length)
        if is_legal(" ".join(symbols).replace("c", "7"))
    }


def assert_mask_is_exact(builder: FormulaBuilder, formulas: set[tuple[int, ...]]) -> int:
    """Walk every prefix that the mask can reach, and ask at each which tokens some formula goes on with."""
    expected: dict[tuple[int, ...], set[int]] = {}
    for formula in formulas:
        for end, token in enumerate((*formula, builder.done)):
            expected.setdefault(formula[:end], set()).add(token)
    waiting, met = [builder], 0
    while waiting:
        here = waiting.pop()
        allowed = set(np.flatnonzero(here.mask()).tolist())
        assert allowed == expected[tuple(here.tokens)], here.tokens
        met += 1
        for token in allowed - {here.done}:
            following = copy.deepcopy(here)
            following.push(token)
            waiting.append(following)
    assert met == len(expected)
    return met


def spelled(shapes: set[str], cards: int, each_once: bool) -> set[tuple[int, ...]]:
    """The formulas of these shapes in tokens, for all ways to put cards into their places."""
    found = set()
    for shape in shapes:
        places = shape.count("c")
        if each_once and places != cards:
            continue
        for chosen in permutations(range(cards)) if each_once else product(range(cards), repeat=places):
            drawn = iter(chosen)
            found.add(tuple(next(drawn) if c == "c" else cards + SYMBOLS.index(c) for c in shape))
    return found


@pytest.mark.parametrize("longest", range(1, 6))
def test_the_mask_allows_exactly_what_some_legal_formula_goes_on_with(longest: int) -> None:
    formulas = spelled(legal_shapes(longest), 3, each_once=False)
    assert assert_mask_is_exact(FormulaBuilder(3, longest), formulas) >= len(formulas)


def test_the_strict_mask_allows_exactly_what_some_formula_of_all_cards_goes_on_with() -> None:
    shapes = legal_shapes(6)
    for longest in (5, 6):
        fitting = {shape for shape in shapes if len(shape) <= longest}
        assert_mask_is_exact(FormulaBuilder(3, longest, strict=True), spelled(fitting, 3, each_once=True))


@pytest.mark.slow
def test_the_mask_is_exact_for_formulas_of_seven_tokens() -> None:
    shapes = legal_shapes(7)
    assert_mask_is_exact(FormulaBuilder(3, 7, strict=True), spelled(shapes, 3, each_once=True))
    assert assert_mask_is_exact(FormulaBuilder(3, 7), spelled(shapes, 3, each_once=False)) > 25_000


@pytest.mark.parametrize("longest", [129, 130, 131, 200])
def test_the_mask_knows_the_deepest_nesting(longest: int) -> None:
    builder = FormulaBuilder(3, longest)
    while builder.mask()[7]:
        builder.push(7)
    assert builder.depth == min(64, (longest - 1) // 2)
    builder.push(0)
    while not builder.mask()[builder.done]:
        builder.push(8)
    assert is_legal(builder.text((1, 2, 3)))
    assert longest < 129 or not is_legal(f"({builder.text((1, 2, 3))})")


def test_the_mask_knows_how_many_numbers_a_formula_may_hold() -> None:
    builder = FormulaBuilder(3, 200)
    builder.push(0)
    while builder.mask()[3]:
        builder.push(3)
        builder.push(0)
    formula = builder.text((1, 2, 3))
    assert is_legal(formula)
    assert formula.count("1") == 16
    assert not is_legal(formula + "+1")


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("cards", [3, 4, 5, 6])
def test_whatever_the_mask_lets_through_is_legal(cards: int, strict: bool) -> None:
    rng = np.random.default_rng(cards)
    numbers = tuple(range(7, 7 + cards))
    for _ in range(400):
        builder = FormulaBuilder(cards, 4 * cards, strict)
        while (token := int(rng.choice(np.flatnonzero(builder.mask())))) != builder.done:
            builder.push(token)
        assert len(builder.tokens) <= 4 * cards
        numbers_used = parse_formula(builder.text(numbers)).expression.numbers
        assert not strict or numbers_used == numbers


def test_every_solution_fits_into_the_fewest_tokens() -> None:
    for values in ((1, 2, 3), (8, 8, 3), (5, 5, 5, 1), (3, 3, 8, 8), (1, 4, 5, 6), (4, 5, 6, 7, 13)):
        builder = FormulaBuilder(len(values), 4 * len(values) - 5, strict=True)
        for solution in solutions(values, 24):
            builder.clear()
            for token in builder.tokens_of(solution.minimal(), values):
                assert builder.mask()[token]
                builder.push(token)
            assert builder.mask()[builder.done]
