"""Writing answers: the JSON that the prompts ask for, right ones, and wrong ones of every kind of failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from verienv.arithmetic.expression import Expression, Item
from verienv.arithmetic.operators import OPERATORS
from verienv.arithmetic.solver import solutions
from verienv.core.answer_format import JSON
from verienv.core.formats import AnswerFormatLike, parse_format
from verienv.core.shown import shown
from verienv.core.writing import Writing
from verienv.generalpoints.cards import RANKS
from verienv.generalpoints.prompts import answer_shape
from verienv.generalpoints.puzzle import LARGEST_TARGET, Puzzle
from verienv.generalpoints.verifier import Failure, formula_failure

TRIES = 200

Solution = Literal["shortest", "random"]


@dataclass(frozen=True, kw_only=True)
class GeneralPointsWriting(Writing):
    """How the expert writes its answers.

    Attributes:
        solution: "shortest"; or "random", drawn uniformly from all solutions of the hand that commuting and regrouping
            leave distinct.
        equation: whether the target is written after the formula, as in "8/(3-8/3)=24".
    """

    solution: Solution = "shortest"
    equation: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.solution, str) or self.solution not in get_args(Solution):
            raise ValueError(f"solution={shown(self.solution)}: expected one of {', '.join(get_args(Solution))}")


def write_answer(
    puzzle: Puzzle, formula: str, *, cards: tuple[str, ...] | None = None, answer_format: AnswerFormatLike = JSON
) -> str:
    """The answer with the given formula; ``number`` follows the stated rule. Plain numbers have no ``cards``."""
    fields = {"cards": list(cards or puzzle.ranks), "number": list(puzzle.stated_values), "formula": formula}
    if puzzle.plain_numbers:
        del fields["cards"]
    shape = answer_shape(puzzle)
    return parse_format(answer_format, shape).write(fields, shape)


def expert_expression(puzzle: Puzzle, choice: int = 0) -> Expression:
    """A solution under the scored rule, the shortest first. Raises ValueError if there is none."""
    found = solutions(puzzle.values, puzzle.target, puzzle.operators)
    if not found:
        rule = "" if puzzle.plain_numbers else f" under rule {puzzle.rule.name}"
        allowed = "" if puzzle.operators == OPERATORS else f" with {' '.join(puzzle.operators)}"
        raise ValueError(f"{', '.join(puzzle.ranks)} cannot make {puzzle.target}{rule}{allowed}")
    return found[choice % len(found)]


def solution_count(puzzle: Puzzle) -> int:
    """The number of distinct solutions under the scored rule. Raises ValueError if there is none."""
    expert_expression(puzzle)
    return len(solutions(puzzle.values, puzzle.target, puzzle.operators))


def expert_answer(
    puzzle: Puzzle,
    choice: int = 0,
    *,
    steps: bool = False,
    equation: bool = False,
    answer_format: AnswerFormatLike = JSON,
) -> str:
    """A correct response.

    Args:
        puzzle: a solvable puzzle.
        choice: which of its solutions, the shortest first, taken modulo their number.
        steps: write each operation with its result before the answer, in order of evaluation.
        equation: write the target after the formula, as in "8/(3-8/3)=24".
        answer_format: the format of the answer.
    """
    expression = expert_expression(puzzle, choice)
    formula = expression.minimal() + f"={puzzle.target}" * equation
    answer = write_answer(puzzle, formula, answer_format=answer_format)
    if not steps:
        return answer
    written = [
        f"{_operand(left)} {operator} {_operand(right)} = {result}"
        for left, operator, right, result in expression.steps()
    ]
    return "\n".join([*written, answer])


def _operand(value: str) -> str:
    """Negative numbers and fractions in parentheses, so that a step reads as an expression."""
    return value if value.isdigit() else f"({value})"


def wrong_answer(puzzle: Puzzle, failure: Failure, rng: np.random.Generator) -> str | None:
    """A response that fails as ``failure`` says, or None if this hand allows none (a hand such as 1 2 4 8 can
    hardly divide by zero; nothing fails as "unconfirmed").

    Drawn with ``rng``; the caller lets the verifier judge it.
    """
    write = _WRITERS.get(failure)
    return write(puzzle, rng) if write else None


def _unreadable(puzzle: Puzzle, rng: np.random.Generator) -> str:
    answer = write_answer(puzzle, expert_expression(puzzle).minimal())
    return [answer[: answer.index('"formula"')], "I do not know.", answer[: answer.index("[") + 1]][
        int(rng.integers(3))
    ]


def _illegal(puzzle: Puzzle, rng: np.random.Generator) -> str:
    values = [str(value) for value in puzzle.stated_values]
    formulas = [
        "+".join(puzzle.ranks[:-1]) + "+K",
        f"({'*'.join(values)}",
        "*".join(values[:-1]) + "^" + values[-1],
        "",
        *[operator.join(values) for operator in OPERATORS if operator not in puzzle.operators],
    ]
    return write_answer(puzzle, formulas[int(rng.integers(len(formulas)))])


def _wrong_numbers(puzzle: Puzzle, rng: np.random.Generator) -> str | None:
    for _ in range(TRIES):
        values = list(puzzle.values)
        place = int(rng.integers(len(values)))
        values[place] = int(rng.integers(1, 14))  # a number that no card gives, or one of the cards' twice
        formula = random_expression(values, rng, puzzle.operators).minimal()
        if formula_failure(formula, puzzle) == Failure.WRONG_NUMBERS:
            return write_answer(puzzle, formula)
    return None


def _false_equation(puzzle: Puzzle, rng: np.random.Generator) -> str:
    expression = random_expression(puzzle.values, rng, puzzle.operators)
    value = expression.fraction()
    claimed = value[0] // value[1] if value and value[0] % value[1] == 0 else 0
    if not 1 <= claimed <= LARGEST_TARGET or claimed == puzzle.target:
        near = puzzle.target + int(rng.integers(1, 10))
        claimed = near if near <= LARGEST_TARGET else puzzle.target - 1
    return write_answer(puzzle, f"{expression.minimal()}={claimed}")


def _wrong_value(puzzle: Puzzle, rng: np.random.Generator) -> str | None:
    return _random_with(puzzle, rng, Failure.WRONG_VALUE)


def _division_by_zero(puzzle: Puzzle, rng: np.random.Generator) -> str | None:
    return _random_with(puzzle, rng, Failure.DIVISION_BY_ZERO)


def _misread(puzzle: Puzzle, rng: np.random.Generator) -> str | None:
    if puzzle.plain_numbers:
        return None
    cards = list(puzzle.ranks)
    place = int(rng.integers(len(cards)))
    others = [rank for rank in RANKS if rank != cards[place]]
    cards[place] = others[int(rng.integers(len(others)))]
    return write_answer(puzzle, expert_expression(puzzle).minimal(), cards=tuple(cards))


def _random_with(puzzle: Puzzle, rng: np.random.Generator, failure: Failure) -> str | None:
    for _ in range(TRIES):
        expression = random_expression(puzzle.values, rng, puzzle.operators)
        if (expression.fraction() is None) != (failure == Failure.DIVISION_BY_ZERO):
            continue  # most do not divide by zero, and judging them takes long
        formula = expression.minimal()
        if formula_failure(formula, puzzle) == failure:
            return write_answer(puzzle, formula)
    return None


def random_expression(
    values: tuple[int, ...] | list[int], rng: np.random.Generator, operators: str = OPERATORS
) -> Expression:
    """A random expression that uses each value once: two parts are joined until one is left."""
    parts: list[tuple[Item, ...]] = [(int(value),) for value in rng.permutation(list(values))]
    while len(parts) > 1:
        left = parts.pop(int(rng.integers(len(parts))))
        right = parts.pop(int(rng.integers(len(parts))))
        parts.append((*left, *right, operators[int(rng.integers(len(operators)))]))
    return Expression(parts[0])


_WRITERS: dict[Failure, Callable[[Puzzle, np.random.Generator], str | None]] = {
    Failure.UNREADABLE: _unreadable,
    Failure.ILLEGAL: _illegal,
    Failure.WRONG_NUMBERS: _wrong_numbers,
    Failure.FALSE_EQUATION: _false_equation,
    Failure.DIVISION_BY_ZERO: _division_by_zero,
    Failure.WRONG_VALUE: _wrong_value,
    Failure.MISREAD: _misread,
}
