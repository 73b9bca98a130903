"""All that is browsed together: sources with their episodes in one table, and training runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from verienv.browsing.finding import Found
from verienv.browsing.log_index import FAILED, MISREAD, READ, SOLVED, UNKNOWN, IndexedEpisode, read_index
from verienv.browsing.pairs import Pairs, compared, differences, pair
from verienv.browsing.runs import TrainingRun, differing
from verienv.browsing.said import said_in
from verienv.browsing.summary import failures, success_by_cell
from verienv.browsing.table import Array, Filters, Table
from verienv.core.shown import cut
from verienv.evaluation.records import EpisodeRecord, Setup
from verienv.evaluation.report import Evaluation

MOST_EPISODES = 2_000_000
"""The episodes that are browsed together."""


@dataclass(frozen=True)
class Source:
    """An evaluation.

    Attributes:
        found: its place.
        setup: its conditions.
        faults: lines that are none of an episode, in words.
    """

    found: Found
    setup: Setup
    faults: Sequence[str] = ()

    def described(self) -> dict[str, Any]:
        """Return the source as JSON."""
        return {
            "name": self.found.name,
            "policy": self.setup.policy,
            "env": self.setup.env_id,
            "seed": self.setup.seed,
            "has_responses": self.found.kind == "log",
            "splits": {cell: str(settings.get("split", "")) for cell, settings in self.setup.cells.items()},
            "faults": list(self.faults),
        }


@dataclass(frozen=True)
class Collection:
    """Evaluations and training runs that are browsed together.

    Attributes:
        sources: evaluations, numbered from 0.
        table: their episodes.
        runs: training runs.
        faults: places that could not be read, in words.
    """

    sources: Sequence[Source]
    table: Table
    runs: Sequence[TrainingRun]
    faults: Sequence[str] = ()
    _said: dict[str, Array] = field(default_factory=dict)
    _pairs: dict[tuple[int, int], Pairs] = field(default_factory=dict)

    @classmethod
    def read(cls, places: Sequence[Found]) -> Collection:
        """Read all places; one that cannot be read is a fault, unless it is the only one.

        Raises:
            ValueError, OSError: if the only place cannot be read, or there are too many episodes.
        """
        sources, episodes, runs, faults = list[Source](), list[Sequence[IndexedEpisode]](), list[TrainingRun](), []
        for place in places:
            try:
                if place.kind == "run":
                    runs.append(TrainingRun.read(place.path, place.name))
                    continue
                source, held = _read(place)
            except (ValueError, OSError) as error:
                if len(places) == 1:
                    raise
                faults.append(cut(error, 300))
                continue
            sources.append(source)
            episodes.append(held)
            if sum(map(len, episodes)) > MOST_EPISODES:
                raise ValueError(f"there are more than {MOST_EPISODES:,} episodes; name fewer logs")
        return cls(sources, Table(episodes), runs, faults)

    def source(self, number: int) -> Source:
        """Return a source. Raises ValueError if there is none of this number."""
        if not 0 <= number < len(self.sources):
            raise ValueError(f"source={number}: there are {len(self.sources)}, from 0")
        return self.sources[number]

    def rows(self, filters: Filters, sort: str = "", down: bool = False) -> Array:
        """Return the numbers of the rows that pass, sorted. Raises ValueError for a wrong filter."""
        said = self._saying(filters.text) if filters.text else None
        return self.table.matching(filters, sort, down, said)

    def _saying(self, text: str) -> Array:
        """Return the rows whose responses hold a text; the newest searches are kept."""
        if text not in self._said:
            rows = [
                int(self.table.begins[number]) + place
                for number, source in enumerate(self.sources)
                if source.found.kind == "log"
                for place in said_in(source.found.path, self._episodes(number), text)
            ]
            while len(self._said) > 8:
                del self._said[next(iter(self._said))]
            self._said[text] = np.array(rows, dtype=np.int64)
        return self._said[text]

    def _episodes(self, number: int) -> Sequence[IndexedEpisode]:
        return self.table.rows[int(self.table.begins[number]) : int(self.table.begins[number + 1])]

    def pairs(self, before: int, after: int) -> Pairs:
        """Return two sources side by side. Raises ValueError if they are one, or there is none of a number."""
        self.source(before), self.source(after)
        if before == after:
            raise ValueError("choose two different evaluations")
        if (before, after) not in self._pairs:
            while len(self._pairs) > 4:
                del self._pairs[next(iter(self._pairs))]
            self._pairs[before, after] = pair(self.table, before, after)
        return self._pairs[before, after]

    def comparison(self, before: int, after: int) -> dict[str, Any]:
        """Return what changed from one source to another, as JSON."""
        pairs = self.pairs(before, after)
        return {
            "cells": compared(self.table, pairs),
            "alone": list(pairs.alone),
            "differences": differences(self.sources[before].setup, self.sources[after].setup)[:20],
        }

    @cached_property
    def overview(self) -> dict[str, Any]:
        """All but episodes, pairs and curves, as JSON."""
        return {
            "sources": [source.described() for source in self.sources],
            "episodes": len(self.table),
            "cells": self.table.cells,
            "failures": sorted(filter(None, self.table.failures)),
            "attempts": self.table.attempts_taken,
            "has_vision": bool((self.table.misread != UNKNOWN).any()),
            "success": success_by_cell(self.table),
            "failed": failures(self.table),
            "runs": [{"name": run.name, "updates": run.updates, "faults": run.faults} for run in self.runs],
            "differing": differing(self.runs),
            "faults": list(self.faults),
        }


def _read(place: Found) -> tuple[Source, Sequence[IndexedEpisode]]:
    if place.kind == "log":
        index = read_index(place.path)
        return Source(place, index.setup, index.faults), index.episodes
    saved = Evaluation.load(place.path)
    return Source(place, saved.setup), [_row(episode, saved.setup.recognition) for episode in saved.episodes]


def _row(episode: EpisodeRecord, recognition: str) -> IndexedEpisode:
    read = episode.last.get(recognition) if recognition else None
    return IndexedEpisode(
        episode.cell,
        episode.episode,
        episode.instance,
        episode.cluster,
        len(episode.failures),
        episode.reward,
        episode.failures[-1],
        (READ if read else MISREAD) if isinstance(read, bool) else UNKNOWN,
        SOLVED if episode.success else FAILED,
        0,
        0,
    )
