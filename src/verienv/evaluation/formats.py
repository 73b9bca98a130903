"""Tables for files and programs: CSV, LaTeX with booktabs, and data frames."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verienv.core.files import atomic_text
from verienv.core.shown import printable, shown_path

if TYPE_CHECKING:
    from pandas import DataFrame

Groups = Sequence[tuple[str, int]]
"""Headings over several columns, each with their number, from the left; "" for none."""

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    **{char: f"\\{char}" for char in "&%$#_{}"},
}

_INTERVAL = re.compile(r"\((-?[\d.]+?|\?)\.\.(-?[\d.]+|\?)\)")
_MINUS = re.compile(r"(?<![\w.-])-(?=\d)")


def csv_table(head: Sequence[str], rows: Sequence[Sequence[str | float]]) -> str:
    """Write a table as CSV (RFC 4180, but for newlines as elsewhere); NaN is an empty field."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow(["" if isinstance(cell, float) and isnan(cell) else cell for cell in row])
    return file.getvalue()


def data_frame(head: Sequence[str], rows: Sequence[Sequence[str | float]]) -> DataFrame:
    """Make a pandas DataFrame of a table; NaN stays NaN. Raises ImportError if pandas is not installed."""
    try:
        from pandas import DataFrame
    except ImportError:
        raise ImportError('a data frame needs pandas: pip install "verienv[figures]"; to_csv() needs nothing') from None
    return DataFrame([tuple(row) for row in rows], columns=list(head))


def latex_table(head: Sequence[str], rows: Sequence[Sequence[str]], groups: Groups = ()) -> str:
    r"""Write a table as a ``tabular`` for ``\usepackage{booktabs}``, numbers to the right; ``groups`` stand above."""
    lines = [_after_rule(" & ".join(map(latex_text, row))) + r" \\" for row in (head, *rows)]
    columns = "l" + "r" * (len(head) - 1)
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            *_grouped(groups),
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _after_rule(row: str) -> str:
    r"""Return a row that the ``\\`` or the rule before it does not take for an option of its own."""
    return f"{{}}{row}" if row.startswith(("[", "*")) else row


def _grouped(groups: Groups) -> list[str]:
    """Return the line of headings over several columns, and their rules; nothing for no groups."""
    if not groups:
        return []
    over, rules, column = list[str](), list[str](), 1
    for name, width in groups:
        over.append(rf"\multicolumn{{{width}}}{{c}}{{{latex_text(name)}}}" if name else " & " * (width - 1))
        rules += [rf"\cmidrule(lr){{{column}-{column + width - 1}}}"] * bool(name)
        column += width
    return [" & ".join(over) + r" \\", " ".join(rules)]


def latex_comment(text: str) -> str:
    """Write text as comments, a line for each of its lines."""
    return "\n".join(f"% {printable(line)}".rstrip() for line in text.splitlines())


def latex_text(text: str) -> str:
    """Write text for LaTeX on one line: special characters escaped, intervals as [low, high], minus as such."""
    written = "".join(_SPECIAL.get(char, char) for char in printable(" ".join(text.split())))
    return _MINUS.sub("$-$", _INTERVAL.sub(r"[\1, \2]", written))


def save_as(path: str | Path, formats: Mapping[str, Callable[[Any], str]], saved: Any) -> None:
    """Write a file in the format of its ending, whole or not at all; .gz may follow, for gzip.

    Raises:
        ValueError: for an ending that is none of the formats'.
        OSError: if it cannot be written.
    """
    ending = Path(Path(path).stem if Path(path).suffix.lower() == ".gz" else path).suffix.lower()
    if ending not in formats:
        accepted = ", ".join(filter(None, formats))
        raise ValueError(f"{shown_path(path)}: give a name that ends in {accepted}, or one of those and .gz")
    with atomic_text(path) as file:
        file.write(formats[ending](saved).rstrip("\n") + "\n")
