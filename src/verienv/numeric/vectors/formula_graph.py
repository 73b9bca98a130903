"""The states of a formula in the making as a graph: which token leads from which to which, found as they are met."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from verienv.numeric.formula_builder import FormulaBuilder
from verienv.numeric.vectors.growing import double

MOST = 2**15
"""The most states to keep, those in play aside; some 10 MB."""
UNKNOWN = -1


class FormulaGraph:
    """States of a ``FormulaBuilder``, by number; 0 is the empty formula.

    Args:
        builder: builds the formulas; it is left with another one at each new state.

    Attributes:
        masks: int8, (states, tokens): the mask of each state.
        lengths: how many tokens lead to it.
        numbers: float32, (states, cards + 3): the parts "used", "filled", "depth" and "operand_next" of an observation.
    """

    def __init__(self, builder: FormulaBuilder) -> None:
        self._builder = builder
        self._states: dict[Any, int] = {}
        self._tokens: list[tuple[int, ...]] = []
        self.masks: NDArray[np.int8] = np.zeros((256, builder.done + 1), np.int8)
        self.lengths: NDArray[np.int64] = np.zeros(256, np.int64)
        self.numbers: NDArray[np.float32] = np.zeros((256, builder.cards + 3), np.float32)
        self._next: NDArray[np.int32] = np.full((256, builder.done), UNKNOWN, np.int32)
        self.state_of(())

    def __len__(self) -> int:
        return len(self._tokens)

    def state_of(self, tokens: tuple[int, ...]) -> int:
        """Return the number of the state to which allowed tokens lead."""
        builder = self._builder
        builder.clear()
        for token in tokens:
            builder.push(token)
        found = self._states.get(builder.state)
        if found is None:
            found = self._states[builder.state] = len(self._tokens)
            self._tokens.append(tokens)
            if found == len(self.lengths):
                double(self, {"masks": 0, "lengths": 0, "numbers": 0, "_next": UNKNOWN})
            self.masks[found] = builder.mask()
            self.lengths[found] = len(tokens)
            most = builder.max_tokens
            self.numbers[found] = [*builder.used, len(tokens) / most, builder.depth / most, builder.operand_next]
        return found

    def follow(self, states: NDArray[np.intp], tokens: NDArray[Any]) -> NDArray[np.int32]:
        """Return the states to which allowed tokens lead from ``states``."""
        found: NDArray[np.int32] = self._next[states, tokens]
        for k in np.flatnonzero(found == UNKNOWN).tolist():
            state, token = int(states[k]), int(tokens[k])
            found[k] = self.state_of((*self._tokens[state], token))
            self._next[state, token] = found[k]
        return found
