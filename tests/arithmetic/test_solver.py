"""The solver, against the exact counts of the game."""

from collections import Counter
from fractions import Fraction
from itertools import permutations, product
from statistics import mean, median
from time import thread_time

import pytest

from verienv.arithmetic.expression import Expression
from verienv.arithmetic.solver import is_solvable, multisets, solutions

NON_INTEGER_ONLY = {
    (1, 3, 4, 6), (1, 4, 5, 6), (1, 5, 5, 5), (1, 6, 6, 8), (1, 8, 12, 12), (2, 2, 11, 11), (2, 2, 13, 13),
    (2, 3, 5, 12), (2, 4, 10, 10), (2, 5, 5, 10), (2, 7, 7, 10), (3, 3, 7, 7), (3, 3, 8, 8), (4, 4, 7, 7),
    (5, 5, 7, 11), (5, 7, 7, 11),
}  # fmt: skip


@pytest.fixture(scope="module")
def solved() -> dict[tuple[int, ...], tuple[Expression, ...]]:
    found = {hand: solutions(hand, 24) for hand in multisets(13, 4)}
    return {hand: expressions for hand, expressions in found.items() if expressions}


def test_1362_hands_of_values_up_to_13_have_a_solution(solved: dict[tuple[int, ...], tuple[Expression, ...]]) -> None:
    assert len(solved) == 1362


def test_the_number_of_distinct_solutions_per_hand(solved: dict[tuple[int, ...], tuple[Expression, ...]]) -> None:
    counts = {hand: len(expressions) for hand, expressions in solved.items()}
    assert sum(counts.values()) == 4469
    assert (min(counts.values()), median(counts.values()), round(mean(counts.values()), 2)) == (1, 2, 3.28)
    assert [hand for hand, count in counts.items() if count == 22] == [(1, 1, 11, 13), (1, 5, 7, 12)]
    assert max(counts.values()) == 22
    assert list(counts.values()).count(1) == 396


def test_every_solution_uses_the_hand_and_makes_the_target(
    solved: dict[tuple[int, ...], tuple[Expression, ...]],
) -> None:
    for hand, expressions in solved.items():
        for expression in expressions:
            assert expression.numbers == hand
            assert Fraction(*expression.fraction()) == 24  # type: ignore[misc]


def test_solutions_of_a_hand_are_distinct_in_print_and_shortest_first(
    solved: dict[tuple[int, ...], tuple[Expression, ...]],
) -> None:
    for expressions in solved.values():
        texts = [expression.minimal() for expression in expressions]
        assert texts == sorted(set(texts), key=lambda text: (len(text), text))


def test_sixteen_hands_need_a_non_integer_on_the_way(solved: dict[tuple[int, ...], tuple[Expression, ...]]) -> None:
    def stays_whole(expression: Expression) -> bool:
        return all("/" not in result for *_, result in expression.steps())

    assert {hand for hand, found in solved.items() if not any(map(stays_whole, found))} == NON_INTEGER_ONLY
    assert sum(hand[-1] <= 10 for hand in NON_INTEGER_ONLY) == 10


def by_hand(values: tuple[int, ...], target: int) -> set[tuple[object, ...]]:
    """The forms of all solutions of up to four values, by brute force over every tree: flat sums and products."""
    Tree = tuple[Fraction, tuple[object, ...]]

    def combine(
        kind: str, signs: str, x: tuple[object, ...], y: tuple[object, ...], turned: bool
    ) -> tuple[object, ...]:
        def parts(form: tuple[object, ...]) -> Counter[tuple[object, str]]:
            return Counter(dict(form[1])) if form[0] == kind else Counter({(form, signs[0]): 1})  # type: ignore[call-overload]

        other = parts(y)
        if turned:
            other = Counter({(form, signs[sign == signs[0]]): count for (form, sign), count in other.items()})
        return (kind, tuple(sorted((parts(x) + other).items(), key=repr)))

    def trees(numbers: tuple[int, ...]) -> list[Tree]:
        if len(numbers) == 1:
            return [(Fraction(numbers[0]), ("n", numbers[0]))]
        made: list[Tree] = []
        for cut in range(1, len(numbers)):
            for (a, x), (b, y) in product(trees(numbers[:cut]), trees(numbers[cut:])):
                made += [(a + b, combine("+", "+-", x, y, False)), (a - b, combine("+", "+-", x, y, True))]
                made.append((a * b, combine("*", "*/", x, y, False)))
                if b:
                    made.append((a / b, combine("*", "*/", x, y, True)))
        return made

    return {form for order in set(permutations(values)) for value, form in trees(order) if value == target}


@pytest.mark.parametrize("values", [(1, 1, 11, 13), (3, 3, 8, 8), (2, 4, 6, 8), (1, 2, 3, 4), (4, 4, 4, 4), (1, 2, 12)])
def test_solutions_are_all_there_and_each_once(values: tuple[int, ...]) -> None:
    assert len(solutions(values, 24)) == len(by_hand(values, 24))


def test_a_target_of_zero_is_solved_too() -> None:
    assert len(solutions((1, 2, 3), 0)) == len(by_hand((1, 2, 3), 0))
    assert is_solvable((1, 2, 3, 5), 0)
    assert not is_solvable((1, 2), 0)


@pytest.mark.parametrize(("values", "target"), [((1, 2, 3, 4, 5), 24), ((7, 7, 7, 7, 7), 24), ((3, 5, 7, 11, 13), 100)])
def test_five_cards_are_solved(values: tuple[int, ...], target: int) -> None:
    found = solutions(values, target)
    assert bool(found) is is_solvable(values, target)
    assert all(Fraction(*expression.fraction()) == target for expression in found)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "target", "solvable"), [((1, 1, 1, 1, 1, 1), 24, False), ((2, 3, 5, 7, 11, 13), 24, True)]
)
def test_six_cards_are_judged(values: tuple[int, ...], target: int, solvable: bool) -> None:
    assert is_solvable(values, target) is solvable


def test_the_order_of_the_values_does_not_matter() -> None:
    assert solutions((13, 1, 11, 1), 24) == solutions((1, 1, 11, 13), 24)


@pytest.mark.parametrize("values", [(), (1,) * 7, (0, 1, 2, 3), (-1, 2, 3, 4)])
def test_wrong_values_are_told_what_is_accepted(values: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected 1 to 6 positive integers"):
        is_solvable(values, 24)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_target_beyond_the_bound_is_solvable_and_none_within_it_is_lost(size: int) -> None:
    for hand in multisets(4, size):
        made = {target for target in range(-10, 130) if is_solvable(hand, target)}
        assert made == {target for target in range(-10, 130) if solutions(hand, target)}


def test_a_far_target_of_six_cards_is_judged_at_once() -> None:
    begin = thread_time()
    assert not any(is_solvable((a, b, 7, 8, 9, 10), 999_983) for a in range(1, 11) for b in range(a, 11))
    assert thread_time() - begin < 2  # it took 3 s and more
