"""The command that shows evaluations and training runs in a browser, or writes them as one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from verienv.browsing.collection import Collection
from verienv.browsing.finding import find
from verienv.cli.common import demand_pages, import_all, note, settings_for
from verienv.cli.options import Imports
from verienv.cli.places import check_name, check_places
from verienv.core.make import make_env
from verienv.core.shown import cut, shown_path

MOST_FAULTS = 20
"""Faults of the places that are told; the page has more."""


def view(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PLACE...",
            help="Logs of evaluations (--log), their saved results (--out FILE.json), folders of training runs, or "
            "folders that hold such.",
        ),
    ],
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Write one file that needs nothing else, in place of serving a page."),
    ] = None,
    replays: Annotated[
        int, typer.Option(min=0, max=1000, help="With --export: the number of episodes whose replay is in the file.")
    ] = 40,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; 0 takes a free one.")] = 0,
    setting: Annotated[
        list[str],
        typer.Option(
            "--setting",
            "-s",
            metavar="KEY=VALUE",
            help="A setting that names a path of this machine, which a log that names the same may open for replays.",
        ),
    ] = [],  # noqa: B006
    modules: Imports = [],  # noqa: B006
) -> None:
    """Browse evaluations and training runs: a table of episodes, success by cell, failures, two policies side by side.

    Prints a URL for a browser on this machine; Ctrl-C ends. From another one: ssh -L 8123:127.0.0.1:8123 HOST, and
    --port 8123 here. Needs the extra `verienv[pages]`; --export does not.
    """
    import_all(modules)
    own = settings_for(make_env, setting)
    check_name("--export", export, (".html", ".htm"))
    check_places({f"PLACE {path}": path for path in paths if path.is_file()}, {"--export": export})
    if not export:
        demand_pages()
    collection = Collection.read(find(paths))
    faults = [*collection.faults, *(f"{one.found.name}, {each}" for one in collection.sources for each in one.faults)]
    if not len(collection.table) and not collection.runs:
        why = f" ({faults[0]})" if faults else ""
        raise ValueError(f"{cut(', '.join(map(shown_path, paths)))}: holds no episode and no training run to show{why}")
    _check_settings(own, collection)
    for each in faults[:MOST_FAULTS]:
        note(each)
    if export:
        from verienv.browsing.export import save

        for told in save(collection, export, replays=replays, own=own, progress=None):
            note(told)
        print(f"{export}: open it in a browser")
        return
    from verienv.browsing.app import show

    show(collection, own=own, port=port, ready=lambda url: print(f"{url}\nCtrl-C ends", flush=True))


def _check_settings(own: Mapping[str, Any], collection: Collection) -> None:
    """Raise ValueError for a setting that no log names: it would do nothing."""
    named = {name for source in collection.sources for cell in source.setup.cells.values() for name in cell}
    for name in own:
        if name not in named:
            raise ValueError(
                f"-s {name}=...: no evaluation there names {name}; this option allows a path that one does name, "
                "or imports its module:name"
            )
