"""A formula put together token by token, and which token may come next: the grammar as a state machine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from verienv.arithmetic.expression import MAX_DEPTH, MAX_INTEGERS
from verienv.arithmetic.operators import OPERATORS

SYMBOLS = ("+", "-", "*", "/", "(", ")")
DONE = "done"

Mask = NDArray[np.int8]
"""One entry a token, 1 for those that may come next."""


class FormulaBuilder:
    """The tokens so far, and the mask over the next one.

    With n cards, token i < n is the number of card i, then come + - * / ( ) and, last, "done", which ends the formula
    and is never pushed. As in ``parse_formula`` a sign may stand before a factor, but not two in a row.

    Args:
        cards: how many cards there are, n.
        max_tokens: the longest formula, "done" aside.
        strict: see ``mask``.
        operators: those that the mask allows, as signs too.

    Attributes:
        tokens: those pushed so far.
        used: for each card, whether its number stands among them.
        depth: how many parentheses are open.
        operand_next: whether a number is due, with or without signs and parentheses before it, or an operator.
    """

    def __init__(self, cards: int, max_tokens: int, strict: bool = False, operators: str = OPERATORS) -> None:
        self.cards, self.max_tokens, self.strict = cards, max_tokens, strict
        self._plus, self._minus, self._times, self._over, self._open, self._close, self.done = range(cards, cards + 7)
        self._forbidden = [cards + SYMBOLS.index(symbol) for symbol in OPERATORS if symbol not in operators]
        self.clear()

    def clear(self) -> None:
        """Forget all tokens."""
        self.tokens: list[int] = []
        self.used = [False] * self.cards
        self.depth = 0
        self.operand_next = True
        self._signed = False
        self._integers = 0

    def push(self, token: int) -> None:
        """Add a token that the mask allows, other than "done"."""
        self.tokens.append(token)
        if token < self.cards:
            self.used[token] = True
            self._integers += 1
            self.operand_next = False
        elif token == self._open:
            self.depth += 1
            self._signed = False
        elif token == self._close:
            self.depth -= 1
        else:
            self._signed = self.operand_next
            self.operand_next = True

    def mask(self) -> Mask:
        """Return the mask of the tokens that may come next: int8, shape (n + 7,), a fresh array, at least one entry 1.

        A token is allowed if and only if some continuation of at most ``max_tokens`` tokens in all is a formula that
        the verifier calls legal. With ``strict`` the formula must also hold each card exactly once.
        """
        mask = self._mask()
        mask[self._forbidden] = 0
        return mask

    def _mask(self) -> Mask:
        """Return it as if every operator were allowed."""
        mask = np.zeros(self.cards + 7, np.int8)
        left = self.max_tokens - len(self.tokens)
        to_come = self.used.count(False) if self.strict else 1  # numbers that must still come, if one is due
        shortest = 2 * to_come - 1 + self.depth  # tokens to a complete formula from where a number is due
        if self.operand_next:
            mask[: self.cards] = [not used for used in self.used] if self.strict else 1
            if left > shortest and not self._signed:
                mask[self._plus] = mask[self._minus] = 1
            if left > shortest + 1 and self.depth < MAX_DEPTH:
                mask[self._open] = 1
            return mask
        if left > shortest and to_come and self._integers < MAX_INTEGERS:
            mask[self._plus : self._open] = 1
        if self.depth:
            mask[self._close] = 1
        elif not (self.strict and to_come):
            mask[self.done] = 1
        return mask

    @property
    def state(self) -> tuple[int | bool, ...]:
        """All of the tokens so far that the masks now and later hang on: formulas that share it go on alike."""
        return len(self.tokens), self.depth, self.operand_next, self._signed, self._integers, *self.used

    def text(self, numbers: Sequence[int]) -> str:
        """The formula so far over the cards' numbers, tokens apart by a space: two numbers never merge into one."""
        words = [*map(str, numbers), *SYMBOLS]
        return " ".join([words[token] for token in self.tokens])

    def handed_in(self, token: int, numbers: Sequence[int]) -> str:
        """The formula that ``token`` hands in: that so far, with the token itself unless it is "done"."""
        formula = self.text(numbers)
        return formula if token == self.done else f"{formula} {self.spell(token, numbers)}".strip()

    def spell(self, token: int, numbers: Sequence[int]) -> str:
        """Return one token as text."""
        return str(numbers[token]) if token < self.cards else SYMBOLS[token - self.cards]

    def tokens_of(self, formula: str, numbers: Sequence[int]) -> list[int]:
        """The tokens of a plain formula over the cards' numbers, each card used once, equal ones from the left.

        Raises:
            ValueError: if the formula holds a number that is on no card left.
        """
        spaced = formula
        for symbol in SYMBOLS:
            spaced = spaced.replace(symbol, f" {symbol} ")
        waiting: list[int | None] = list(numbers)
        tokens = []
        for word in spaced.split():
            if word in SYMBOLS:
                tokens.append(self.cards + SYMBOLS.index(word))
            else:
                token = waiting.index(int(word))
                waiting[token] = None
                tokens.append(token)
        return tokens
