"""Two sources side by side: the episodes of one problem that both played, and what changed from one to the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from verienv.browsing.log_index import SOLVED, UNFINISHED
from verienv.browsing.summary import interval
from verienv.browsing.table import Array, Table
from verienv.core.shown import shown
from verienv.evaluation.comparison import joint_clusters
from verienv.evaluation.records import Setup
from verienv.evaluation.statistics import estimates

CHANGES = ("gained", "lost", "both", "neither")
"""Changes of a pair: solved by the second alone, by the first alone, by both, by neither."""
_LISTS = ("instances", "episodes")


@dataclass(frozen=True)
class Pairs:
    """Pairs of rows that played one problem in one cell under one number.

    Attributes:
        before, after: the rows of each pair.
        change: the number of its change in ``CHANGES``.
        alone: the finished episodes of either source that have no partner.
    """

    before: Array
    after: Array
    change: Array
    alone: tuple[int, int]

    def matching(self, change: str = "", cell: int | None = None, table: Table | None = None) -> Array:
        """Return the numbers of the pairs that changed so, "" for all; of one cell, where it is given."""
        if change not in ("", *CHANGES):
            raise ValueError(f"change={shown(change)}: expected {', '.join(CHANGES)}")
        passing = self.change == CHANGES.index(change) if change else np.ones(len(self.change), dtype=bool)
        if cell is not None and table is not None:
            passing = passing & (table.cell[self.before] == cell)
        return np.flatnonzero(passing)


def pair(table: Table, before: int, after: int) -> Pairs:
    """Pair the finished episodes of two sources: those of one cell, number and instance."""
    sides = [
        {
            (table.rows[row].cell, table.rows[row].episode, table.rows[row].instance): row
            for row in range(int(table.begins[source]), int(table.begins[source + 1]))
            if table.rows[row].state != UNFINISHED
        }
        for source in (before, after)
    ]
    shared = [key for key in sides[0] if key in sides[1]]
    one, other = (np.array([side[key] for key in shared], dtype=np.int64) for side in sides)
    was, now = table.state[one] == SOLVED, table.state[other] == SOLVED
    change = np.select([now & ~was, was & ~now, was & now], [0, 1, 2], 3)
    return Pairs(one, other, change, (len(sides[0]) - len(shared), len(sides[1]) - len(shared)))


def compared(table: Table, pairs: Pairs) -> list[dict[str, Any]]:
    """Return a line for each cell: the number of pairs by change, and the difference of success, after minus before.

    The interval is that of ``verienv.compare``: 95%, over clusters of either side.
    """
    found, cells = [], table.cell[pairs.before]
    for cell in dict.fromkeys(cells.tolist()):
        inside = np.flatnonzero(cells == cell)
        one, other = pairs.before[inside], pairs.after[inside]
        values = (table.state[other] == SOLVED).astype(float) - (table.state[one] == SOLVED)
        clusters = joint_clusters([table.cluster[row] for row in one], [table.cluster[row] for row in other])
        [difference] = estimates(values[:, None], clusters, paired=True, shares=[True])
        counts = np.bincount(pairs.change[inside], minlength=len(CHANGES))
        found.append(
            {
                "cell": table.cells[cell],
                "pairs": len(inside),
                "clusters": len(set(clusters)),
                **{change: int(count) for change, count in zip(CHANGES, counts, strict=True)},
                "difference": interval(difference),
            }
        )
    return found


def differences(before: Setup, after: Setup) -> list[str]:
    """Return, in words, the conditions under which shared cells of two evaluations differ."""
    found = []
    if before.env_id != after.env_id:
        found.append(f"environment {before.env_id} / {after.env_id}")
    for cell in before.cells:
        if cell in after.cells:
            mine, theirs = before.cells[cell], after.cells[cell]
            found += [
                f"{cell}: {name} {_value(mine, name)} / {_value(theirs, name)}"
                for name in sorted(mine.keys() | theirs.keys())
                if name not in _LISTS and mine.get(name) != theirs.get(name)
            ]
    return found


def _value(settings: Mapping[str, Any], name: str) -> str:
    return shown(settings[name]) if name in settings else "the default"
