"""Audit: which rows of a file are alike in cards, numbers or routes to those of a split, or of another file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from verienv.core import tasks
from verienv.core.plain import PlainRow
from verienv.core.rows import questions
from verienv.core.shown import cut, shown_path
from verienv.core.table_file import read_table
from verienv.core.task import Task
from verienv.demos.published import convert_row

MOST_EXAMPLES = 5
_MOST_FAULTS = 50
_LONGEST_KEY = 64

Keyed = tuple[int, Task, PlainRow, dict[str, str]]
"""A row: its number, its task, its columns and its keys."""


@dataclass
class Shared:
    """The rows that a file shares with one other thing, by one key.

    Attributes:
        other: the split or the file.
        key: "cards", "numbers", "routes" or "landmarks".
        rows: the number of the file's rows that it shares.
        of: the number of the file's rows that have such a key.
        examples: numbers of the first lines (of an array or a table: rows) that it shares, from 1.
        exact: False where the other was only drawn from, so that there may be more.
    """

    other: str
    key: str
    rows: int = 0
    of: int = 0
    examples: list[int] = field(default_factory=list)
    exact: bool = True


@dataclass
class Audit:
    """The result of an audit.

    Attributes:
        rows: the number of rows that were read.
        distinct: the number of distinct values of each key.
        shared: the rows that are shared, by other and key.
        faults: the first lines that could not be read, each with the file's name and its number.
        fault_count: the number of all that could not be read.
    """

    rows: int = 0
    distinct: dict[str, int] = field(default_factory=dict)
    shared: list[Shared] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    fault_count: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether all rows were read and none is shared."""
        return not self.fault_count and not any(each.rows for each in self.shared)


@dataclass(frozen=True)
class DealtSplit:
    """A split to compare with.

    Attributes:
        env_id: the environment.
        split: its split.
        settings: further settings, as for ``gym.make``.
        draws: the number of episodes drawn where the task cannot say exactly what may be dealt.
    """

    env_id: str
    split: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    draws: int = 2000

    def __str__(self) -> str:
        return f"{self.env_id.removeprefix('verienv/')} {self.split}"


def audit_rows(
    file: str | Path,
    others: Sequence[str | Path | DealtSplit],
    *,
    columns: Mapping[str, Any] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Audit:
    """Return which rows of a file are alike to those of splits and of other files.

    Args:
        file: rows or demonstrations of verienv in any of their forms, or published questions (``published_rows``).
        others: the splits and the files to compare with.
        columns: columns for rows that do not have them, such as ``{"rule": "rank"}``.
        tell: is told each line that cannot be read.

    Raises:
        ValueError: if a file cannot be read, or a split is not there.
    """
    found, given = Audit(), dict(columns or {})
    known: list[_SplitKeys | _FileKeys] = [
        _SplitKeys(other) if isinstance(other, DealtSplit) else _FileKeys(other, _keys(other, given, found, tell))
        for other in others
    ]
    seen, shared = set[tuple[str, str]](), dict[tuple[str, str], Shared]()
    for number, task, row, keys in _keys(file, given, found, tell):
        found.rows += 1
        seen.update(keys.items())
        for other in known:
            alike = other.alike(task, row, keys)
            for name in keys if alike is not None else ():
                one = shared.setdefault((other.name, name), Shared(other.name, name, exact=other.exact))
                one.of += 1
                one.rows += name in (alike or ())
                one.examples += [number] * (name in (alike or ()) and len(one.examples) < MOST_EXAMPLES)
    found.distinct = dict(Counter(name for name, _ in seen))
    found.shared = sorted(shared.values(), key=lambda one: [other.name for other in known].index(one.other))
    return found


class _FileKeys:
    """The keys of a file, held in memory."""

    exact = True

    def __init__(self, file: str | Path, rows: Iterator[Keyed]) -> None:
        self.name = shown_path(file)
        self._keys = {pair for *_, keys in rows for pair in keys.items()}

    def alike(self, task: Task, row: PlainRow, keys: Mapping[str, str]) -> frozenset[str]:
        """Return the names of those keys that a row of the file has too."""
        return frozenset([name for name, key in keys.items() if (name, key) in self._keys])


class _SplitKeys:
    """The keys of a split: asked of the task where it knows them exactly, else of rows that are drawn."""

    def __init__(self, split: DealtSplit) -> None:
        self.name = str(split)
        self._task = tasks.of_env_id(tasks.imported_id(split.env_id))
        self._env = self._task.environment(split.env_id, **{"split": split.split, **split.settings})
        self._asked = dict[tuple[tuple[str, str], ...], frozenset[str] | None]()
        self._drawn = set[tuple[str, str]]()
        self.exact = False
        for row, question in questions(split.env_id, split.split, split.draws, 0, **split.settings):
            self.exact = self._task.dealt_alike(question, self._env) is not None
            if self.exact:
                break
            self._drawn.update(_short(self._task.likeness(PlainRow(row))).items())

    def alike(self, task: Task, row: PlainRow, keys: Mapping[str, str]) -> frozenset[str] | None:
        """Return the names of those keys that an instance of the split has too; None for a row of another task."""
        if task is not self._task:
            return None
        if not self.exact:
            return frozenset([name for name, key in keys.items() if (name, key) in self._drawn])
        asked = tuple(keys.items())
        if asked not in self._asked:
            self._asked[asked] = self._task.dealt_alike(self._task.question.from_row(row), self._env)
        return self._asked[asked]


def _keys(
    file: str | Path, given: Mapping[str, Any], found: Audit, tell: Callable[[str], None] | None
) -> Iterator[Keyed]:
    """Yield for each row of a file its number, task, columns and keys; those that cannot be read are faults."""
    for number, raw in read_table(file):
        try:
            if isinstance(raw, ValueError):
                raise raw
            row = PlainRow({**given, **_row_of(raw)})
            task = tasks.of_row(row)
            keys = _short(task.likeness(row))
        except (ValueError, RecursionError) as error:
            found.fault_count += 1
            told = f"{shown_path(file)}, row {number}: {cut(error)}"
            found.faults += [told] * (len(found.faults) < _MOST_FAULTS)
            if tell:
                tell(told)
            continue
        yield number, task, row, keys


def _row_of(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the columns of a row in whatever form: of verienv, of verl's tables, or published."""
    judged = raw.get("reward_model")
    if isinstance(judged, Mapping) and isinstance(judged.get("ground_truth"), str):
        columns = json.loads(judged["ground_truth"])
        if isinstance(columns, dict):
            return columns
    try:
        tasks.of_row(PlainRow(raw))
    except ValueError:
        return convert_row(raw)
    return raw


def _short(keys: Mapping[str, str]) -> dict[str, str]:
    """Return the keys, long ones by their digest: a file of them must fit in memory."""
    return {
        name: key if len(key) <= _LONGEST_KEY else sha256(key.encode(errors="replace")).hexdigest()[:32]
        for name, key in keys.items()
    }
