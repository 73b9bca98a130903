"""The command that converts published data of a task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from verienv.cli.common import import_all, note, writing
from verienv.cli.options import Imports
from verienv.cli.places import check_name, check_places
from verienv.cli.streams import check_output
from verienv.core import tasks
from verienv.core.shown import shown_path
from verienv.core.task import Task
from verienv.demos import published_rows

MOST_DEFECTS = 20
ROWS = (".jsonl", ".ndjson")
DEFECTS = ("skip", "refuse")


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="The folder of the paper's routes, with route_infos.json; or a file of published questions.",
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write: .json for routes, .jsonl for rows.")],
    defects: Annotated[
        str, typer.Option(help="Of defective parts: skip leaves them out and names them, refuse stops.")
    ] = "skip",
    task: Annotated[str | None, typer.Option(help="The task of the data, needed where several have data.")] = None,
    modules: Imports = [],  # noqa: B006
) -> None:
    """Convert published data to one file that verienv reads.

    Routes of V-IRL become OUT.json, to be played with the setting data=OUT.json.

    Questions become OUT.jsonl, rows with their prompts kept. SOURCE is an array (.json) or lines (.jsonl) of ShareGPT
    conversations, as the demonstrations of arXiv 2501.17161 are, or a table (.parquet, .json, .jsonl) of question,
    answer and extra_info, as those of arXiv 2510.00237 are. `verienv verify OUT.jsonl` judges the published answers,
    `verienv evaluate ID --rows OUT.jsonl` asks a model, `examples/sft.py --data OUT.jsonl` trains on them, and
    `verienv audit OUT.jsonl` tells what they share with our splits.
    """
    import_all(modules)
    check_name("OUT", out, (".json", *ROWS))
    check_places({"SOURCE": source}, {"OUT": out})
    check_output(needed=False)
    if out.suffix.lower() == ".json":
        print(_converting(task).convert(source, out, defects=defects, note=note))
    else:
        print(_convert_rows(source, out, defects))


def _convert_rows(source: Path, out: Path, defects: str) -> str:
    """Write the rows of a file of published questions; return a summary. Raises ValueError if there are none."""
    if defects not in DEFECTS:
        raise ValueError(f"--defects {defects}: expected {' or '.join(DEFECTS)}")
    written = left_out = 0
    with writing(str(out)) as file:
        for row in published_rows(source):
            if isinstance(row, ValueError):
                if defects == "refuse":
                    raise row
                left_out += 1
                if left_out <= MOST_DEFECTS:
                    note(str(row))
                continue
            if "images" in row and out.resolve().parent != source.resolve().parent:
                raise ValueError(f"OUT {shown_path(out)}: rows name pictures beside SOURCE; write OUT into its folder")
            written += 1
            file.write(json.dumps(row) + "\n")
        if left_out > MOST_DEFECTS:
            note(f"... and {left_out - MOST_DEFECTS} more rows are left out")
        if not written:
            raise ValueError(f"{shown_path(source)}: holds no question that could be read")
    return f"rows: {written} of {shown_path(source)} in {shown_path(out)}, {left_out} left out"


def _converting(name: str | None) -> Task:
    """Return the named task, or the only one that has data to convert. Raises ValueError if there are several."""
    if name is not None:
        return tasks.named(name)
    found = [task for task in tasks.every() if task.has_data]
    if len(found) != 1:
        raise ValueError(f"--task: expected one of {', '.join(task.name for task in found)}")
    return found[0]
