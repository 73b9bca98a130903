"""A puzzle: cards, the rule that gives them numbers, and the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from verienv.arithmetic.operators import OPERATORS, parse_operators
from verienv.core.shown import shown, shown_instance
from verienv.generalpoints.cards import LARGE_CARDS, RANK_NUMBER, RANKS, SUITS, split_card
from verienv.generalpoints.rules import PRESETS, FaceRule, RuleLike

TASK = "generalpoints"
FEWEST_CARDS, MOST_CARDS = 2, 6
LARGEST_TARGET = 999_999
LARGEST_NUMBER = 999
"""The largest of the plain integers that may stand in place of cards."""

_RANK = {rank + suit: rank for rank in (*RANKS, *LARGE_CARDS) for suit in ("", *SUITS)}
_NUMBERS = "numbers-"
"""Marks the instances of plain numbers: "10-2-3-4" are cards, "numbers-10-2-3-4" are none."""


@dataclass(frozen=True, init=False)
class Puzzle:
    """Make ``target`` from the numbers of ``cards``.

    Args:
        cards: 2 to 6 ranks, A 2..10 J Q K, each with a suit letter (C, D, H, S) or without: "4", "KS". Number cards
            may go on, 14 to 19. With ``plain_numbers`` integers from 1 to 999, as texts or not.
        rule: what J, Q and K count: a preset's name, a mapping, or a FaceRule. The verifier scores by it.
        target: a positive integer of at most 6 digits.
        stated_rule: the rule that the prompt states, if not ``rule``.
        operators: those that a formula may use, a non-empty part of "+-*/".
        plain_numbers: whether ``cards`` are integers that count themselves, and no cards: there is no rule then.

    Attributes:
        ranks: the cards without suits, in order; of plain numbers their texts.
        values: the cards' numbers under ``rule``, in order.
        numbers: the values sorted.
        stated_values: their numbers under the stated rule.
        id: the instance: ranks and target. The same under every rule, visual and choice of operators.
    """

    cards: tuple[str, ...]
    rule: FaceRule
    target: int
    stated_rule: FaceRule
    operators: str
    plain_numbers: bool
    ranks: tuple[str, ...] = field(compare=False, repr=False)
    values: tuple[int, ...] = field(compare=False, repr=False)
    numbers: tuple[int, ...] = field(compare=False, repr=False)

    def __init__(
        self,
        cards: Sequence[str],
        rule: RuleLike = "ten",
        target: int = 24,
        stated_rule: RuleLike | None = None,
        operators: str = OPERATORS,
        plain_numbers: bool = False,
    ) -> None:
        hand = cards if type(cards) is tuple else _tuple_of(cards)
        if not FEWEST_CARDS <= len(hand) <= MOST_CARDS:
            raise ValueError(
                f"cards={shown(cards)}: expected {FEWEST_CARDS} to {MOST_CARDS} cards, e.g. ('A', '4', 'J', 'Q')"
            )
        if type(target) is not int or not 1 <= target <= LARGEST_TARGET:  # no call where it is right
            check_target(target)
        rule = rule if isinstance(rule, FaceRule) else FaceRule.of(rule)
        if plain_numbers:
            hand = ranks = _number_texts(hand)
            values = tuple(map(int, ranks))
            if not rule == FaceRule.of(rule if stated_rule is None else stated_rule) == PRESETS["ten"]:
                raise ValueError("plain numbers count themselves and have no rule: leave rule and stated_rule out")
        else:
            try:
                ranks = tuple(map(_RANK.__getitem__, hand))
            except (KeyError, TypeError):
                ranks = tuple([split_card(card)[0] for card in hand])  # raises
            values = tuple(map(rule.values.__getitem__, ranks))
        self.__dict__.update(  # at once: a frozen dataclass sets each attribute by a call
            cards=hand,
            rule=rule,
            target=target,
            stated_rule=rule if stated_rule is None or stated_rule is rule else FaceRule.of(stated_rule),
            operators=operators if operators is OPERATORS else parse_operators(operators),
            plain_numbers=plain_numbers,
            ranks=ranks,
            values=values,
            numbers=tuple(sorted(values)),
        )

    @property
    def id(self) -> str:
        return f"{TASK}:{_NUMBERS if self.plain_numbers else ''}{'-'.join(self.ranks)}:{self.target}"

    @property
    def stated_values(self) -> tuple[int, ...]:
        if self.stated_rule is self.rule or self.plain_numbers:
            return self.values
        return tuple([self.stated_rule.values[rank] for rank in self.ranks])

    @property
    def problem(self) -> str:
        """The problem without its wording: sorted values and target. The unit by which evaluation clusters."""
        return f"{TASK}:{','.join(map(str, self.numbers))}:{self.target}"


def _tuple_of(cards: Sequence[str]) -> tuple[str, ...]:
    if isinstance(cards, str) or not hasattr(cards, "__iter__"):
        return ()
    return tuple(islice(cards, MOST_CARDS + 1))


def _number_texts(hand: Sequence[str | int]) -> tuple[str, ...]:
    """Return plain numbers as texts. Raises ValueError for what is none."""
    for number in hand:
        text = str(number) if type(number) in (int, str) else ""
        if not (0 < len(text) < 4 and text.isascii() and text.isdigit() and text[0] != "0"):
            raise ValueError(f"number {shown(number)}: expected an integer from 1 to {LARGEST_NUMBER}")
    return tuple(map(str, hand))


def check_target(target: int) -> int:
    """``target`` if it is a positive integer of at most 6 digits. Raises ValueError."""
    if isinstance(target, bool) or not isinstance(target, int) or not 1 <= target <= LARGEST_TARGET:
        raise ValueError(f"target={shown(target)}: expected an integer from 1 to {LARGEST_TARGET}")
    return target


def parse_numbers(numbers: Any) -> tuple[int, int] | None:
    """Return the least and the greatest of plain numbers, None for cards. Raises ValueError for what is neither."""
    if numbers is None:
        return None
    pair = tuple(numbers) if isinstance(numbers, list | tuple) else ()
    if len(pair) == 2 and all(type(each) is int for each in pair) and 1 <= pair[0] <= pair[1] <= LARGEST_NUMBER:
        return pair
    raise ValueError(
        f"numbers={shown(numbers)}: expected the least and the greatest, such as (1, 99), from 1 to {LARGEST_NUMBER}"
    )


def read_instance(instance: str) -> Puzzle:
    """The puzzle of an instance id such as "generalpoints:A-4-J-Q:24", under rule "ten". Raises ValueError."""
    parts = instance.split(":") if isinstance(instance, str) and len(instance) < 100 else []
    if len(parts) != 3 or parts[0] != TASK or not (parts[2].isascii() and parts[2].isdigit()):
        raise ValueError(
            f"instance={shown_instance(instance)} is no GeneralPoints instance; take info['instance'] of a "
            "GeneralPoints environment, e.g. 'generalpoints:A-4-J-Q:24'"
        )
    plain_numbers = parts[1].startswith(_NUMBERS)
    cards = tuple(parts[1].removeprefix(_NUMBERS).split("-"))
    puzzle = Puzzle(cards, target=int(parts[2]), plain_numbers=plain_numbers)
    if puzzle.id != instance:
        raise ValueError(f"instance={shown_instance(instance)} is not written as info['instance'] is: {puzzle.id!r}")
    return puzzle


def side_keys(ranks: Sequence[str], values: Sequence[int]) -> tuple[str, str]:
    """The keys that place a hand on a side: the clipped multiset of its rank numbers, and that of its values.

    Clipping at 10 keeps apart what one rule would merge: under J = Q = K = 10 the hands A 4 6 J and A 4 6 10 are
    one problem. With both keys on a side, no value multiset dealt there under one rule is dealt on the other
    side under another.
    """
    return _key(tuple([RANK_NUMBER[rank] for rank in ranks])), _key(tuple(values))


def number_key(values: Sequence[int]) -> str:
    """The key that places plain numbers on a side: their multiset, clipped as cards' are where none exceeds 19.

    So numbers up to 19 that are a hand's values lie on the hand's side; larger ones are parted by what they are.
    """
    return _key(tuple(values)) if max(values) <= _LARGEST_OF_CARDS else ",".join(map(str, sorted(values)))


_LARGEST_OF_CARDS = max(RANK_NUMBER.values())


def _key(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, sorted(min(number, 10) for number in numbers)))
