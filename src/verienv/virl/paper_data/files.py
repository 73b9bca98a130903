"""The files of the paper's data: finding ``route_infos.json``, and naming its routes."""

from __future__ import annotations

import re
from os.path import abspath
from pathlib import Path

from verienv.core.reading import is_file, is_there
from verienv.core.shown import cut, shown_path

ROUTES = "route_infos.json"


def find_routes(data: Path) -> Path:
    """Find the file of routes: ``data`` itself, or ``route_infos.json`` in it or at most two folders below.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if there are several below, with the folders to choose from.
    """
    if is_file(data):
        return data
    if not is_there(data):
        raise FileNotFoundError(
            f"{shown_path(data)}: there is no such file or folder; give the one that holds {ROUTES}"
        )
    if is_file(data / ROUTES):
        return data / ROUTES
    below = sorted(path for depth in ("*", "*/*") for path in data.glob(f"{depth}/{ROUTES}") if is_file(path))
    if not below:
        raise FileNotFoundError(
            f"{shown_path(data)}: holds no {ROUTES}; give the folder that does, such as nyc_1k_routes"
        )
    if len(below) > 1:
        folders = cut(", ".join(str(path.parent) for path in below), 300)
        raise ValueError(f"{shown_path(data)}: holds several folders of routes; give one of {folders}")
    return below[0]


def name_of(path: Path) -> str:
    """Return the name of a file's routes: its folder's name, or its own if that says more, in [a-z0-9_-]."""
    whole = Path(abspath(path))
    name = whole.parent.name if whole.name == ROUTES else whole.stem
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-")[:60] or "routes"
