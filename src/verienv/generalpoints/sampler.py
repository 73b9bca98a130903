"""Dealing: which hands a setting admits, and how one is drawn."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, combinations_with_replacement, permutations
from math import comb, factorial, prod
from operator import itemgetter
from typing import Literal, get_args

import numpy as np

from verienv.arithmetic.operators import OPERATORS, parse_operators
from verienv.core.shown import shown
from verienv.core.sides import Side, on_side
from verienv.generalpoints.cards import FACES, LARGE_CARDS, RANKS, SUIT_LETTERS, Suits
from verienv.generalpoints.difficulty import ANY, Difficulty, Wanted, check_wanted, difficulty_of, tally
from verienv.generalpoints.puzzle import (
    FEWEST_CARDS,
    MOST_CARDS,
    Puzzle,
    check_target,
    number_key,
    parse_numbers,
    side_keys,
)
from verienv.generalpoints.rules import PRESETS, FaceRule
from verienv.generalpoints.table import reaches

Sampling = Literal["deck", "iid"]
FaceCards = Literal["any", "condition", "force"]
Solvable = Literal["both", "scored"]
MAX_DEALS = 1000
MAX_RARE_DEALS = 50_000
"""Deals until one is admitted, where few may be: of plain numbers, or with fewer operators."""


@dataclass(frozen=True)
class Dealing:
    """The hands that may be dealt.

    Attributes:
        count: cards in a hand, 2 to 6.
        rule: the scored rule; every hand dealt can reach the target under it.
        stated_rule: the rule that the question states.
        solvable: "both" for hands that can reach the target under ``stated_rule`` too; "scored" for any.
        target: what to make.
        sampling: "deck" draws without replacement from the deck's cards; "iid" draws each rank and suit afresh.
        face_cards: "any"; "condition" keeps the hands with at least one of J, Q, K; "force" draws one face card
            first and the rest after it, which favours hands with one face card less.
        suits: the suits in the deck: "all", "black" (clubs, spades) or "red" (diamonds, hearts).
        side: the side of the split on which hands must lie.
        operators: those with which hands must reach the target.
        largest_card: the largest number card of the deck: 13 for none beyond the face cards, to 19 for 14 to 19 too.
        large_cards: as ``face_cards``, of the number cards from 14 on.
        numbers: the least and the greatest of plain integers, drawn alike and with replacement in place of cards.
        wanted: the difficulties, under ``rule``, that hands must have.
    """

    count: int = 4
    rule: FaceRule = PRESETS["ten"]
    stated_rule: FaceRule = PRESETS["ten"]
    target: int = 24
    sampling: Sampling = "deck"
    face_cards: FaceCards = "any"
    suits: Suits = "all"
    side: Side = "all"
    solvable: Solvable = "both"
    operators: str = OPERATORS
    largest_card: int = 13
    large_cards: FaceCards = "any"
    numbers: tuple[int, int] | None = None
    wanted: Wanted = ANY

    def __post_init__(self) -> None:
        check_target(self.target)
        if type(self.count) is not int or not FEWEST_CARDS <= self.count <= MOST_CARDS:
            raise ValueError(f"count={shown(self.count)}: expected {FEWEST_CARDS} to {MOST_CARDS} cards")
        for name in ("rule", "stated_rule"):
            if not isinstance(getattr(self, name), FaceRule):
                raise ValueError(f"{name}={shown(getattr(self, name))}: expected a FaceRule; FaceRule.of reads others")
        for name, words in _WORDS.items():
            if getattr(self, name) not in get_args(words):
                raise ValueError(f"{name}={shown(getattr(self, name))}: expected one of {', '.join(get_args(words))}")
        if self.operators != parse_operators(self.operators):
            raise ValueError(f"operators={shown(self.operators)}: expected them as {parse_operators(self.operators)!r}")
        if type(self.largest_card) is not int or not 13 <= self.largest_card <= 19:
            raise ValueError(f"largest_card={shown(self.largest_card)}: expected 13 to 19")
        if self.largest_card == 13 and self.large_cards != "any":
            raise ValueError(f"large_cards={self.large_cards!r}: there are none; set largest_card to 14 to 19")
        if self.face_cards == self.large_cards == "force":
            raise ValueError("face_cards and large_cards are both 'force', but one card is drawn first: force one")
        if self.numbers is not None:
            parse_numbers(self.numbers)
            for name, plain in _OF_CARDS.items():
                if getattr(self, name) != plain:
                    given = getattr(self, name)
                    given = given.name if isinstance(given, FaceRule) else given
                    raise ValueError(f"{name}={shown(given)} is for cards; leave it out where numbers are dealt")
        check_wanted(self.wanted, self.count)

    def admits(self, ranks: Sequence[str]) -> bool:
        """Whether a hand of these ranks may be dealt."""
        return (
            (self.face_cards == "any" or any(rank in FACES for rank in ranks))
            and (self.large_cards == "any" or any(rank in LARGE_CARDS for rank in ranks))
            and self.on_side(ranks)
            and self.holds(ranks)
            and (not self.wanted or self.wanted.admits(self.difficulty(ranks)))
        )

    def difficulty(self, ranks: Sequence[str]) -> Difficulty:
        """Return the difficulty of a hand under the scored rule."""
        return difficulty_of(self._valuations(ranks)[0], self.target, self.operators)

    def holds(self, ranks: Sequence[str]) -> bool:
        """Whether the deck holds the hand, and the target can be made under the rules it must. Sides aside."""
        if self.numbers:
            least, most = self.numbers
            return all(least <= int(rank) <= most for rank in ranks) and self._solves(ranks)
        if not set(self.ranks).issuperset(ranks):
            return False
        if self.sampling == "deck" and any(ranks.count(rank) > len(SUIT_LETTERS[self.suits]) for rank in set(ranks)):
            return False
        return self._solves(ranks)

    def fits(self, puzzle: Puzzle) -> bool:
        """Whether a puzzle's hand and target may be asked for by its instance. Rule and side aside."""
        return (
            puzzle.target == self.target
            and len(puzzle.ranks) == self.count
            and puzzle.plain_numbers == (self.numbers is not None)
            and self.holds(puzzle.ranks)
        )

    @property
    def ranks(self) -> tuple[str, ...]:
        """The ranks of the deck."""
        return RANKS + LARGE_CARDS[: self.largest_card - 13]

    def _solves(self, ranks: Sequence[str]) -> bool:
        valuations = self._valuations(ranks)
        must = valuations if self.solvable == "both" else valuations[:1]
        return all(reaches(values, self.target, self.operators) for values in must)

    def on_side(self, ranks: Sequence[str]) -> bool:
        """Whether all keys of the hand lie on this side: those under the stated rule too, solvable or not."""
        if self.numbers:
            return on_side([number_key(list(map(int, ranks)))], self.side)
        return self.side == "all" or all(
            on_side(side_keys(ranks, values), self.side) for values in self._valuations(ranks)
        )

    def _valuations(self, ranks: Sequence[str]) -> list[list[int]]:
        """The cards' numbers under each rule in play, the scored one first."""
        if self.numbers:
            return [list(map(int, ranks))]
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
        if self.large_cards == "force":
            drawn *= sum(rank in LARGE_CARDS for rank in ranks)
        return drawn

    def __str__(self) -> str:
        stated = "" if self.stated_rule == self.rule else f" (stated {self.stated_rule.name})"
        allowed = "" if self.operators == OPERATORS else f"operators {self.operators}, "
        if self.numbers:
            least, most = self.numbers
            dealt = f"{self.count} numbers from {least} to {most}"
            return f"target {self.target}, {dealt}, {allowed}side {self.side}{self.wanted}"
        large = "" if self.largest_card == 13 else f"large_cards {self.large_cards} to {self.largest_card}, "
        return (
            f"target {self.target}, rule {self.rule.name}{stated}, {self.count} cards, {allowed}"
            f"face_cards {self.face_cards}, {large}suits {self.suits}, side {self.side}{self.wanted}"
        )


