"""Build assets/tables/four_cards.npz: which targets from 1 to 256 each hand of four values 1..13 reaches.

python tools/build_table.py

It searches with Fraction and shares no code with the solver, which the tests compare with the table.
"""

from fractions import Fraction
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
from tqdm import tqdm

from verienv.arithmetic.solver import multisets
from verienv.generalpoints.table import LARGEST_TARGET, LARGEST_VALUE, TABLE


@cache
def reachable(numbers: tuple[Fraction, ...]) -> frozenset[Fraction]:
    """Every value of an expression that uses each of the sorted ``numbers`` once."""
    if len(numbers) == 1:
        return frozenset(numbers)
    values: set[Fraction] = set()
    for i, j in combinations(range(len(numbers)), 2):
        rest = [number for place, number in enumerate(numbers) if place not in (i, j)]
        for made in joined(numbers[i], numbers[j]):
            values |= reachable(tuple(sorted([*rest, made])))
    return frozenset(values)


def joined(a: Fraction, b: Fraction) -> set[Fraction]:
    """What one operation makes of two numbers, in either order."""
    made = {a + b, a - b, b - a, a * b}
    if b:
        made.add(a / b)
    if a:
        made.add(b / a)
    return made


def main() -> None:
    hands = list(multisets(LARGEST_VALUE, 4))
    reached = np.zeros((len(hands), LARGEST_TARGET), bool)
    for row, hand in enumerate(tqdm(hands, desc="hands")):
        for value in reachable(tuple(map(Fraction, hand))):
            if value.denominator == 1 and 1 <= value <= LARGEST_TARGET:
                reached[row, int(value) - 1] = True
    path = Path(__file__).parents[1] / "assets" / TABLE
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, reaches=np.packbits(reached, axis=1))
    print(f"{path.name}: {path.stat().st_size} bytes; {reached[:, 23].sum()} of {len(hands)} hands reach 24")


if __name__ == "__main__":
    main()
