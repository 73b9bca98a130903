"""Summaries of the table: success by cell with intervals, and failures grouped."""

from __future__ import annotations

from math import isnan
from typing import Any

import numpy as np

from verienv.browsing.log_index import FAILED, MISREAD, SOLVED, UNFINISHED, UNKNOWN
from verienv.browsing.table import Array, Table
from verienv.evaluation.statistics import Estimate, estimates


def interval(estimate: Estimate) -> list[float | None]:
    """Return mean, low and high as JSON; null where they are unknown."""
    return [None if isnan(number) else float(number) for number in estimate]


def success_by_cell(table: Table) -> list[dict[str, Any]]:
    """Return a line for each cell of each source: its success, and its share misread, with 95% intervals over clusters.

    Episodes that are not over count in neither; ``unfinished`` is their number.
    """
    return [_cell(table, rows) for rows in _by_cell(table)]


def _by_cell(table: Table) -> list[Array]:
    """Return the rows of each cell of each source, in their order."""
    if not len(table):
        return []
    keys = table.source * len(table.cells) + table.cell
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(group, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(group))[:-1])
    return [parts[number] for number in np.argsort(first)]


def _cell(table: Table, rows: Array) -> dict[str, Any]:
    over = rows[table.state[rows] != UNFINISHED]
    measured = over[table.misread[over] != UNKNOWN]
    first = over[(table.state[over] == SOLVED) & (table.attempts[over] == 1)]
    return {
        "source": int(table.source[rows[0]]),
        "cell": table.cells[table.cell[rows[0]]],
        "episodes": len(over),
        "unfinished": len(rows) - len(over),
        "clusters": len({table.cluster[row] for row in over}),
        "success": share_of(table, over, table.state[over] == SOLVED),
        "misread": share_of(table, measured, table.misread[measured] == MISREAD) if len(measured) else None,
        "solved_at_once": len(first),
        "attempts": float(table.attempts[over].mean()) if len(over) else None,
        "reward": float(table.reward[over].mean()) if len(over) else None,
    }


def share_of(table: Table, rows: Array, values: Array) -> list[float | None]:
    """Return the share of rows at which ``values`` are true, with its 95% interval over clusters."""
    clusters = [table.cluster[row] for row in rows]
    return interval(estimates(values[:, None].astype(float), clusters, shares=[True])[0])


def failures(table: Table) -> list[dict[str, Any]]:
    """Return the failures that episodes ended with, the most frequent first, with numbers by cell of each source."""
    failed = table.state == FAILED
    found = []
    for number in np.argsort(-np.bincount(table.failure[failed], minlength=len(table.failures)), kind="stable"):
        rows = np.flatnonzero(failed & (table.failure == number))
        if not len(rows):
            continue
        keys, counts = np.unique(table.source[rows] * len(table.cells) + table.cell[rows], return_counts=True)
        split = [divmod(int(key), len(table.cells)) for key in keys]
        by_cell = [
            {"source": source, "cell": table.cells[cell], "episodes": int(count)}
            for (source, cell), count in zip(split, counts, strict=True)
        ]
        found.append({"failure": table.failures[number], "episodes": len(rows), "cells": by_cell})
    return found
