"""Closeness: how much nearer a formula comes to the target than formulas that anybody could write for any hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import prod

from verienv.generalpoints.puzzle import Puzzle


def closeness(value: Fraction, puzzle: Puzzle) -> float:
    """Return, from 0 to 1, how much nearer ``value`` is to the target than the best of ``blind_values``.

    It is 0 for a value that is no nearer, and 1 at the target itself. Where a blind formula makes the target, whatever
    makes another number is 0: on such a hand being near is no progress.
    """
    reach = min(abs(blind - puzzle.target) for blind in blind_values(puzzle.values))
    distance = abs(value - puzzle.target)
    if distance >= reach:
        return float(distance == 0)
    return float(1 - distance / reach)


def blind_values(values: tuple[int, ...]) -> set[Fraction]:
    """Return what formulas make that need no look at the numbers: all added, all multiplied, all added but one product
    of two, and two groups, each added, with any operator between them (so every choice of signs too)."""
    whole = sum(values)
    made = {Fraction(whole), Fraction(prod(values))}
    made |= {Fraction(whole - one - other + one * other) for one, other in combinations(values, 2)}
    for size in range(1, len(values)):
        for group in combinations(values, size):
            part, rest = sum(group), whole - sum(group)
            made |= {Fraction(part - rest), Fraction(part * rest)}
            if rest:
                made.add(Fraction(part, rest))
    return made
