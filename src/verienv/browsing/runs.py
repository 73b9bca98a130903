"""Training runs as curves: the numbers of their logs by update, thinned out to what a screen can show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from verienv.browsing.log_index import MOST_FAULTS, lines_of
from verienv.core.run_folder import RunFolder, numbers_in
from verienv.core.shown import cut

MOST_POINTS = 400
"""The points of a curve."""
MOST_CURVES = 80
MOST_UPDATES = 1_000_000


@dataclass(frozen=True)
class TrainingRun:
    """A run.

    Attributes:
        name: its folder in short.
        arguments: those it was begun with, each in short.
        updates: the number of the newest.
        every: each so many updates there is a point.
        curves: by name, the update and the value of each point.
        faults: lines of its log that are none, in words.
    """

    name: str
    arguments: dict[str, str] = field(default_factory=dict)
    updates: int = 0
    every: int = 1
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path, name: str) -> TrainingRun:
        """Read a run's folder. Raises ValueError or OSError if it cannot be read."""
        arguments = RunFolder(folder).config()["arguments"]
        faults, lines = list[str](), list[dict[str, Any]]()
        for number, (_, _, text) in enumerate(lines_of(folder / "log.jsonl"), 1):
            try:
                line = json.loads(text)
                if not isinstance(line, dict) or type(line.get("update")) is not int:
                    raise ValueError("expected a JSON object with the number of an update")
            except (ValueError, RecursionError) as error:
                if text.endswith(b"\n") and len(faults) < MOST_FAULTS:
                    faults.append(f"line {number}: {cut(error)}")
                continue
            lines.append(line)
            if len(lines) > MOST_UPDATES:
                raise ValueError(f"{name}: its log has more than {MOST_UPDATES:,} lines")
        every = -(-len(lines) // MOST_POINTS) or 1
        kept = [line for number, line in enumerate(lines, 1) if not number % every or number == len(lines)]
        plain = {key: cut(value, 80) for key, value in arguments.items() if value is not None}
        return cls(name, plain, lines[-1]["update"] if lines else 0, every, _curves(kept), faults)

    def described(self) -> dict[str, Any]:
        """Return the run as JSON."""
        return asdict(self)


def _curves(lines: Sequence[dict[str, Any]]) -> dict[str, list[tuple[int, float]]]:
    found = dict[str, list[tuple[int, float]]]()
    for line in lines:
        for name, value in numbers_in(line):
            is_number = isinstance(value, int | float) and abs(value) < 1e300 and isfinite(value)
            if name != "update" and is_number and (name in found or len(found) < MOST_CURVES):
                found.setdefault(name, []).append((line["update"], float(value)))
    return found


def differing(runs: Sequence[TrainingRun]) -> list[str]:
    """Return the arguments in which runs differ."""
    names = dict.fromkeys(name for run in runs for name in run.arguments)
    return [name for name in names if len({run.arguments.get(name) for run in runs}) > 1]
