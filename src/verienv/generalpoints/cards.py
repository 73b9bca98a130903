"""Cards: ranks, suits, and the many ways a policy writes them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from verienv.core.shown import shown

RANKS = ("A", "2", "3", "4", "5", "6", "7", "8", "9", "10", "J", "Q", "K")
FACES = ("J", "Q", "K")
SUITS = {"C": "clubs", "D": "diamonds", "H": "hearts", "S": "spades"}
BLACK, RED = ("C", "S"), ("D", "H")

Suits = Literal["all", "black", "red"]
SUIT_LETTERS: dict[str, tuple[str, ...]] = {"all": ("C", "D", "H", "S"), "black": BLACK, "red": RED}

LARGE_CARDS = ("14", "15", "16", "17", "18", "19")
"""Number cards beyond the deck, for questions in words."""

RANK_NUMBER = {rank: number for number, rank in enumerate((*RANKS, *LARGE_CARDS), start=1)}
"""A = 1, ..., K = 13, 14 = 14, ..., 19 = 19: the number by which hands are keyed, whatever the rule says."""

_CARD = re.compile(r"(A|[2-9]|1[04-9]|J|Q|K)([CDHS]?)")

_NAMES = {
    "ace": "A", "one": "A", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "jack": "J", "queen": "Q", "king": "K", "t": "10", "1": "A",
    "fourteen": "14", "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_WRITTEN = re.compile(
    r"\s*(?P<rank>1[04-9]|[1-9atjqk]|ace|one|two|three|four|five|six|seven|eight|nine|ten|jack|queen|king"
    r"|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen)"
    r"(?:\s*(?:of\s+)?(?P<suit>[cdhs]|clubs?|diamonds?|hearts?|spades?|[\u2660-\u2667]\ufe0f?))?\s*",
    re.IGNORECASE | re.ASCII,
)


def split_card(card: str) -> tuple[str, str]:
    """("10", "S") for "10S", ("K", "") for "K". Raises ValueError for anything else."""
    match = _CARD.fullmatch(card) if isinstance(card, str) else None
    if match is None:
        raise ValueError(
            f"card {shown(card)}: expected a rank ({', '.join(RANKS)}, or 14 to 19), with or without a suit letter "
            "(C, D, H, S)"
        )
    return match.group(1), match.group(2)


def read_rank(item: object) -> str | None:
    """Return the rank that a response means by one item of ``cards``, or None.

    "10", "T", "ten" and 10; "A", "Ace", "1" and 1; any case; with a suit or without ("KS", "King of Spades").
    """
    if isinstance(item, str) and item in RANK_NUMBER:
        return item
    if isinstance(item, int) and not isinstance(item, bool):
        item = str(item)
    if not isinstance(item, str) or len(item) > 32:
        return None
    return _read(item)


@lru_cache(maxsize=1024)
def _read(item: str) -> str | None:
    match = _WRITTEN.fullmatch(item)
    if match is None:
        return None
    rank = match.group("rank").lower()
    return _NAMES.get(rank, rank.upper())
