"""Policies side by side: results of several on the same problems, and their paired differences to the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from verienv.core.shown import printable, shown
from verienv.evaluation.comparison import CellDifference, Comparison, compare
from verienv.evaluation.formats import Groups, csv_table, data_frame, latex_comment, latex_table, save_as
from verienv.evaluation.metrics import shown_metrics
from verienv.evaluation.report import CellResult, Evaluation
from verienv.evaluation.statistics import Estimate
from verienv.evaluation.tables import escaped, markdown_table, markdown_text, quantity, terminal_table
from verienv.evaluation.unmeasured import NOT_MEASURED, merged

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = ("environment", "policy", "minus", "cell", "metric", "mean", "low", "high", "episodes", "clusters")
"""The columns of a table for programs; "minus" names the first policy where a line is a paired difference to it."""
NOT_PLAYED = "not played"
"""Entry of a table where a policy did not play a cell."""
SHARES, DIFFERENCES = "percent, 95% interval", "paired difference, points, 95% interval"
"""Headings over the columns of policies, and over those of their differences."""


@dataclass(frozen=True)
class PolicyTable:
    """Several policies as columns. Print it, or take ``markdown()``, ``to_csv()``, ``to_latex()`` or ``to_frame()``.

    Policies are compared within each environment, with the first of it. Every interval is over clusters.

    Attributes:
        evaluations: by the name of each policy.
        metrics: those that tables for people show; tables for programs hold all.
        comparisons: for each policy but the first of its environment, its differences to that one.
    """

    evaluations: Mapping[str, Evaluation]
    metrics: tuple[str, ...]
    comparisons: Mapping[str, Comparison]

    @classmethod
    def of(cls, evaluations: Mapping[str, Evaluation], metrics: Sequence[str] = ("success",)) -> Self:
        """Compare evaluations, by the name of each policy.

        Raises:
            ValueError: if there are none, one has no such metric that tables show, or two of one environment were not
                played on the same instances.
        """
        if not evaluations:
            raise ValueError("evaluations is empty; give at least one, e.g. {'start': evaluate(...)}")
        known = merged([*_headings(evaluation)] for evaluation in evaluations.values())
        for metric in metrics:
            if metric not in known:
                raise ValueError(f"metric {shown(metric)}: expected one of {', '.join(known)}")
        comparisons = {}
        for first, *others in _by_environment(evaluations):
            for other in others:
                try:
                    comparisons[other] = compare(evaluations[first], evaluations[other])
                except ValueError as error:
                    raise ValueError(f"{other} and {first}: {error}") from None
        return cls(dict(evaluations), tuple(metrics), comparisons)

    def markdown(self) -> str:
        """Return Markdown tables, one for each environment and metric, each below a line that says what is compared."""
        return "\n\n".join(
            part
            for about, _, head, rows in self._tables()
            for part in (markdown_text(about), markdown_table(*escaped(head, rows)))
        )

    def table(self, width: int | None = None) -> str:
        """Return the tables for a terminal of ``width`` columns (with rich, if installed)."""
        return "\n\n".join(
            f"{about}\n{terminal_table(head, rows, width=width)}" for about, _, head, rows in self._tables()
        )

    def __str__(self) -> str:
        return self.table()

    def to_latex(self) -> str:
        """Return the tables for LaTeX, with the package booktabs; comments say what is compared."""
        tables = [
            f"{latex_comment(about)}\n{latex_table(head, rows, groups)}" for about, groups, head, rows in self._tables()
        ]
        return "\n\n".join([latex_comment("Needs \\usepackage{booktabs}."), *tables])

    def to_csv(self) -> str:
        """Return CSV with a line for each metric of each cell of each policy, and for each paired difference.

        Shares are from 0 to 1 and differences from -1 to 1, ``low`` and ``high`` the ends of the 95% interval, empty
        where it is unknown.
        """
        return csv_table(COLUMNS, [*self._lines()])

    def to_frame(self) -> DataFrame:
        """Return the lines of ``to_csv()`` as a pandas DataFrame. Raises ImportError if pandas is not installed."""
        return data_frame(COLUMNS, [*self._lines()])

    def save(self, path: str | Path) -> None:
        """Write a file whole or not at all: Markdown (.md), CSV (.csv) or LaTeX (.tex); .gz may follow, for gzip.

        Raises:
            ValueError: for another ending.
            OSError: if it cannot be written.
        """
        save_as(path, FORMATS, self)

    def _lines(self) -> Iterator[tuple[str | float, ...]]:
        for first, *others in _by_environment(self.evaluations):
            for name in (first, *others):
                evaluation = self.evaluations[name]
                yield from ((evaluation.setup.env_id, name, "", *line) for line in evaluation.lines())
            for name in others:
                for cell, found in self.comparisons[name].cells.items():
                    for metric, estimate in found.metrics.items():
                        about = (self.evaluations[name].setup.env_id, name, first, cell, metric)
                        yield (*about, *estimate, found.pairs, found.clusters)

    def _tables(self) -> Iterator[tuple[str, Groups, list[str], list[list[str]]]]:
        """Yield for each environment and metric: what is compared, the headings over columns, the head and the rows."""
        for names in _by_environment(self.evaluations):
            headings = _headings(self.evaluations[names[0]])
            for metric in self.metrics:
                if metric in headings:
                    differences = [f"{name} - {names[0]}" for name in names[1:]]
                    shares = SHARES.replace("percent", self._unit(names[0], metric))
                    groups = [("", 2), (f"{headings[metric]}: {shares}", len(names))]
                    groups += [(DIFFERENCES, len(differences))] * bool(differences)
                    head = ["cell", "episodes (clusters)", *names, *differences]
                    yield self._about(names, headings[metric], metric), groups, head, self._rows(names, metric)

    def _unit(self, name: str, metric: str) -> str:
        return self.evaluations[name].setup.units.get(metric) or "percent"

    def _about(self, names: Sequence[str], heading: str, metric: str) -> str:
        setup = self.evaluations[names[0]].setup
        own = {name: self.evaluations[name].setup.policy for name in names}
        told = "; ".join(f"{name}: {policy}" if policy not in ("", name) else name for name, policy in own.items())
        notes = [self.comparisons[name].note for name in names[1:] if self.comparisons[name].note]
        parts = [
            f"{heading.capitalize()} in {setup.env_id}, seed {setup.seed}, {self._unit(names[0], metric)} "
            "with 95% intervals over clusters.",
            f"Columns with a minus: {DIFFERENCES}, over the same problems." if names[1:] else "",
            f"Policies: {told}.",
            *dict.fromkeys(notes),
            *filter(None, (self._other_settings(names[0], name) for name in names[1:])),
        ]
        return printable(" ".join(" ".join(filter(None, parts)).split()))

    def _other_settings(self, first: str, name: str) -> str:
        """Return the sentence that names the settings in which a policy's cells are unlike the first one's, if any."""
        mine, theirs = self.evaluations[name].setup.cells, self.evaluations[first].setup.cells
        differing = {
            setting
            for cell in mine.keys() & theirs.keys()
            for setting in (mine[cell].keys() | theirs[cell].keys()) - {"episodes", "instances"}
            if mine[cell].get(setting) != theirs[cell].get(setting)
        }
        return (
            f"{name} was played with other settings than {first} ({', '.join(sorted(differing))})." if differing else ""
        )

    def _rows(self, names: Sequence[str], metric: str) -> list[list[str]]:
        cells = merged([*self.evaluations[name].cells] for name in names)
        rows = []
        for cell in cells:
            results = [self.evaluations[name].cells.get(cell) for name in names]
            [held, *_] = filter(None, results)
            row = [cell, f"{held.episodes} ({held.clusters})"]
            unit = self.evaluations[names[0]].setup.units.get(metric, "")
            row += [_entry(result, metric, partial(quantity, unit=unit)) for result in results]
            for name in names[1:]:
                found = self.comparisons[name].cells.get(cell)
                row.append(_entry(found, metric, partial(quantity, unit=unit, signed=True)))
            rows.append(row)
        return rows


FORMATS: Mapping[str, Callable[[PolicyTable], str]] = {
    ".md": PolicyTable.markdown,
    ".csv": PolicyTable.to_csv,
    ".tex": PolicyTable.to_latex,
}
"""The formats of saved tables, by the ending of the name."""


def _entry(cell: CellResult | CellDifference | None, metric: str, write: Callable[[Estimate], str]) -> str:
    if cell is None:
        return NOT_PLAYED
    return write(cell.metrics[metric]) if metric in cell.metrics else NOT_MEASURED


def _headings(evaluation: Evaluation) -> dict[str, str]:
    """Return the metrics of an evaluation that tables show, with their headings."""
    return shown_metrics(merged([*cell.metrics] for cell in evaluation.cells.values()), evaluation.setup.headings)


def _by_environment(evaluations: Mapping[str, Evaluation]) -> list[list[str]]:
    """Return the names of the evaluations of each environment, both in their order."""
    found: dict[str, list[str]] = {}
    for name, evaluation in evaluations.items():
        found.setdefault(evaluation.setup.env_id, []).append(name)
    return list(found.values())
