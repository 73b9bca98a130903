"""The shipped table: which targets each hand of four values can reach."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from verienv.arithmetic.operators import OPERATORS
from verienv.arithmetic.solver import is_solvable, multisets
from verienv.core.assets import asset_path

LARGEST_VALUE = 13
LARGEST_TARGET = 256
TABLE = "tables/four_cards.npz"


@lru_cache(maxsize=1)
def load_table() -> NDArray[np.uint8]:
    """Bits of shape (1820, 32): bit t - 1 of row h says that hand h reaches target t, hands in sorted order.

    Made by ``tools/build_table.py``. Raises ValueError if the file is damaged.
    """
    path = asset_path(TABLE)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            bits: NDArray[np.uint8] = archive["reaches"]
    except Exception as error:  # a damaged zip raises many kinds
        raise ValueError(f"{path} is damaged ({error}); rebuild it with python tools/build_table.py") from None
    if bits.shape != (len(_hands()), LARGEST_TARGET // 8) or bits.dtype != np.uint8:
        raise ValueError(f"{path} holds {bits.dtype} {bits.shape}; rebuild it with python tools/build_table.py")
    return bits


def reaches(values: Iterable[int], target: int, operators: str = OPERATORS) -> bool:
    """Whether ``values`` can reach ``target``: looked up for four values up to 13, searched for otherwise."""
    hand = tuple(sorted(values))
    if operators != OPERATORS:
        return is_solvable(hand, target, operators)
    if len(hand) != 4 or hand[-1] > LARGEST_VALUE or hand[0] < 1 or not 1 <= target <= LARGEST_TARGET:
        return is_solvable(hand, target)
    row = load_table()[bisect_left(_hands(), hand)]
    return bool(row[(target - 1) // 8] >> (7 - (target - 1) % 8) & 1)


@lru_cache(maxsize=1)
def _hands() -> list[tuple[int, ...]]:
    return list(multisets(LARGEST_VALUE, 4))
