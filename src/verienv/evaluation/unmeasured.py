"""Measures that were not measured: answers without a field for the cards do not tell how they were read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from verienv.core.answer_format import JSON
from verienv.evaluation.records import Setup
from verienv.evaluation.statistics import Estimate

NOT_MEASURED = "not measured"
"""Entry of a table where its column was measured in other cells alone."""


def merged(columns: Iterable[Sequence[str]]) -> list[str]:
    """Return every name that one of several lists holds, each behind the one that it follows in its own list."""
    found: list[str] = []
    for names in columns:
        at = 0
        for name in names:
            if name in found:
                at = max(at, found.index(name) + 1)
            else:
                found.insert(at, name)
                at += 1
    return found


def entries(
    metrics: Mapping[str, Estimate],
    names: Iterable[str],
    write: Callable[[Estimate, str], str],
    units: Mapping[str, str],
) -> list[str]:
    """Return a row of a table, with a note where a metric was not measured."""
    return [write(metrics[name], units.get(name, "")) if name in metrics else NOT_MEASURED for name in names]


def note_unmeasured(setup: Setup, measured: Mapping[str, Iterable[str]], headings: Mapping[str, str]) -> str:
    """Return the sentence that says which columns were not measured, for each answer format, and why; "" if all were.

    Args:
        setup: its cells name their answer formats.
        measured: the metrics of each cell.
        headings: those that tables show, each with its heading.
    """
    missing: dict[str, dict[str, None]] = {}
    for cell, metrics in measured.items():
        held = {*metrics}
        lacking = [said for metric, said in headings.items() if metric not in held and metric not in setup.units]
        if (form := format_of(setup, cell)) != JSON.name and lacking:
            missing.setdefault(form, {}).update(dict.fromkeys(lacking))
    parts = [f"{', '.join(lacking)} (answer_format={form})" for form, lacking in missing.items()]
    return f"Not measured, as answers have no field for it: {'; '.join(parts)}." if parts else ""


def format_of(setup: Setup, cell: str) -> str:
    """Return the name of the answer format of a cell."""
    return str(setup.cells.get(cell, {}).get("answer_format", JSON.name))
