"""Every solution of a hand, and whether it has one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import combinations_with_replacement
from math import gcd
from typing import NamedTuple

from verienv.arithmetic.expression import Expression, Item
from verienv.arithmetic.operators import OPERATORS

Value = tuple[int, int]
MAX_CARDS = 6


class _Form(NamedTuple):
    """A canonical expression: a number, or one flat sum or product.

    ``ahead`` holds the terms added (or multiplied), ``behind`` those subtracted (or divided by), each sorted; so
    expressions that differ by commuting or regrouping share one form. A number n has operator "" and weight n.
    """

    operator: str
    ahead: tuple[_Form, ...]
    behind: tuple[_Form, ...]
    number: int


def solutions(values: Iterable[int], target: int, operators: str = OPERATORS) -> tuple[Expression, ...]:
    """All expressions over ``values`` that equal ``target``, distinct up to commuting and regrouping.

    Args:
        values: 1 to 6 positive integers, each to be used exactly once. Their order does not matter.
        target: the integer to reach.
        operators: those that an expression may use.

    Returns:
        Expressions sorted by the length of their minimal text, then alphabetically; () if there is none.
        Four values take about 2 ms, five 50 ms, six seconds.
    """
    return _solutions(_checked(values), target, operators)


@lru_cache(maxsize=4096)
def _solutions(values: tuple[int, ...], target: int, operators: str) -> tuple[Expression, ...]:
    forms = {Expression(tuple(_postfix(form, operators))) for form in _forms(values, target, operators)}
    return tuple(sorted(forms, key=lambda expression: (len(expression.minimal()), expression.minimal())))


def is_solvable(values: Iterable[int], target: int, operators: str = OPERATORS) -> bool:
    """Whether some expression over ``values`` with these operators equals ``target``."""
    return _is_solvable(_checked(values), target, operators)


def _checked(values: Iterable[int]) -> tuple[int, ...]:
    checked = tuple(sorted(values))
    if not 1 <= len(checked) <= MAX_CARDS or any(value < 1 for value in checked):
        raise ValueError(f"values={checked}: expected 1 to {MAX_CARDS} positive integers")
    return checked


def _partners(target: Value, left: Value) -> Iterator[tuple[str, bool, Value]]:
    """The values that with ``left`` make ``target``: (operator, left comes first, the other value)."""
    (t, u), (a, b) = target, left
    yield "+", True, _fraction(t * b - a * u, u * b)
    yield "-", True, _fraction(a * u - t * b, b * u)
    yield "-", False, _fraction(t * b + a * u, u * b)
    if a:
        yield "*", True, _fraction(t * b, u * a)
        yield "/", False, _fraction(t * a, u * b)
        if t:
            yield "/", True, _fraction(a * u, b * t)


def _fraction(top: int, bottom: int) -> Value:
    if bottom < 0:
        top, bottom = -top, -bottom
    shared = gcd(top, bottom)
    return (top // shared, bottom // shared) if shared > 1 else (top, bottom)


def _combinations(left: Value, right: Value) -> Iterator[tuple[str, bool, Value]]:
    (a, b), (c, d) = left, right
    yield "+", True, _fraction(a * d + c * b, b * d)
    yield "-", True, _fraction(a * d - c * b, b * d)
    yield "-", False, _fraction(c * b - a * d, b * d)
    yield "*", True, _fraction(a * c, b * d)
    if c:
        yield "/", True, _fraction(a * d, b * c)
    if a:
        yield "/", False, _fraction(c * b, d * a)


def _splits(mask: int) -> Iterator[tuple[int, int]]:
    """The ways to part a set of cards in two, each once."""
    lowest = mask & -mask
    part = (mask - 1) & mask
    while part:
        if part & lowest:
            yield part, mask ^ part
        part = (part - 1) & mask


def _forms(values: tuple[int, ...], target: int, operators: str) -> set[_Form]:
    count, whole = len(values), (1 << len(values)) - 1
    if count == 1:
        return {_Form("", (), (), values[0])} if values[0] == target else set()
    reached: dict[int, dict[Value, set[_Form]]] = {}
    for mask in range(1, whole):
        if mask & (mask - 1) == 0:
            number = values[mask.bit_length() - 1]
            reached[mask] = {(number, 1): {_Form("", (), (), number)}}
            continue
        table: dict[Value, set[_Form]] = {}
        for one, other in _splits(mask):
            for left, left_forms in reached[one].items():
                for right, right_forms in reached[other].items():
                    for operator, in_order, value in _combinations(left, right):
                        if operator in operators:
                            _join(table.setdefault(value, set()), operator, in_order, left_forms, right_forms)
        reached[mask] = table
    goal, found = (target, 1), set[_Form]()
    for one, other in _splits(whole):
        for left, left_forms in reached[one].items():
            for operator, in_order, partner in _partners(goal, left):
                if operator in operators:
                    _join(found, operator, in_order, left_forms, reached[other].get(partner, set()))
    if target == 0:  # a zero times anything: _partners cannot name the other side
        for one, other in _splits(whole):
            for first, second in ((one, other), (other, one)):
                zeros = reached[first].get((0, 1), set())
                for value, forms in reached[second].items():
                    if "*" in operators:
                        _join(found, "*", True, zeros, forms)
                    if "/" in operators and value[0]:
                        _join(found, "/", True, zeros, forms)
    return found


def _join(into: set[_Form], operator: str, in_order: bool, left: set[_Form], right: set[_Form]) -> None:
    first, second = (left, right) if in_order else (right, left)
    for x in first:
        for y in second:
            into.add(_combine(operator, x, y))


def _combine(operator: str, x: _Form, y: _Form) -> _Form:
    flat = "+" if operator in "+-" else "*"
    x_ahead, x_behind = (x.ahead, x.behind) if x.operator == flat else ((x,), ())
    y_ahead, y_behind = (y.ahead, y.behind) if y.operator == flat else ((y,), ())
    if operator in "-/":
        y_ahead, y_behind = y_behind, y_ahead
    return _Form(flat, tuple(sorted(x_ahead + y_ahead)), tuple(sorted(x_behind + y_behind)), 0)


def _postfix(form: _Form, operators: str) -> Iterator[Item]:
    """The form as a - b + c; as a - (b - c) where there is no +, and so with * and /."""
    if not form.operator:
        yield form.number
        return
    ahead, behind = ("+", "-") if form.operator == "+" else ("*", "/")
    further, taken = form.ahead[1:], form.behind
    yield from _postfix(form.ahead[0], operators)
    if ahead not in operators and further:  # then some term is behind: a difference of differences has one
        yield from _postfix(taken[0], operators)
        for term in further:
            yield from _postfix(term, operators)
            yield behind
        yield behind
        further, taken = (), taken[1:]
    for term in further:
        yield from _postfix(term, operators)
        yield ahead
    for term in taken:
        yield from _postfix(term, operators)
        yield behind


@lru_cache(maxsize=65536)
def _is_solvable(values: tuple[int, ...], target: int, operators: str) -> bool:
    """Meet in the middle: all that half of the cards can make, looked up as partners of what is still wanted.

    No cards make a fraction whose top and bottom together exceed the product of their numbers, each plus one: where
    that is true of two parts, it is true of their sum, difference, product and quotient.
    """
    whole = (1 << len(values)) - 1
    most = {0: 1}
    for mask in range(1, whole + 1):
        most[mask] = most[mask & (mask - 1)] * (values[(mask & -mask).bit_length() - 1] + 1)
    if abs(target) + 1 > most[whole]:
        return False
    made: dict[int, set[Value]] = {}
    for mask in range(1, whole + 1):
        if mask.bit_count() == 1:
            made[mask] = {(values[mask.bit_length() - 1], 1)}
        elif mask.bit_count() <= (len(values) + 1) // 2:
            made[mask] = {
                value
                for one, other in _splits(mask)
                for left in made[one]
                for right in made[other]
                for operator, _, value in _combinations(left, right)
                if operator in operators
            }

    times = "*" in operators or "/" in operators

    @cache
    def makes(mask: int, goal: Value) -> bool:
        if mask in made:
            return goal in made[mask]
        if abs(goal[0]) + goal[1] > most[mask]:
            return False
        for parts in _splits(mask):
            small, large = sorted(parts, key=int.bit_count)
            for left in made[small]:
                if not left[0] and not goal[0] and times:  # zero times anything
                    return True
                for operator, _, partner in _partners(goal, left):
                    if operator in operators and makes(large, partner):
                        return True
        return False

    return makes(whole, (target, 1))


def multisets(largest: int, size: int) -> Iterator[tuple[int, ...]]:
    """Every sorted multiset of ``size`` values over 1..``largest``."""
    return combinations_with_replacement(range(1, largest + 1), size)
