"""Evaluation: the results, cell by cell, to read, save and draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from verienv.core.reading import read_whole
from verienv.core.shown import fault_of, printable, shown, shown_path
from verienv.evaluation.formats import csv_table, data_frame, latex_comment, latex_table, save_as
from verienv.evaluation.metrics import order_metrics, pool_ratios, shown_metrics
from verienv.evaluation.records import EpisodeRecord, Setup
from verienv.evaluation.statistics import Estimate, estimates
from verienv.evaluation.tables import NOTE, escaped, markdown_table, markdown_text, percent, quantity, terminal_table
from verienv.evaluation.unmeasured import entries, merged, note_unmeasured

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = ("cell", "metric", "mean", "low", "high", "episodes", "clusters")
"""The columns of a table for programs, of a line for each metric of each cell."""
ENDS = {"read_solved": "read and solved", "read_failed": "read but failed", "misread": "misread"}
"""The ends of an episode with vision, with their names in tables and figures."""


class Recognition(BaseModel):
    """Recognition and success together: how the episodes of a cell ended, judged at the last attempt of each.

    Each is a share of the episodes, (mean, low, high) with a 95% interval. ``read_solved``, ``read_failed`` and
    ``misread`` add up to 1.

    Attributes:
        read: the picture was read right.
        read_solved: it was read right, and the answer was correct. Where no misread answer is correct, this is success.
        read_failed: it was read right, and the answer was wrong for another reason.
        misread: it was read wrong, or the answer does not say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    read: Estimate
    read_solved: Estimate
    read_failed: Estimate
    misread: Estimate

    @classmethod
    def of(cls, episodes: Sequence[EpisodeRecord], recognition: str) -> Self:
        """Estimate the shares over at least one episode; ``recognition`` is the metric of a picture read right."""
        read = np.array([bool(episode.last[recognition]) for episode in episodes])
        success = np.array([episode.success for episode in episodes])
        values = np.stack([read, read & success, read & ~success, ~read], axis=1)
        found = estimates(values, [episode.cluster for episode in episodes])
        return cls(**dict(zip(cls.model_fields, found, strict=True)))


