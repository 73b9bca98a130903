"""Likeness of hands: the keys by which two are alike, and whether a setting deals one that is."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from verienv.generalpoints.puzzle import Puzzle
from verienv.generalpoints.sampler import Dealing


def likeness(puzzle: Puzzle) -> dict[str, str]:
    """Return the keys of a hand: its ``cards`` without their order, and its ``numbers``, each with the target."""
    kind = "numbers " if puzzle.plain_numbers else ""
    return {
        "cards": f"{kind}{' '.join(sorted(puzzle.ranks))} -> {puzzle.target}",
        "numbers": f"{' '.join(map(str, puzzle.numbers))} -> {puzzle.target}",
    }


def dealt_alike(puzzle: Puzzle, dealings: Iterable[Dealing]) -> frozenset[str]:
    """Return which of the keys of ``likeness`` some hand has that one of the dealings admits. Exact, draws nothing."""
    found = set[str]()
    for dealing in dealings:
        if (dealing.target, dealing.count) != (puzzle.target, len(puzzle.ranks)):
            continue
        if bool(dealing.numbers) == puzzle.plain_numbers and dealing.admits(puzzle.ranks):
            found.add("cards")
        if "numbers" not in found and any(map(dealing.admits, _hands_of(puzzle.numbers, dealing))):
            found.add("numbers")
        if len(found) == 2:
            break
    return frozenset(found)


def _hands_of(numbers: tuple[int, ...], dealing: Dealing) -> Iterable[tuple[str, ...]]:
    """Return the hands of a dealing with these numbers: at most four ranks count the same."""
    if dealing.numbers:
        return [tuple(map(str, numbers))]
    ranks = [[rank for rank in dealing.ranks if dealing.rule.values[rank] == number] for number in numbers]
    return {tuple(sorted(hand)) for hand in product(*ranks)}
