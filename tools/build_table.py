"""Build assets/tables/four_cards.npz: which targets from 1 to 256 each hand of four values 1..13 reaches.

python tools/build_table.py
"""

from itertools import combinations
from pathlib import Path

import numpy as np
from tqdm import tqdm

from verienv.generalpoints.solver import multisets
from verienv.generalpoints.table import LARGEST_TARGET, LARGEST_VALUE, TABLE


def reachable(values: tuple[int, ...]) -> set[tuple[int, int]]:
    """Every value of an expression over ``values``, as reduced fractions. Shares no code with the solver."""
    from fractions import Fraction

    def search(numbers: frozenset[tuple[int, Fraction]] | tuple[Fraction, ...]) -> set[Fraction]:
        if len(numbers) == 1:
            return {numbers[0]}
        key = tuple(sorted(numbers))
        if key not in known:
            results: set[Fraction] = set()
            for i, j in combinations(range(len(numbers)), 2):
                a, b = numbers[i], numbers[j]
                rest = tuple(numbers[k] for k in range(len(numbers)) if k not in (i, j))
                made = {a + b, a - b, b - a, a * b}
                made |= {a / b} if b else set()
                made |= {b / a} if a else set()
                for value in made:
                    results |= search((*rest, value))
            known[key] = results
        return known[key]

    known: dict[tuple[Fraction, ...], set[Fraction]] = {}
    return search(tuple(Fraction(value) for value in values))


def main() -> None:
    hands = list(multisets(LARGEST_VALUE, 4))
    reached = np.zeros((len(hands), LARGEST_TARGET), bool)
    for row, hand in enumerate(tqdm(hands, desc="hands")):
        for value in reachable(hand):
            if value.denominator == 1 and 1 <= value <= LARGEST_TARGET:
                reached[row, int(value) - 1] = True
    path = Path(__file__).parents[1] / "assets" / TABLE
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, reaches=np.packbits(reached, axis=1))
    print(f"{path.name}: {path.stat().st_size} bytes; {reached[:, 23].sum()} of {len(hands)} hands reach 24")


if __name__ == "__main__":
    main()