_WORDS = {
    "sampling": Sampling,
    "face_cards": FaceCards,
    "large_cards": FaceCards,
    "suits": Suits,
    "side": Side,
    "solvable": Solvable,
}
_OF_CARDS = {
    "rule": PRESETS["ten"],
    "stated_rule": PRESETS["ten"],
    "face_cards": "any",
    "largest_card": 13,
    "suits": "all",
}
"""The fields that say something of cards, where they say nothing."""


class Sampler:
    """Draws hands. With two or four cards of the deck every hand is known beforehand and one random integer chooses
    exactly; else, or where it ``lists`` none, hands are drawn until one is admitted."""

    def __init__(self, dealing: Dealing, *, lists: bool = True) -> None:
        self.dealing = dealing
        self._of_any_difficulty = replace(dealing, wanted=ANY)
        self._knows_all = lists and dealing.numbers is None and dealing.largest_card == 13 and dealing.count in (2, 4)
        if self._knows_all:
            self.hands = hands(dealing)
            if not self.hands:
                raise ValueError(f"no hand can be dealt: {dealing}; {_remedy(dealing)}")
            self._upto = list(accumulate(dealing.ways(hand) for hand in self.hands))
            self._orders = [itemgetter(*order) for order in permutations(range(dealing.count))]
            self._draws = self._upto[-1] * len(self._orders)
        elif dealing.wanted or dealing.numbers or dealing.operators != OPERATORS or dealing.largest_card > 13:
            self.check()

    def deal(self, rng: np.random.Generator) -> tuple[str, ...]:
        """Draw the ranks of a hand, in the order of the table.

        Raises:
            ValueError: if 1,000 deals (50,000 of numbers, or with fewer operators) brought no hand that the setting
                admits, where not all hands are known.
        """
        if not self._knows_all:
            return self._deal_by_rejection(rng)
        index, order = divmod(int(rng.integers(self._draws)), len(self._orders))
        hand = self.hands[bisect_right(self._upto, index)]
        dealt: tuple[str, ...] = self._orders[order](hand)
        return dealt

    def check(self) -> None:
        """Raise ValueError unless a hand can be dealt."""
        self.deal(np.random.default_rng(0))

    def _deal_by_rejection(self, rng: np.random.Generator) -> tuple[str, ...]:
        is_rare = self.dealing.numbers or self.dealing.operators != OPERATORS
        deals = MAX_RARE_DEALS if is_rare else MAX_DEALS
        wanted, met = self.dealing.wanted, list[Difficulty]()
        for _ in range(deals):
            ranks = self._draw(rng)
            if self._of_any_difficulty.admits(ranks):
                if not wanted or wanted.admits(found := self.dealing.difficulty(ranks)):
                    return ranks
                met.append(found)
                if len(met) == MAX_DEALS:
                    break
        remedy = f"there were {tally(met)}" if met else "choose a target and rule that more hands meet"
        raise ValueError(f"{deals} deals brought no hand with {self.dealing}; {remedy}")

    def _draw(self, rng: np.random.Generator) -> tuple[str, ...]:
        setting, letters = self.dealing, SUIT_LETTERS[self.dealing.suits]
        if setting.numbers:
            least, most = setting.numbers
            return tuple(map(str, rng.integers(least, most + 1, size=setting.count).tolist()))
        deck = [rank + suit for rank in setting.ranks for suit in letters]
        kind = FACES if setting.face_cards == "force" else LARGE_CARDS if setting.large_cards == "force" else ()
        forced = [card for card in deck if card[:-1] in kind]
        first = [forced[int(rng.integers(len(forced)))]] if forced else []
        rest = setting.count - len(first)
        if setting.sampling == "deck":
            left = [card for card in deck if card not in first]
            drawn = [left[int(i)] for i in rng.choice(len(left), rest, replace=False)]
        else:
            drawn = [deck[int(i)] for i in rng.integers(len(deck), size=rest)]
        cards = first + drawn
        return tuple(cards[int(i)][:-1] for i in rng.permutation(len(cards)))


def _remedy(dealing: Dealing) -> str:
    """Return what to do where no hand can be dealt: which difficulties there are, if that is what is missing."""
    others = hands(replace(dealing, wanted=ANY)) if dealing.wanted else ()
    found = [dealing.difficulty(hand) for hand in others]
    return f"there are {tally(found)}" if found else "change target or rule, or widen side or suits"


@lru_cache(maxsize=256)
def sampler_for(dealing: Dealing) -> Sampler:
    """One sampler per setting, shared by all environments of this process."""
    return Sampler(dealing)


@lru_cache(maxsize=256)
def hands(dealing: Dealing) -> tuple[tuple[str, ...], ...]:
    """Every rank multiset that the setting admits, sorted by rank number. For 3 and 4 cards quick, for 6 slow."""
    return tuple(
        hand
        for hand in combinations_with_replacement(dealing.ranks, dealing.count)
        if dealing.ways(hand) and dealing.admits(hand)
    )