class CellResult(BaseModel):
    """The results of one cell.

    Attributes:
        episodes: the number of episodes.
        clusters: the number of units of inference that they fall into.
        metrics: by name, (mean, low, high) with a 95% interval: "success" (solved within the attempts),
            "first_success" (by the first), the task's own metrics of the first attempt, "reward" (the sum over the
            attempts) and "attempts". Where an episode holds several questions, such as the waypoints of a route,
            there are in place of those of the first attempt: the task's ratios, pooled over the attempts of all
            episodes (the ratio of two sums), the mean over episodes of each that
            is among all attempts ("<name>_per_episode"), and the task's outcomes of episodes. No attempt is made after
            an episode is broken off, so that pooled shares hold for the questions that were reached.
        failures: the number of attempts that failed in each way, the most frequent first.
        first_failures: the number among the first attempts at each question.
        recognition: with vision, the shares of what was read right and solved; None in words, and where the answer
            format has no field for what is read: then it is not measured, and neither are the metrics that need one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    episodes: int
    clusters: int
    metrics: dict[str, Estimate]
    failures: dict[str, int]
    first_failures: dict[str, int]
    recognition: Recognition | None = None

    @classmethod
    def of(cls, episodes: Sequence[EpisodeRecord], recognition: str = "", units: Mapping[str, str] = {}) -> Self:
        """Summarise at least one episode; ``recognition`` and ``units`` as in ``Setup``."""
        names = list(episodes[0].metrics)
        values = np.array([[episode.metrics[name] for name in names] for episode in episodes])
        clusters = [episode.cluster for episode in episodes]
        shares = [name in episodes[0].shares and not units.get(name) for name in names]
        return cls(
            episodes=len(episodes),
            clusters=len(set(clusters)),
            metrics=order_metrics(
                dict(zip(names, estimates(values, clusters, shares=shares), strict=True)),
                pool_ratios(episodes, clusters),
            ),
            failures=_counted(failure for episode in episodes for failure in episode.failures),
            first_failures=_counted(failure for episode in episodes for failure in episode.first_failures),
            recognition=Recognition.of(episodes, recognition) if recognition in episodes[0].last else None,
        )


class Evaluation(BaseModel):
    """The outcome of ``evaluate``. Print it, or take ``to_json()``, ``to_frame()``, ``to_csv()``, ``to_latex()`` or
    ``markdown()``, or ``save(path)``; ``load(path)`` reads JSON back. ``PolicyTable`` puts several side by side.

    Attributes:
        setup: the conditions of the evaluation.
        cells: the results by cell.
        episodes: every episode; ``compare`` pairs them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    setup: Setup
    cells: dict[str, CellResult]
    episodes: tuple[EpisodeRecord, ...]

    @classmethod
    def of(cls, setup: Setup, episodes: Sequence[EpisodeRecord]) -> Self:
        """Summarise the episodes of all cells."""
        by_cell: dict[str, list[EpisodeRecord]] = {}
        for episode in episodes:
            by_cell.setdefault(episode.cell, []).append(episode)
        cells = {name: CellResult.of(played, setup.recognition, setup.units) for name, played in by_cell.items()}
        return cls(setup=setup, cells=cells, episodes=tuple(episodes))

    def to_json(self) -> str:
        """Return everything as JSON; an unknown interval is null."""
        return self.model_dump_json(indent=1)

    def save(self, path: str | Path) -> None:
        """Write a file, all of it or, when that fails, nothing: ``to_json()``, which alone ``load`` reads back.

        If its name ends in .md, .csv or .tex it is ``markdown()``, ``to_csv()`` or ``to_latex()``; .gz may follow, for
        gzip.

        Raises:
            ValueError: for another ending.
            OSError: if it cannot be written.
        """
        save_as(path, FORMATS, self)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file that ``save`` wrote as JSON. Raises ValueError for any other file."""
        if not (data := read_whole(path)).strip():
            raise ValueError(f"{shown_path(path)} is no saved evaluation (it is empty)")
        try:
            found = cls.model_validate_json(data)
        except ValidationError as error:
            is_benchmark = b'"verienv-results-' in data[:200]
            why = "it is a benchmark's results file: verienv check-results" if is_benchmark else fault_of(error)
            raise ValueError(
                f"{shown_path(path)} is no saved evaluation ({why}); give what evaluate wrote by --out or --log"
            ) from None
        if fault := found._fault():
            raise ValueError(f"{shown_path(path)} is no saved evaluation, or was changed ({fault})")
        return found

    def _fault(self) -> str:
        """Return which episode is lost, doubled or unlike the others, "" if none: ``compare`` would count the rest."""
        held: dict[str, dict[int, EpisodeRecord]] = {name: {} for name in self.cells}
        for episode in self.episodes:
            where = f"episode {episode.episode} of {shown(episode.cell)}"
            if episode.cell not in held:
                return f"{where} is of no cell"
            cell = held[episode.cell]
            if episode.episode in cell:
                return f"{where} is told a second time"
            cell[episode.episode] = episode
            first = next(iter(cell.values()))
            if (episode.metrics.keys(), episode.counts.keys()) != (first.metrics.keys(), first.counts.keys()):
                return f"{where} has other metrics than episode {first.episode}"
        for name, cell in held.items():
            if len(cell) != (due := self.cells[name].episodes):
                return f"it holds {len(cell)} episodes of {shown(name)}, where {due} are due"
        return ""

    def markdown(self) -> str:
        """Return Markdown tables: shares in percent with 95% intervals, and failures by kind.

        With vision there is one between them: how the episodes ended, by what was read (``Recognition``).
        """
        about = [markdown_text(self._caption()), markdown_text(self._note())]
        return "\n\n".join([*about, *(markdown_table(*escaped(*table)) for table in self._tables())])

    def to_csv(self) -> str:
        """Return CSV with a line for each metric of each cell: cell, metric, mean, low, high, episodes, clusters.

        Shares are from 0 to 1, ``low`` and ``high`` the ends of the 95% interval, empty where it is unknown. With
        vision the parts of ``recognition`` are metrics too. Attempts that failed are "failed_<kind>": their number
        per episode, without an interval.
        """
        return csv_table(COLUMNS, [*self.lines()])

    def to_frame(self) -> DataFrame:
        """Return the lines of ``to_csv()`` as a pandas DataFrame. Raises ImportError if pandas is not installed."""
        return data_frame(COLUMNS, [*self.lines()])

    def lines(self) -> Iterator[tuple[str | float, ...]]:
        """Yield the lines of ``to_csv()``, a value for each of ``COLUMNS``."""
        for name, cell in self.cells.items():
            parts = dict(cell.recognition) if cell.recognition else {}
            failed = {f"failed_{kind}": (number / cell.episodes, nan, nan) for kind, number in cell.failures.items()}
            for metric, (mean, low, high) in (cell.metrics | parts | failed).items():
                yield name, metric, mean, low, high, cell.episodes, cell.clusters

    def to_latex(self) -> str:
        """Return the tables of ``markdown()`` for LaTeX, with the package booktabs."""
        about = latex_comment(f"{self._caption()}\n{self._note()}\nNeeds \\usepackage{{booktabs}}.")
        return "\n\n".join([about, *(latex_table(*table) for table in self._tables())])

    def table(self, width: int | None = None) -> str:
        """Return the tables for a terminal of ``width`` columns (with rich, if installed)."""
        tables = (terminal_table(*table, width=width) for table in self._tables())
        return "\n\n".join([self._caption(), self._note(), *tables])

    def __str__(self) -> str:
        return self.table()

    def _caption(self) -> str:
        policy = f", policy {self.setup.policy}" if self.setup.policy else ""
        return printable(f"{self.setup.env_id}{policy}, seed {self.setup.seed}")

    def _note(self) -> str:
        measured = {name: cell.metrics for name, cell in self.cells.items()}
        ratios = [name for name in self.setup.ratios if any(name in metrics for metrics in measured.values())]
        shares = ", ".join(shown_metrics(ratios, self.setup.headings).values())
        walks = any(str(settings.get("mode", "")) == "walk" for settings in self.setup.cells.values())
        ends = "" if walks else "; an episode ends at the first question that it fails"
        pooled = f"Counted over all attempts{ends}: {shares}."
        lines = [NOTE, *([pooled] if shares else []), note_unmeasured(self.setup, measured, self.setup.headings)]
        seen = self.setup.recognition
        if seen not in ratios and any(cell.recognition for cell in self.cells.values()):
            lines.append(
                f"{self.setup.headings[seen].capitalize()} is of the first attempt, {ENDS['misread']} of the last."
            )
        return printable("\n".join(filter(None, lines)))

    def _tables(self) -> list[tuple[list[str], list[list[str]]]]:
        metrics = shown_metrics(merged([*cell.metrics] for cell in self.cells.values()), self.setup.headings)
        head = ["cell", "episodes (clusters)", *metrics.values()]
        rows = [
            [name, f"{cell.episodes} ({cell.clusters})", *entries(cell.metrics, metrics, quantity, self.setup.units)]
            for name, cell in self.cells.items()
        ]
        tables = [(head, rows)]
        read = {name: cell.recognition for name, cell in self.cells.items() if cell.recognition}
        if read:
            ends = [[name, *(percent(getattr(one, end)) for end in ENDS)] for name, one in read.items()]
            tables.append((["last attempt", *ENDS.values()], ends))
        kinds = sorted({kind for cell in self.cells.values() for kind in cell.failures})
        if kinds:
            counts = [[name, *(str(cell.failures.get(kind, 0)) for kind in kinds)] for name, cell in self.cells.items()]
            tables.append((["failed attempts", *(kind.replace("_", " ") for kind in kinds)], counts))
        return tables


FORMATS: Mapping[str, Callable[[Evaluation], str]] = {
    "": Evaluation.to_json,
    ".json": Evaluation.to_json,
    ".md": Evaluation.markdown,
    ".csv": Evaluation.to_csv,
    ".tex": Evaluation.to_latex,
}
"""The formats of saved evaluations, by the ending of the name."""


def _counted(kinds: Iterable[str]) -> dict[str, int]:
    return dict(Counter(kind for kind in kinds if kind).most_common())
