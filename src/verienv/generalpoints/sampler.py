"""Dealing: which hands a setting admits, and how one is drawn."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, combinations_with_replacement, permutations, product
from math import comb, factorial, prod
from operator import itemgetter
from typing import Literal, get_args

import numpy as np

from verienv.core.shown import shown
from verienv.core.sides import Side, on_side
from verienv.generalpoints.cards import FACES, RANKS, SUIT_LETTERS, Suits
from verienv.generalpoints.puzzle import FEWEST_CARDS, MOST_CARDS, check_target, side_keys
from verienv.generalpoints.rules import PRESETS, FaceRule
from verienv.generalpoints.table import reaches

Sampling = Literal["deck", "iid"]
FaceCards = Literal["any", "condition", "force"]
MAX_DEALS = 1000


@dataclass(frozen=True)
class Dealing:
    """The hands that may be dealt.

    Attributes:
        count: cards in a hand, 3 to 6.
        rule: the scored rule; every hand dealt can reach the target under it, and under ``stated_rule``.
        stated_rule: the rule that the question states.
        target: what to make.
        sampling: "deck" draws without replacement from the deck's cards; "iid" draws each rank and suit afresh.
        face_cards: "any"; "condition" keeps the hands with at least one of J, Q, K; "force" draws one face card
            first and the rest after it, which favours hands with one face card less.
        suits: the suits in the deck: "all", "black" (clubs, spades) or "red" (diamonds, hearts).
        side: the side of the split on which hands must lie.
    """

    count: int = 4
    rule: FaceRule = PRESETS["ten"]
    stated_rule: FaceRule = PRESETS["ten"]
    target: int = 24
    sampling: Sampling = "deck"
    face_cards: FaceCards = "any"
    suits: Suits = "all"
    side: Side = "all"

    def __post_init__(self) -> None:
        check_target(self.target)
        if type(self.count) is not int or not FEWEST_CARDS <= self.count <= MOST_CARDS:
            raise ValueError(f"count={shown(self.count)}: expected {FEWEST_CARDS} to {MOST_CARDS} cards")
        for name in ("rule", "stated_rule"):
            if not isinstance(getattr(self, name), FaceRule):
                raise ValueError(f"{name}={shown(getattr(self, name))}: expected a FaceRule; FaceRule.of reads others")
        for name, words in (("sampling", Sampling), ("face_cards", FaceCards), ("suits", Suits), ("side", Side)):
            if getattr(self, name) not in get_args(words):
                raise ValueError(f"{name}={shown(getattr(self, name))}: expected one of {', '.join(get_args(words))}")

    def admits(self, ranks: Sequence[str]) -> bool:
        """Whether a hand of these ranks may be dealt."""
        return (
            (self.face_cards == "any" or any(rank in FACES for rank in ranks))
            and self.on_side(ranks)
            and self.holds(ranks)
        )

    def holds(self, ranks: Sequence[str]) -> bool:
        """Whether the suits can show the hand and the target can be made under both rules. Sides aside."""
        if self.sampling == "deck" and any(ranks.count(rank) > len(SUIT_LETTERS[self.suits]) for rank in set(ranks)):
            return False
        return all(reaches(values, self.target) for values in self._valuations(ranks))

    def on_side(self, ranks: Sequence[str]) -> bool:
        """Whether all keys of the hand lie on this side."""
        return self.side == "all" or all(
            on_side(side_keys(ranks, values), self.side) for values in self._valuations(ranks)
        )

    def _valuations(self, ranks: Sequence[str]) -> list[list[int]]:
        """The cards' numbers under each rule in play."""
        rules = (self.rule,) if self.stated_rule == self.rule else (self.rule, self.stated_rule)
        return [[rule.values[rank] for rank in ranks] for rule in rules]

    def ways(self, ranks: Sequence[str]) -> int:
        """In how many ways the hand can be drawn; over all hands these are proportional to probability."""
        counts = [ranks.count(rank) for rank in dict.fromkeys(ranks)]
        suits = len(SUIT_LETTERS[self.suits])
        if self.sampling == "deck":
            drawn = prod(comb(suits, count) for count in counts)
        else:
            drawn = factorial(len(ranks)) // prod(factorial(count) for count in counts) * suits ** len(ranks)
        if self.face_cards == "force":  # each face card of the hand may have been the one drawn first
            drawn *= sum(rank in FACES for rank in ranks)
        return drawn

    def __str__(self) -> str:
        stated = "" if self.stated_rule == self.rule else f" (stated {self.stated_rule.name})"
        return (
            f"target {self.target}, rule {self.rule.name}{stated}, {self.count} cards, "
            f"face_cards {self.face_cards}, suits {self.suits}, side {self.side}"
        )


class Sampler:
    """Draws hands. With four cards every hand is known beforehand and one random integer chooses exactly."""

    def __init__(self, dealing: Dealing) -> None:
        self.dealing = dealing
        if dealing.count == 4:
            self.hands = hands(dealing)
            if not self.hands:
                raise ValueError(f"no hand can be dealt: {dealing}; change target or rule, or widen side or suits")
            self._upto = list(accumulate(dealing.ways(hand) for hand in self.hands))
            self._orders = [itemgetter(*order) for order in permutations(range(4))]
            self._draws = self._upto[-1] * len(self._orders)

    def deal(self, rng: np.random.Generator) -> tuple[str, ...]:
        """Draw the ranks of a hand, in the order of the table.

        Raises:
            ValueError: if 1,000 deals of 3, 5 or 6 cards brought no hand that the setting admits.
        """
        if self.dealing.count != 4:
            return self._deal_by_rejection(rng)
        index, order = divmod(int(rng.integers(self._draws)), len(self._orders))
        hand = self.hands[bisect_right(self._upto, index)]
        dealt: tuple[str, ...] = self._orders[order](hand)
        return dealt

    def _deal_by_rejection(self, rng: np.random.Generator) -> tuple[str, ...]:
        for _ in range(MAX_DEALS):
            ranks = self._draw(rng)
            if self.dealing.admits(ranks):
                return ranks
        raise ValueError(
            f"{MAX_DEALS} deals brought no hand with {self.dealing}; choose a target and rule that more hands meet"
        )

    def _draw(self, rng: np.random.Generator) -> tuple[str, ...]:
        setting, letters = self.dealing, SUIT_LETTERS[self.dealing.suits]
        force = setting.face_cards == "force"
        faces = [face + suit for face in FACES for suit in letters]
        deck = [rank + suit for rank in RANKS for suit in letters]
        first = [faces[int(rng.integers(len(faces)))]] if force else []
        rest = setting.count - len(first)
        if setting.sampling == "deck":
            left = [card for card in deck if card not in first]
            drawn = [left[int(i)] for i in rng.choice(len(left), rest, replace=False)]
        else:
            drawn = [deck[int(i)] for i in rng.integers(len(deck), size=rest)]
        cards = first + drawn
        return tuple(cards[int(i)][:-1] for i in rng.permutation(len(cards)))


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


@lru_cache(maxsize=256)
def sampler_for(dealing: Dealing) -> Sampler:
    """One sampler per setting, shared by all environments of this process."""
    return Sampler(dealing)


@lru_cache(maxsize=256)
def hands(dealing: Dealing) -> tuple[tuple[str, ...], ...]:
    """Every rank multiset that the setting admits, sorted by rank number. For 3 and 4 cards quick, for 6 slow."""
    return tuple(
        hand
        for hand in combinations_with_replacement(RANKS, dealing.count)
        if dealing.ways(hand) and dealing.admits(hand)
    )
