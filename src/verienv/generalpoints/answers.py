"""Writing answers: the JSON that the prompts ask for, with or without the steps that derive it."""

from __future__ import annotations

import json

from verienv.arithmetic.expression import Expression
from verienv.arithmetic.solver import solutions
from verienv.generalpoints.puzzle import Puzzle


def write_answer(puzzle: Puzzle, formula: str, *, cards: tuple[str, ...] | None = None) -> str:
    """The JSON answer with the given formula; ``number`` follows the stated rule."""
    fields = {"cards": list(cards or puzzle.ranks), "number": list(puzzle.stated_values), "formula": formula}
    return json.dumps(fields)


def expert_expression(puzzle: Puzzle, choice: int = 0) -> Expression:
    """A solution under the scored rule, the shortest first. Raises ValueError if there is none."""
    found = solutions(puzzle.values, puzzle.target)
    if not found:
        raise ValueError(f"{', '.join(puzzle.ranks)} cannot make {puzzle.target} under rule {puzzle.rule.name}")
    return found[choice % len(found)]


def expert_answer(puzzle: Puzzle, choice: int = 0, *, steps: bool = False) -> str:
    """A correct response.

    Args:
        puzzle: a solvable puzzle.
        choice: which of its solutions, the shortest first, taken modulo their number.
        steps: write each operation with its result before the JSON object, in order of evaluation.
    """
    expression = expert_expression(puzzle, choice)
    answer = write_answer(puzzle, expression.minimal())
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
