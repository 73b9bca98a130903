"""The table of episodes: columns over all sources, filtered, sorted, and handed out row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from verienv.browsing.log_index import FAILED, MISREAD, READ, SOLVED, UNFINISHED, UNKNOWN, IndexedEpisode
from verienv.core.shown import shown

Array = NDArray[Any]

MOST_ROWS = 500
"""The rows that are handed out at once."""
STATES = {SOLVED: "solved", FAILED: "failed", UNFINISHED: "unfinished"}
READINGS = {READ: "read", MISREAD: "misread", UNKNOWN: "not measured"}
SORTS = ("", "source", "cell", "episode", "problem", "state", "attempts", "failure", "reward")

Sort = Literal["", "source", "cell", "episode", "problem", "state", "attempts", "failure", "reward"]


@dataclass(frozen=True)
class Filters:
    """The rows that are asked for; each filter that is "" or None lets all pass.

    Attributes:
        source: the number of a source.
        cell: the name of a cell.
        state: "solved", "failed" or "unfinished".
        failure: the failure of the last attempt.
        misread: "read" or "misread", at the last attempt.
        attempts: the number of attempts.
        problem: a part of the instance's id, in any case.
        text: a part of a response, in any case.
    """

    source: int | None = None
    cell: str = ""
    state: str = ""
    failure: str = ""
    misread: str = ""
    attempts: int | None = None
    problem: str = ""
    text: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filters:
        """Read filters from the parameters of a request; others are left alone. Raises ValueError for a wrong one."""
        given: dict[str, Any] = {each.name: query[each.name] for each in fields(cls) if query.get(each.name)}
        for name in ("source", "attempts"):
            if name in given:
                given[name] = whole(name, given[name])
        for name, accepted in (("state", [*STATES.values()]), ("misread", [*READINGS.values()])):
            if name in given and given[name] not in accepted:
                raise ValueError(f"{name}={shown(given[name])}: expected {', '.join(accepted)}")
        return cls(**given)


def whole(name: str, text: str) -> int:
    """Read a whole number of a request, from 0 to a billion. Raises ValueError for anything else."""
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise ValueError(f"{name}={shown(text)}: expected a whole number")
    return int(text)


class Table:
    """Episodes of several sources, as columns of one length.

    Args:
        episodes: those of each source, in its order.

    Attributes:
        rows: the episodes, one source behind the other.
        source: the number of each one's source.
        cells, failures: the names that ``cell`` and ``failure`` number.
    """

    def __init__(self, episodes: Sequence[Sequence[IndexedEpisode]]) -> None:
        self.rows = list(chain.from_iterable(episodes))
        self.begins = np.cumsum([0, *map(len, episodes)])
        self.source = np.repeat(np.arange(len(episodes)), [len(each) for each in episodes])
        columns = list(zip(*self.rows, strict=True)) or [()] * len(IndexedEpisode._fields)
        by_name = dict(zip(IndexedEpisode._fields, columns, strict=True))
        self.instance, self.cluster = by_name["instance"], by_name["cluster"]
        self.cells, self.cell = _numbered(by_name["cell"])
        self.failures, self.failure = _numbered(by_name["failure"])
        self.episode, self.attempts, self.state, self.misread = (
            np.array(by_name[name], dtype=np.int64) for name in ("episode", "attempts", "state", "misread")
        )
        self.reward = np.array(by_name["reward"], dtype=float)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def attempts_taken(self) -> list[int]:
        """The numbers of attempts that there are."""
        return [int(number) for number in np.unique(self.attempts)]

    def matching(self, filters: Filters, sort: str = "", down: bool = False, said: Array | None = None) -> Array:
        """Return the numbers of the rows that pass, sorted.

        Args:
            filters: those of responses (``text``) are not known here.
            sort: the column to sort by, "" for the order of the sources.
            down: from the greatest to the least.
            said: rows whose responses hold ``filters.text``; None for all.

        Raises:
            ValueError: for another column.
        """
        if sort not in SORTS:
            raise ValueError(f"sort={shown(sort)}: expected {', '.join(filter(None, SORTS))}")
        passing = np.ones(len(self), dtype=bool)
        if said is not None:
            passing[:] = False
            passing[said] = True
        if filters.source is not None:
            passing &= self.source == filters.source
        if filters.attempts is not None:
            passing &= self.attempts == filters.attempts
        for name, names, column in (
            (filters.cell, self.cells, self.cell),
            (filters.failure, self.failures, self.failure),
            (filters.state, [STATES[state] for state in range(3)], self.state),
            (filters.misread, [READINGS[read] for read in range(3)], self.misread),
        ):
            if name:
                passing &= column == (names.index(name) if name in names else -1)
        if filters.problem:
            part = filters.problem.casefold()
            passing &= np.fromiter((part in each.casefold() for each in self.instance), dtype=bool, count=len(self))
        found = np.flatnonzero(passing)
        return found if not sort else found[self._order(sort, found, down)]

    def _order(self, sort: str, rows: Array, down: bool) -> Array:
        columns = {"episode": self.episode, "attempts": self.attempts, "reward": self.reward, "source": self.source}
        if sort == "problem":
            named = np.array([self.instance[row] for row in rows], dtype=object)
            keys = np.unique(named, return_inverse=True)[1] if len(named) else np.array([], dtype=np.int64)
        elif sort in columns:
            keys = columns[sort][rows]
        else:
            names, column = {
                "cell": (self.cells, self.cell),
                "failure": (self.failures, self.failure),
                "state": ([STATES[state] for state in range(3)], self.state),
            }[sort]
            place = np.argsort(np.argsort(np.array(names, dtype=str)))
            keys = place[column[rows]] if len(rows) else rows
        return np.argsort(-keys if down else keys, kind="stable")

    def described(self, rows: Sequence[int] | Array) -> list[dict[str, Any]]:
        """Return rows as JSON."""
        return [self._told(int(row)) for row in rows]

    def _told(self, row: int) -> dict[str, Any]:
        one = self.rows[row]
        return {
            "row": row,
            "source": int(self.source[row]),
            "cell": one.cell,
            "episode": one.episode,
            "problem": one.instance,
            "state": STATES[one.state],
            "attempts": one.attempts,
            "failure": one.failure,
            "misread": READINGS[one.misread],
            "reward": one.reward,
        }


def _numbered(names: Sequence[str]) -> tuple[list[str], Array]:
    """Return the different names in their order, and the number of each."""
    numbers = dict[str, int]()
    found = [numbers.setdefault(name, len(numbers)) for name in names]
    return list(numbers), np.array(found, dtype=np.int64)
