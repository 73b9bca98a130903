"""Write the cells that a study of small starts reports: train-side hands under J = Q = K = 10 and under 11-12-13.

    python tools/build_start_cells.py

It writes examples/cells/gp_arithmetic.json, gp_rule.json and gp_sight.json, lists of instances with a face card, whose
problems are those that no start is judged on before it is stopped (`starts/hands.py`). The builder reads none of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from starts.hands import Deck, is_for_stopping
from starts.kinds import HELD_OUT, KINDS, TEN, Kind
from starts.sight.kind import SIGHT, Sight
from verienv.generalpoints import FaceRule

OUT = Path(__file__).parents[1] / "examples" / "cells"
Cells = Mapping[str, tuple[FaceRule, Mapping[str, str | float], int]]
"""Cells by their names: rule, settings and number of episodes."""
OLD_RULE = {"split": "train"}
NEW_RULE = {"split": "rule_ood", "side": "train"}
CELLS: Cells = {
    "train side, J=Q=K=10": (TEN, OLD_RULE, 512),
    "train side, 11-12-13": (HELD_OUT, NEW_RULE, 1024),
}
SIGHT_CELLS: Cells = {
    "black, J=Q=K=10": (TEN, {**OLD_RULE, "suits": "black"}, 512),
    "black, 11-12-13": (HELD_OUT, {**NEW_RULE, "suits": "black"}, 1024),
    "red, J=Q=K=10": (TEN, {**OLD_RULE, "suits": "red"}, 1024),
    "red, 11-12-13": (HELD_OUT, {**NEW_RULE, "suits": "red"}, 512),
    "black by lamplight, J=Q=K=10": (TEN, {**OLD_RULE, "suits": "black", "light": 0.2}, 512),
}
"""By sight every cell is of the train side, and of hands that two suits can make."""


def cells_of(kind: Kind) -> dict[str, dict[str, Any]]:
    """Return the cells of a kind of start."""
    seeing = isinstance(kind, Sight)
    deck, rng = Deck(kind.cards, "black" if seeing else "all"), np.random.default_rng([kind.cards, 24])
    found = {}
    for name, (rule, settings, episodes) in (SIGHT_CELLS if seeing else CELLS).items():
        reported = np.array([not is_for_stopping(tuple(row)) for row in deck.numbers(rule).tolist()])
        puzzles = deck.deal(rule, deck.weights(rule, with_face=True) * reported, episodes, rng)
        own: dict[str, Any] = {"face_cards": "condition", "cards": kind.cards, "attempts": 1}
        own |= {"image_size": kind.size, **kind.visual} if isinstance(kind, Sight) else {}
        found[name] = {**settings, **own, "instances": [puzzle.id for puzzle in puzzles]}
    return found


def written(kind: Kind) -> str:
    """Return the cells of a kind as JSON, a cell a line."""
    lines = [f"  {json.dumps(name)}: {json.dumps(cell)}" for name, cell in cells_of(kind).items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    for kind in (*KINDS.values(), SIGHT):
        path = OUT / f"{kind.name.replace('-', '_')}.json"
        path.write_text(written(kind))
        print(path.name, f"{path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
