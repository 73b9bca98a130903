"""Hands of the train side: those that a rule admits, in arrays, and the problems kept for stopping."""

from __future__ import annotations

from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from verienv.core.sides import on_side
from verienv.generalpoints import Dealing, FaceRule, Puzzle
from verienv.generalpoints.cards import FACES, RANKS, Suits
from verienv.generalpoints.puzzle import side_keys
from verienv.generalpoints.table import reaches

TARGET = 24
_LARGEST = 13
_SALT = "verienv-starts-23"  # of salts 0..39 the one whose shares come nearest a quarter under every rule judged
_ONE_IN = 4


@lru_cache(maxsize=4096)
def is_for_stopping(numbers: tuple[int, ...]) -> bool:
    """Whether a start is judged, before it is stopped, on the problem of these numbers, sorted: one in four.

    A study reports the others, so that what stopped a start and what is reported of it share no problem.
    """
    digest = sha256(f"{_SALT}:{','.join(map(str, numbers))}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % _ONE_IN == 0


class Deck:
    """Every multiset of ranks of so many cards in some suits, and which of them a rule admits on the train side."""

    def __init__(self, cards: int, suits: Suits = "all") -> None:
        self.cards = cards
        self.hands = np.array(list(combinations_with_replacement(range(len(RANKS)), cards)))
        dealing = Dealing(count=cards, suits=suits)
        self._ways = np.array([dealing.ways([RANKS[rank] for rank in hand]) for hand in self.hands], dtype=float)
        self._has_face = (self.hands >= len(RANKS) - len(FACES)).any(1)

    @cached_property
    def _admitted(self) -> NDArray[np.bool_]:
        """Whether numbers can make the target and lie on the train side, by each number in a dimension of its own."""
        table = np.zeros((_LARGEST + 1,) * self.cards, dtype=bool)
        for numbers in combinations_with_replacement(range(1, _LARGEST + 1), self.cards):
            ranks = [RANKS[number - 1] for number in numbers]
            table[numbers] = reaches(numbers, TARGET) and on_side(side_keys(ranks, numbers), "train")
        return table

    @cached_property
    def _ranks_on_side(self) -> NDArray[np.bool_]:
        return np.array(
            [on_side(side_keys([RANKS[rank] for rank in hand], hand + 1)[:1], "train") for hand in self.hands]
        )

    def numbers(self, rule: FaceRule) -> NDArray[np.int64]:
        """Return the sorted numbers of every hand under a rule, (hands, cards)."""
        values = np.array([rule.values[rank] for rank in RANKS])
        return np.sort(values[self.hands], axis=1)

    def weights(self, rule: FaceRule, *, with_face: bool) -> NDArray[np.float64]:
        """Return the ways in which each hand can be dealt under a rule, (hands); 0 for one that is not admitted."""
        numbers = self.numbers(rule)
        admitted = self._admitted[tuple(numbers.T)] & self._ranks_on_side
        return self._ways * (admitted & (self._has_face if with_face else True))

    def deal(self, rule: FaceRule, weights: NDArray[np.float64], n: int, rng: np.random.Generator) -> list[Puzzle]:
        """Draw ``n`` hands in proportion to their weights, each in an order of its own."""
        chosen = self.hands[rng.choice(len(weights), n, p=weights / weights.sum())]
        ordered = rng.permuted(chosen, axis=1)
        return [Puzzle(tuple(RANKS[rank] for rank in hand), rule, TARGET) for hand in ordered]
