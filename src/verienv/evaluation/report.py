"""Evaluation: the results, cell by cell, to read, save and draw."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from verienv.evaluation.records import Episode, Setup
from verienv.evaluation.statistics import Estimate, estimates
from verienv.evaluation.tables import NOTE, markdown_table, percent, terminal_table

_HEADINGS = {"success": "success", "first_success": "1st attempt"}
_NO_SHARES = ("reward", "attempts")


class CellResult(BaseModel):
    """What came out in one cell.

    Attributes:
        episodes: how many.
        clusters: how many units of inference they fall into.
        metrics: by name, (mean, low, high) with a 95% interval: "success" (solved within the attempts),
            "first_success" (by the first), the task's own metrics of the first attempt, "reward" (the sum over the
            attempts) and "attempts".
        failures: how many attempts failed in each way, the most frequent first.
        first_failures: the same of first attempts alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    episodes: int
    clusters: int
    metrics: dict[str, Estimate]
    failures: dict[str, int]
    first_failures: dict[str, int]

    @classmethod
    def of(cls, episodes: Sequence[Episode]) -> Self:
        """The summary of at least one episode."""
        names = list(episodes[0].metrics)
        values = np.array([[episode.metrics[name] for name in names] for episode in episodes])
        clusters = [episode.cluster for episode in episodes]
        return cls(
            episodes=len(episodes),
            clusters=len(set(clusters)),
            metrics=dict(zip(names, estimates(values, clusters), strict=True)),
            failures=_counted(failure for episode in episodes for failure in episode.failures),
            first_failures=_counted(episode.failures[0] for episode in episodes),
        )


class Evaluation(BaseModel):
    """The outcome of ``evaluate``. Print it, or take ``markdown()``, ``to_json()``, ``save(path)``, ``load(path)``.

    Attributes:
        setup: what was evaluated, and how.
        cells: the results by cell.
        episodes: every episode; ``compare`` pairs them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    setup: Setup
    cells: dict[str, CellResult]
    episodes: tuple[Episode, ...]

    @classmethod
    def of(cls, setup: Setup, episodes: Sequence[Episode]) -> Self:
        """Summarise the episodes of all cells."""
        by_cell: dict[str, list[Episode]] = {}
        for episode in episodes:
            by_cell.setdefault(episode.cell, []).append(episode)
        cells = {name: CellResult.of(played) for name, played in by_cell.items()}
        return cls(setup=setup, cells=cells, episodes=tuple(episodes))

    def to_json(self) -> str:
        """Everything, as JSON; an unknown interval is null."""
        return self.model_dump_json(indent=1)

    def save(self, path: str | Path) -> None:
        """Write ``to_json()`` to a file: all of it or, when that fails, nothing."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            part.write_text(self.to_json() + "\n", encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what ``save`` wrote. Raises ValueError for any other file."""
        try:
            return cls.model_validate_json(Path(path).read_bytes())
        except ValidationError as error:
            raise ValueError(f"{path} is no saved evaluation ({error.errors()[0]['msg']})") from None

    def markdown(self) -> str:
        """Two Markdown tables: shares in percent with 95% intervals, and failures by kind."""
        return "\n\n".join([self._caption(), NOTE, *(markdown_table(*table) for table in self._tables())])

    def table(self, width: int | None = None) -> str:
        """The same for a terminal of ``width`` columns (with rich, if installed)."""
        tables = (terminal_table(*table, width=width) for table in self._tables())
        return "\n\n".join([self._caption(), NOTE, *tables])

    def __str__(self) -> str:
        return self.table()

    def _caption(self) -> str:
        policy = f", policy {self.setup.policy}" if self.setup.policy else ""
        return f"{self.setup.env_id}{policy}, seed {self.setup.seed}"

    def _tables(self) -> list[tuple[list[str], list[list[str]]]]:
        metrics = shares(next(iter(self.cells.values())).metrics)
        head = ["cell", "episodes (clusters)", *(heading(metric, self.setup.headings) for metric in metrics)]
        rows = [
            [name, f"{cell.episodes} ({cell.clusters})", *(percent(cell.metrics[metric]) for metric in metrics)]
            for name, cell in self.cells.items()
        ]
        tables = [(head, rows)]
        kinds = sorted({kind for cell in self.cells.values() for kind in cell.failures})
        if kinds:
            counts = [[name, *(str(cell.failures.get(kind, 0)) for kind in kinds)] for name, cell in self.cells.items()]
            tables.append((["failed attempts", *(kind.replace("_", " ") for kind in kinds)], counts))
        return tables


def shares(metrics: Iterable[str]) -> list[str]:
    """The metrics that are shares of episodes: what tables show."""
    return [metric for metric in metrics if metric not in _NO_SHARES]


def heading(metric: str, headings: Mapping[str, str]) -> str:
    """What tables call a metric."""
    return headings.get(metric) or _HEADINGS.get(metric) or metric.replace("_", " ")


def _counted(kinds: Iterable[str]) -> dict[str, int]:
    return dict(Counter(kind for kind in kinds if kind).most_common())
