"""Write the cells that a study of small starts reports: train-side hands under J = Q = K = 10 and under 11-12-13.

    python tools/build_start_cells.py

It writes examples/cells/gp_arithmetic.json and gp_rule.json, lists of instances with a face card, whose problems are
those that no start is judged on before it is stopped (`starts/hands.py`). `tools/build_starts.py` reads neither.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from starts.hands import Deck, is_for_stopping
from starts.kinds import HELD_OUT, KINDS, TEN, Kind

OUT = Path(__file__).parents[1] / "examples" / "cells"
CELLS = {
    "train side, J=Q=K=10": (TEN, {"split": "train"}, 512),
    "train side, 11-12-13": (HELD_OUT, {"split": "rule_ood", "side": "train"}, 1024),
}
"""The cells: rule, settings and number of episodes."""


def cells_of(kind: Kind) -> dict[str, dict[str, Any]]:
    """Return the cells of a kind of start."""
    deck, rng = Deck(kind.cards), np.random.default_rng([kind.cards, 24])
    found = {}
    for name, (rule, settings, episodes) in CELLS.items():
        reported = np.array([not is_for_stopping(tuple(row)) for row in deck.numbers(rule).tolist()])
        puzzles = deck.deal(rule, deck.weights(rule, with_face=True) * reported, episodes, rng)
        own = {"face_cards": "condition", "cards": kind.cards, "attempts": 1}
        found[name] = {**settings, **own, "instances": [puzzle.id for puzzle in puzzles]}
    return found


def written(kind: Kind) -> str:
    """Return the cells of a kind as JSON, a cell a line."""
    lines = [f"  {json.dumps(name)}: {json.dumps(cell)}" for name, cell in cells_of(kind).items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    for kind in KINDS.values():
        path = OUT / f"{kind.name.replace('-', '_')}.json"
        path.write_text(written(kind))
        print(path.name, f"{path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
