"""The difficulty of a hand: how many solutions it has, and what all of them need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from verienv.arithmetic.operators import OPERATORS
from verienv.arithmetic.solver import multisets, solutions
from verienv.core.assets import asset_path
from verienv.core.config import parse_range
from verienv.core.shown import shown
from verienv.generalpoints.table import LARGEST_VALUE

DIFFICULTIES = "tables/difficulties.npz"
TABLE_TARGET = 24
FEW_SOLUTIONS = 3
MOST_COUNTED = 5
"""Cards. Six have thousands of solutions, which take seconds to count."""


parse_levels = partial(parse_range, least=0, most=3)
parse_counts = partial(parse_range, least=1, most=10**6)


class Difficulty(NamedTuple):
    """How hard it is to find a solution of a hand.

    Attributes:
        solutions: how many there are, distinct up to commuting and regrouping (``solver.solutions``).
        level: 3 if each goes through a fraction, a value that is not whole, as 8/(3-8/3) does; else 2 if each divides;
            else 1 if there are at most 3; else 0. Of 1,362 hands of four values up to 13 that make 24, 435 have level
            0, 728 level 1, 183 level 2 and 16 level 3.
    """

    solutions: int
    level: int


UNKNOWN = Difficulty(-1, -1)
"""The difficulty of a hand whose solutions were not counted."""


@lru_cache(maxsize=65536)
def counted(numbers: tuple[int, ...], target: int, operators: str = OPERATORS) -> Difficulty:
    """Return the difficulty of sorted numbers from all their solutions: four take about 2 ms, five 50 ms, six seconds.

    Hands that cannot make the target have no solution and the level -1.
    """
    found = solutions(numbers, target, operators)
    if not found:
        return Difficulty(0, -1)
    level = 1 if len(found) <= FEW_SOLUTIONS else 0
    if all("/" in expression.postfix for expression in found):
        level = 2
    if all(any("/" in result for *_, result in expression.steps()) for expression in found):
        level = 3
    return Difficulty(len(found), level)


@lru_cache(maxsize=8192)  # one call in C at every reset and step
def looked_up(numbers: tuple[int, ...], target: int, operators: str = OPERATORS) -> Difficulty:
    """Return the difficulty of sorted numbers from the shipped table, UNKNOWN if it has them not.

    It has all hands of four numbers up to 13 that make 24 with any operators.
    """
    is_there = target == TABLE_TARGET and operators == OPERATORS
    return _table().get(numbers, UNKNOWN) if is_there else UNKNOWN


def difficulty_of(values: Iterable[int], target: int = TABLE_TARGET, operators: str = OPERATORS) -> Difficulty:
    """Return the difficulty of any 1 to 6 positive integers, looked up or counted."""
    numbers = tuple(sorted(values))
    found = looked_up(numbers, target, operators)
    return counted(numbers, target, operators) if found is UNKNOWN else found


@dataclass(frozen=True)
class Wanted:
    """The difficulties asked for. False if any will do.

    Attributes:
        difficulty: the lowest and the highest level, None for any.
        solutions: the fewest and the most solutions, None for any.

    Raises:
        ValueError: for what is no range.
    """

    difficulty: tuple[int, int] | None = None
    solutions: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for name, parse in (("difficulty", parse_levels), ("solutions", parse_counts)):
            try:
                object.__setattr__(self, name, parse(getattr(self, name)))
            except ValueError as error:
                raise ValueError(f"{name}={shown(getattr(self, name))}: {error}") from None

    def admits(self, found: Difficulty) -> bool:
        """Whether a hand of this difficulty is asked for."""
        asked = ((self.difficulty, found.level), (self.solutions, found.solutions))
        return all(ends is None or ends[0] <= measure <= ends[1] for ends, measure in asked)

    def __bool__(self) -> bool:
        return self.difficulty is not None or self.solutions is not None

    def __str__(self) -> str:
        asked = (("difficulty", self.difficulty), ("solutions", self.solutions))
        return "".join([f", {name} {ends[0]} to {ends[1]}" for name, ends in asked if ends])


ANY = Wanted()


def check_wanted(wanted: Wanted, cards: int) -> None:
    """Raise ValueError for what is no Wanted, or if solutions of so many cards cannot be counted in good time."""
    if not isinstance(wanted, Wanted):
        raise ValueError(f"wanted={shown(wanted)}: expected a Wanted, such as Wanted(difficulty=(2, 3))")
    if wanted and cards > MOST_COUNTED:
        name = "solutions" if wanted.difficulty is None else "difficulty"
        raise ValueError(
            f"{name}={shown(getattr(wanted, name))}: {cards} cards have thousands of solutions, which take seconds to "
            f"count; ask for a difficulty of at most {MOST_COUNTED} cards"
        )


def tally(found: Iterable[Difficulty]) -> str:
    """Say how many hands have which difficulty, such as "hands of difficulty 0 (12), 2 (3), with 1 to 9 solutions"."""
    each = list(found)
    levels = sorted(Counter([one.level for one in each]).items())
    counts = [one.solutions for one in each]
    by_level = ", ".join([f"{level} ({count})" for level, count in levels])
    return f"hands of difficulty {by_level}, with {min(counts)} to {max(counts)} solutions"


@lru_cache(maxsize=1)
def _table() -> dict[tuple[int, ...], Difficulty]:
    """The shipped table, made by ``tools/build_difficulties.py``. Raises ValueError if the file is damaged."""
    path, remedy = asset_path(DIFFICULTIES), "rebuild it with python tools/build_difficulties.py"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            counts, levels = archive["solutions"], archive["levels"]
    except Exception as error:  # a damaged zip raises many kinds
        raise ValueError(f"{path} is damaged ({error}); {remedy}") from None
    hands = list(multisets(LARGEST_VALUE, 4))
    are_numbers = counts.dtype.kind in "iu" and levels.dtype.kind in "iu"
    if not are_numbers or not counts.shape == levels.shape == (len(hands),):
        raise ValueError(f"{path} holds {counts.dtype} {counts.shape} and {levels.dtype} {levels.shape}; {remedy}")
    rows = zip(hands, counts.tolist(), levels.tolist(), strict=True)
    return {hand: Difficulty(count, level) for hand, count, level in rows if count}
