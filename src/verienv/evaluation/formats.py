"""Tables for files: CSV, and LaTeX with booktabs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from math import isnan

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{char: f"\\{char}" for char in "&%$#_{}"},
}


def csv_table(head: Sequence[str], rows: Sequence[Sequence[str | float]]) -> str:
    """Write a table as CSV (RFC 4180, but for newlines as elsewhere); NaN is an empty field."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow(["" if isinstance(cell, float) and isnan(cell) else cell for cell in row])
    return file.getvalue()


def latex_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    r"""Write a table as a ``tabular`` for ``\usepackage{booktabs}``, numbers to the right."""
    lines = [" & ".join(map(latex_text, row)) + r" \\" for row in (head, *rows)]
    columns = "l" + "r" * (len(head) - 1)
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def latex_comment(text: str) -> str:
    """Write text as comments, a line for each of its lines."""
    return "\n".join(f"% {line}".rstrip() for line in text.splitlines())


def latex_text(text: str) -> str:
    """Write text for LaTeX: with its special characters escaped, an interval's two dots as a dash, on one line."""
    written = "".join(_SPECIAL.get(char, char) for char in " ".join(text.split()))
    return written.replace("..", "--")
