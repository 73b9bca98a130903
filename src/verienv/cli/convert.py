"""The command that converts published data of a task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verienv.cli.common import note
from verienv.cli.places import check_name, check_places
from verienv.cli.streams import check_output
from verienv.core import tasks
from verienv.core.task import Task


def convert(
    source: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder of the data: for V-IRL the one with route_infos.json.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT.json", help="The file to write.")],
    defects: Annotated[
        str, typer.Option(help="Of defective parts: skip leaves them out and names them, refuse stops.")
    ] = "skip",
    task: Annotated[str | None, typer.Option(help="The task of the data, needed where several have data.")] = None,
) -> None:
    """Convert published data of a task to one JSON file.

    For V-IRL these are the routes of the paper. Play them with the setting data=OUT.json.
    """
    check_name("OUT.json", out, (".json",))
    check_places({"FOLDER": source}, {"OUT.json": out})
    check_output(needed=False)
    print(_converting(task).convert(source, out, defects=defects, note=note))


def _converting(name: str | None) -> Task:
    """Return the named task, or the only one that has data to convert. Raises ValueError if there are several."""
    if name is not None:
        return tasks.named(name)
    found = [task for task in tasks.every() if task.has_data]
    if len(found) != 1:
        raise ValueError(f"--task: expected one of {', '.join(task.name for task in found)}")
    return found[0]
