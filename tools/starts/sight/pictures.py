"""Pictures of hands on the default table, as the tower takes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from starts.sight.kind import Sight
from verienv.generalpoints import Dealing, Puzzle, Visual
from verienv.generalpoints.pictures.drawing import table_for
from verienv.generalpoints.suits import with_suits

BLACK, RED = Dealing(suits="black"), Dealing(suits="red")


class Pictures:
    """Draws hands as a kind sees them, a share of them in red and the others in black."""

    def __init__(self, kind: Sight, share_of_red: float) -> None:
        self.share_of_red = share_of_red
        self._table = table_for(Visual.of(kind.visual), (kind.size, kind.size), kind.cards)

    def of(self, puzzles: Sequence[Puzzle], rng: np.random.Generator) -> Tensor:
        """Return pictures of hands in suits by chance, float32 in -1..1, (hands, 3, size, size)."""
        red = rng.random(len(puzzles)) < self.share_of_red
        ways = rng.integers(2**62, size=len(puzzles)).tolist()
        drawn = [
            self._table.draw(with_suits(puzzle.ranks, RED if is_red else BLACK, way), 0)
            for puzzle, is_red, way in zip(puzzles, red, ways, strict=True)
        ]
        return torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2).float() / 127.5 - 1
