"""The suits of a hand's cards."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations, product

from verienv.generalpoints.cards import SUIT_LETTERS
from verienv.generalpoints.sampler import Dealing, Sampling


def with_suits(ranks: Sequence[str], dealing: Dealing, way: int) -> tuple[str, ...]:
    """The cards of a hand, such as "10S", in its ``way``-th way, taken modulo the number of ways.

    Every way is as likely as every other when a hand of these ranks is dealt. The same way in two decks of as many
    suits, black and red, puts like suits in like places.
    """
    letters = SUIT_LETTERS[dealing.suits]
    suits = dict[str, list[str]]()
    for rank in dict.fromkeys(ranks):
        count = ranks.count(rank)
        choices = _suit_choices(letters, count, dealing.sampling)
        way, choice = divmod(way, len(choices))
        suits[rank] = list(choices[choice])
    return tuple([rank + suits[rank].pop() for rank in ranks])


@lru_cache(maxsize=64)
def _suit_choices(letters: tuple[str, ...], count: int, sampling: Sampling) -> list[tuple[str, ...]]:
    return list(permutations(letters, count) if sampling == "deck" else product(letters, repeat=count))
