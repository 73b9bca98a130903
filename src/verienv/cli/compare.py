"""The command that puts evaluations side by side."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from verienv.cli.common import note
from verienv.cli.places import check_name, check_places
from verienv.cli.streams import check_output
from verienv.core.shown import shown_path
from verienv.evaluation import PolicyTable, read_evaluation, success_figure
from verienv.evaluation.policy_table import FORMATS
from verienv.evaluation.success import ENDINGS


def compare(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]FILE...",
            help="Evaluations (evaluate --out FILE.json) or logs (evaluate --log FILE), each with a name for its "
            "column; by default the file's.",
        ),
    ],
    metric: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="The metric to compare, such as first_success; may be repeated."),
    ] = ["success"],  # noqa: B006
    out: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="Write a file, by its ending: Markdown (.md), CSV (.csv) or LaTeX (.tex) tables, or the figure of the "
            "first metric by cell (.png, .pdf or .svg); may be repeated.",
        ),
    ] = [],  # noqa: B006
) -> None:
    """Compare policies on the same problems: each as a column, and its paired differences to the first.

    Files of several environments, such as words and vision, have a table each, and an axis each in the figure. One
    file alone has its own table and figure. Logs are taken as they stand; a policy needs as many finished episodes as
    the others.
    """
    named = _named(files)
    for path in out:
        check_name("--out", path, (*FORMATS, *ENDINGS), may_be_packed=path.suffix.lower() == ".gz")
    check_places(
        {f"FILE {number}": path for number, path in enumerate(named.values(), 1)},
        {f"--out ({number})" if number > 1 else "--out": path for number, path in enumerate(out, 1)},
    )
    check_output(needed=not out)
    evaluations = {name: read_evaluation(path) for name, path in named.items()}
    table = PolicyTable.of(evaluations, tuple(dict.fromkeys(metric)))
    for path in out:
        if path.suffix.lower() in ENDINGS:
            try:
                success_figure(evaluations, path, metric=metric[0])
            except ImportError as error:
                raise ValueError(str(error)) from None
        else:
            table.save(path)
        note(f"written: {path}")
    print(table)


def _named(files: list[str]) -> dict[str, Path]:
    """Return the files by the name of each column: NAME of NAME=FILE, or the file's own as far as it tells it apart."""
    given = []
    for text in files:
        name, equals, path = text.partition("=")
        is_named = bool(name and equals and path) and "/" not in name and not Path(text).exists()
        given.append((name if is_named else "", path if is_named else text))
    stems = [name or Path(path).name.split(".")[0] or path for name, path in given]
    often = Counter(stems)
    names = [
        stem if name or often[stem] == 1 else shown_path(path) for stem, (name, path) in zip(stems, given, strict=True)
    ]
    if len({*names}) < len(names):
        twice = next(name for name, number in Counter(names).items() if number > 1)
        raise ValueError(f"{twice} is the name of two columns; give each its own: NAME=FILE")
    return {name: Path(path) for name, (_, path) in zip(names, given, strict=True)}
