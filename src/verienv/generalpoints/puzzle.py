"""A puzzle: cards, the rule that gives them numbers, and the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from verienv.core.shown import shown, shown_instance
from verienv.generalpoints.cards import RANK_NUMBER, RANKS, SUITS, split_card
from verienv.generalpoints.rules import FaceRule, RuleLike

TASK = "generalpoints"
FEWEST_CARDS, MOST_CARDS = 3, 6
LARGEST_TARGET = 999_999

_RANK = {rank + suit: rank for rank in RANKS for suit in ("", *SUITS)}


@dataclass(frozen=True, init=False)
class Puzzle:
    """Make ``target`` from the numbers of ``cards``.

    Args:
        cards: 3 to 6 ranks, A 2..10 J Q K, each with a suit letter (C, D, H, S) or without: "4", "KS".
        rule: what J, Q and K count: a preset's name, a mapping, or a FaceRule. The verifier scores by it.
        target: a positive integer of at most 6 digits.
        stated_rule: the rule that the prompt states, if not ``rule``.

    Attributes:
        ranks: the cards without suits, in order.
        values: the cards' numbers under ``rule``, in order.
        numbers: the values sorted.
        stated_values: their numbers under the stated rule.
        id: the instance: ranks and target. The same under every rule and visual.
    """

    cards: tuple[str, ...]
    rule: FaceRule
    target: int
    stated_rule: FaceRule
    ranks: tuple[str, ...] = field(compare=False, repr=False)
    values: tuple[int, ...] = field(compare=False, repr=False)
    numbers: tuple[int, ...] = field(compare=False, repr=False)

    def __init__(
        self,
        cards: Sequence[str],
        rule: RuleLike = "ten",
        target: int = 24,
        stated_rule: RuleLike | None = None,
    ) -> None:
        hand = cards if type(cards) is tuple else _tuple_of(cards)
        if not FEWEST_CARDS <= len(hand) <= MOST_CARDS:
            raise ValueError(
                f"cards={shown(cards)}: expected {FEWEST_CARDS} to {MOST_CARDS} cards, e.g. ('A', '4', 'J', 'Q')"
            )
        check_target(target)
        rule = rule if isinstance(rule, FaceRule) else FaceRule.of(rule)
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
            ranks=ranks,
            values=values,
            numbers=tuple(sorted(values)),
        )

    @property
    def id(self) -> str:
        return f"{TASK}:{'-'.join(self.ranks)}:{self.target}"

    @property
    def stated_values(self) -> tuple[int, ...]:
        if self.stated_rule is self.rule:
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


def check_target(target: int) -> int:
    """``target`` if it is a positive integer of at most 6 digits. Raises ValueError."""
    if isinstance(target, bool) or not isinstance(target, int) or not 1 <= target <= LARGEST_TARGET:
        raise ValueError(f"target={shown(target)}: expected an integer from 1 to {LARGEST_TARGET}")
    return target


def read_instance(instance: str) -> tuple[tuple[str, ...], int]:
    """Ranks and target of an instance id such as "generalpoints:A-4-J-Q:24". Raises ValueError."""
    parts = instance.split(":") if isinstance(instance, str) and len(instance) < 100 else []
    if len(parts) != 3 or parts[0] != TASK or not (parts[2].isascii() and parts[2].isdigit()):
        raise ValueError(
            f"instance={shown_instance(instance)} is no GeneralPoints instance; take info['instance'] of a "
            "GeneralPoints environment, e.g. 'generalpoints:A-4-J-Q:24'"
        )
    puzzle = Puzzle(tuple(parts[1].split("-")), target=int(parts[2]))
    if puzzle.id != instance:
        raise ValueError(f"instance={shown_instance(instance)} is not written as info['instance'] is: {puzzle.id!r}")
    return puzzle.ranks, puzzle.target


def side_keys(ranks: Sequence[str], values: Sequence[int]) -> tuple[str, str]:
    """The keys that place a hand on a side: the clipped multiset of its rank numbers, and that of its values.

    Clipping at 10 keeps apart what one rule would merge: under J = Q = K = 10 the hands A 4 6 J and A 4 6 10 are
    one problem. With both keys on a side, no value multiset dealt there under one rule is dealt on the other
    side under another.
    """
    return _key(tuple([RANK_NUMBER[rank] for rank in ranks])), _key(tuple(values))


def _key(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, sorted(min(number, 10) for number in numbers)))
