"""Tables for people: Markdown, and terminals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isnan

from verienv.core.shown import printable
from verienv.evaluation.statistics import Estimate

NOTE = "Percent of episodes, with 95% intervals over clusters (? where the data tell none)."


def percent(estimate: Estimate, *, signed: bool = False) -> str:
    """Write a share as "42.0 (35.1..49.2)"; "?" for an unknown one."""
    mean, low, high = (_rounded(number * 100) for number in estimate)
    if isnan(estimate.mean):
        return "?"
    plus = "+" if signed and not mean.startswith(("-", "0.0")) else ""
    return f"{plus}{mean} ({'?' if isnan(estimate.low) else f'{low}..{high}'})"


def quantity(estimate: Estimate, unit: str = "", *, signed: bool = False) -> str:
    """Write a share in percent, or, with a unit, a mean as it is."""
    if not unit or isnan(estimate.mean):
        return percent(estimate, signed=signed)
    return percent(Estimate(*(number / 100 for number in estimate)), signed=signed)


def _rounded(number: float) -> str:
    """Write one decimal; "100" without it, which says as much."""
    return f"{round(number, 1) + 0.0:.1f}".replace("100.0", "100")  # + 0.0 turns -0.0 into 0.0


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table, numbers to the right, columns aligned in the source as well.

    Entries may be Markdown; names that somebody else gave go through ``escaped`` before.
    """
    cells = [[printable(cell.replace("|", "\\|").replace("\n", " ")) for cell in row] for row in (head, *rows)]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(head))]
    lines = [f"| {_padded(row, widths)} |" for row in cells]
    ruler = "|".join("-" * (width + 1) + (":" if column else "-") for column, width in enumerate(widths))
    return "\n".join([lines[0], f"|{ruler}|", *lines[1:]])


def escaped(head: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """Return the entries of a table as text that Markdown shows as it stands."""
    return [*map(markdown_text, head)], [[*map(markdown_text, row)] for row in rows]


def markdown_text(text: str) -> str:
    """Write text such that Markdown makes no HTML, link, picture or code of it; its lines stay."""
    return re.sub(r"([\\`<\[])", r"\\\1", printable(text))


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(row, widths, strict=True)
    return " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)])


def terminal_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None = None) -> str:
    """Write a table for a terminal, by rich; the Markdown table where rich is not installed.

    Columns for which there is no room follow in further tables, the first column before them again.
    """
    try:
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return markdown_table(head, rows)
    console = Console(width=width, color_system=None, highlight=False)
    # an interval goes below its mean: a column less wide
    folded = [[printable(row[0]), *(printable(cell.replace(" (", "\n(")) for cell in row[1:])] for row in (head, *rows)]
    tables = []
    for columns in _fitting([_width(column) for column in zip(*folded, strict=True)], console.width):
        table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        for column in columns:
            table.add_column(Text(folded[0][column]), justify="right" if column else "left", no_wrap=bool(column))
        for row in folded[1:]:
            table.add_row(*(Text(row[column]) for column in columns))
        with console.capture() as capture:
            console.print(table)
        tables.append("\n".join(line.rstrip() for line in capture.get().splitlines() if line.strip()))
    return "\n\n".join(tables)


def _width(column: Sequence[str]) -> int:
    return max(len(line) for cell in column for line in cell.split("\n"))


def _fitting(widths: Sequence[int], room: int) -> list[list[int]]:
    """Return the columns of each table: the first, and as many others as there is room for, at least one."""
    tables: list[list[int]] = [[0]]
    for column in range(1, len(widths)):
        taken = [*tables[-1], column]
        if len(taken) > 2 and sum(widths[each] + 3 for each in taken) > room:
            tables.append([0, column])
        else:
            tables[-1] = taken
    return tables
