"""Comparison: paired differences between two evaluations on the same instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from verienv.core.shown import cut, printable, shown
from verienv.evaluation.metrics import order_metrics, pool_ratios, shown_metrics
from verienv.evaluation.records import EpisodeRecord
from verienv.evaluation.report import Evaluation
from verienv.evaluation.statistics import Estimate, estimates
from verienv.evaluation.tables import escaped, markdown_table, quantity, terminal_table
from verienv.evaluation.unmeasured import entries, format_of, merged


class CellDifference(BaseModel):
    """The differences in one cell, after minus before.

    Attributes:
        pairs: the number of paired episodes.
        clusters: the number of units of inference that they fall into.
        metrics: by name, (mean, low, high): the mean of the paired differences with its clustered 95% interval. For
            a share that is pooled over attempts (see ``CellResult``) it is the difference of the two ratios of sums.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pairs: int
    clusters: int
    metrics: dict[str, Estimate]

    @classmethod
    def of(cls, before: Sequence[EpisodeRecord], after: Sequence[EpisodeRecord], units: Mapping[str, str] = {}) -> Self:
        """Estimate the differences over pairs of episodes in the same order."""
        names = [name for name in before[0].metrics if name in after[0].metrics]
        values = [[b.metrics[name] - a.metrics[name] for name in names] for a, b in zip(before, after, strict=True)]
        clusters = joint_clusters([a.cluster for a in before], [b.cluster for b in after])
        shares = [name in before[0].shares & after[0].shares and not units.get(name) for name in names]
        found = dict(zip(names, estimates(np.array(values), clusters, paired=True, shares=shares), strict=True))
        ratios = pool_ratios(after, clusters, minus=before)
        return cls(pairs=len(values), clusters=len(set(clusters)), metrics=order_metrics(found, ratios))

    def improves(self, metric: str = "success") -> bool:
        """Return whether the interval of the difference lies above 0."""
        return self.metrics[metric].low > 0

    def worsens(self, metric: str = "success") -> bool:
        """Return whether the interval of the difference lies below 0."""
        return self.metrics[metric].high < 0


class Comparison(BaseModel):
    """The outcome of ``compare``. Print it, or take ``markdown()`` or ``to_json()``.

    Attributes:
        cells: the differences by cell.
        headings: the task's names for its metrics in tables.
        units: of metrics that are no shares, as in ``Setup``.
        note: which metrics are not compared, as the answer format of one side has no field for them; "" if all are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cells: dict[str, CellDifference]
    headings: dict[str, str]
    note: str = ""
    units: dict[str, str] = Field(default_factory=dict)

    def to_json(self) -> str:
        """Return everything as JSON."""
        return self.model_dump_json(indent=1)

    def markdown(self) -> str:
        """Return a Markdown table of the differences, in percentage points, and the note below it."""
        return self._noted(markdown_table(*escaped(*self._table())))

    def table(self, width: int | None = None) -> str:
        """Return the table for a terminal of ``width`` columns (with rich, if installed)."""
        return self._noted(terminal_table(*self._table(), width=width))

    def __str__(self) -> str:
        return self.table()

    def _noted(self, table: str) -> str:
        return f"{table}\n\n{printable(self.note)}" if self.note else table

    def _table(self) -> tuple[list[str], list[list[str]]]:
        metrics = shown_metrics(merged([*cell.metrics] for cell in self.cells.values()), self.headings)
        head = ["after - before", "pairs (clusters)", *metrics.values()]
        rows = [
            [
                name,
                f"{cell.pairs} ({cell.clusters})",
                *entries(cell.metrics, metrics, partial(quantity, signed=True), self.units),
            ]
            for name, cell in self.cells.items()
        ]
        return head, rows


def compare(before: Evaluation, after: Evaluation, cells: Mapping[str, str] | None = None) -> Comparison:
    """Estimate the paired differences, after minus before, cell by cell, with clustered 95% intervals.

    Both may word their questions and answers in ways of their own: what both measure is compared.

    Args:
        before, after: evaluations of two policies with the same arguments, or one twice.
        cells: which cell of ``before`` is compared with which cell of ``after``, for counterfactual pairs (the same
            "instances" under two rules); by default each cell that both have, with itself.

    Raises:
        ValueError: if no cell is shared, or paired episodes are not of the same instance.
    """
    if cells is None:
        cells = {name: name for name in before.cells if name in after.cells}
        if not cells:
            held = " / ".join(cut(", ".join(each.cells)) for each in (before, after))
            raise ValueError(f"the evaluations share no cell ({held}); evaluate both on one split at least")
    found, onesided, units = {}, dict[str, dict[str, None]](), before.setup.units | after.setup.units
    for one, other in cells.items():
        left, right = _episodes(before, one), _episodes(after, other)
        if [episode.instance for episode in left] != [episode.instance for episode in right]:
            raise ValueError(
                f"cells {shown(one)} and {shown(other)} do not hold the same instances ({len(left)} and {len(right)} "
                "episodes), so they cannot be paired; evaluate both with the same seed, episodes and settings"
            )
        found[one if one == other else f"{other} - {one}"] = CellDifference.of(left, right, units)
        mine, theirs = before.cells[one].metrics, after.cells[other].metrics
        every = [name for name in merged([[*mine], [*theirs]]) if name not in units]
        lacking = [name for name in every if (name in mine) != (name in theirs)]
        formats = f"before: {format_of(before.setup, one)}, after: {format_of(after.setup, other)}"
        onesided.setdefault(formats, {}).update(dict.fromkeys(shown_metrics(lacking, before.setup.headings).values()))
    parts = [f"{', '.join(lacking)} ({formats})" for formats, lacking in onesided.items() if lacking]
    note = f"Not compared, as answers of one side have no field for it: {'; '.join(parts)}." if parts else ""
    return Comparison(cells=found, headings=before.setup.headings, note=note, units=units)


def _episodes(evaluation: Evaluation, cell: str) -> list[EpisodeRecord]:
    found = [episode for episode in evaluation.episodes if episode.cell == cell]
    if not found:
        raise ValueError(f"there is no cell {shown(cell)}; cells: {cut(', '.join(evaluation.cells))}")
    return sorted(found, key=lambda episode: episode.episode)


def joint_clusters(left: Sequence[str], right: Sequence[str]) -> list[str]:
    """Return one cluster for each pair, such that pairs that share a cluster on either side share it.

    Under another rule two hands may be one problem that are two under the first.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := parent.setdefault(name, name)) != name:
            parent[name] = name = parent[above]
        return name

    for one, other in zip(left, right, strict=True):
        parent[root("before " + one)] = root("after " + other)
    return [root("before " + one) for one in left]
