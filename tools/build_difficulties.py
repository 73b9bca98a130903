"""Build assets/tables/difficulties.npz: how many solutions each hand of four values 1..13 has for 24, and its level.

python tools/build_difficulties.py
"""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from verienv.arithmetic.solver import multisets
from verienv.generalpoints.difficulty import DIFFICULTIES, TABLE_TARGET, counted
from verienv.generalpoints.table import LARGEST_VALUE


def main() -> None:
    hands = list(multisets(LARGEST_VALUE, 4))
    found = [counted(hand, TABLE_TARGET) for hand in tqdm(hands, desc="hands")]
    counts = np.array([each.solutions for each in found], np.uint8)
    levels = np.array([each.level for each in found], np.int8)
    path = Path(__file__).parents[1] / "assets" / DIFFICULTIES
    np.savez_compressed(path, solutions=counts, levels=levels)
    by_level = ", ".join(f"{(levels == level).sum()} of level {level}" for level in range(4))
    print(f"{path.name}: {path.stat().st_size} bytes; {(counts > 0).sum()} of {len(hands)} hands make 24: {by_level}")


if __name__ == "__main__":
    main()
