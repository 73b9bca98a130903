"""The files of the paper's data: reading bytes that are trusted in nothing, and finding ``route_infos.json``."""

from __future__ import annotations

import json
import re
from os.path import abspath
from pathlib import Path
from typing import Any, NoReturn

MOST_BYTES = 256 * 2**20
ROUTES = "route_infos.json"


def is_file(path: Path) -> bool:
    """Return whether ``path`` is a plain file; False wherever that cannot be found out, as in a loop of links."""
    try:
        return path.is_file()
    except (OSError, ValueError, RuntimeError):
        return False


def read_bytes(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """Read the bytes of a plain file.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it is no plain file, cannot be read, is empty or larger than ``most_bytes``.
    """
    if not is_file(path):
        if _is_there(path):
            raise ValueError(f"{path}: is no plain file; a file is expected")
        raise FileNotFoundError(f"{path}: there is no such file; check the path")
    try:
        if path.stat().st_size > most_bytes:
            raise ValueError(f"{path}: is larger than {most_bytes // 2**20} MB, the most that is accepted")
        with path.open("rb") as file:
            raw = file.read(most_bytes)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
    if not raw:
        raise ValueError(f"{path}: is empty; download or convert it again")
    return raw


def read_json(path: Path, most_bytes: int = MOST_BYTES) -> Any:
    """Read JSON from a file, in UTF-8, without NaN and Infinity. Errors as from ``read_bytes``, and ValueError."""
    raw = read_bytes(path, most_bytes)
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        fault = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:80]
        raise ValueError(f"{path}: is no JSON in UTF-8 ({fault}); download or convert it again") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def find_routes(data: Path) -> Path:
    """Find the file of routes: ``data`` itself, or ``route_infos.json`` in it or at most two folders below.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if there are several below, with the folders to choose from.
    """
    if is_file(data):
        return data
    if not _is_there(data):
        raise FileNotFoundError(f"{data}: there is no such file or folder; give the one that holds {ROUTES}")
    if is_file(data / ROUTES):
        return data / ROUTES
    below = sorted(path for depth in ("*", "*/*") for path in data.glob(f"{depth}/{ROUTES}") if is_file(path))
    if not below:
        raise FileNotFoundError(f"{data}: holds no {ROUTES}; give the folder that does, such as nyc_1k_routes")
    if len(below) > 1:
        raise ValueError(f"{data}: holds several folders of routes; give one of {', '.join(map(_folder, below))}")
    return below[0]


def _folder(path: Path) -> str:
    return str(path.parent)


def name_of(path: Path) -> str:
    """Return the name of a file's routes: its folder's name, or its own if that says more, in [a-z0-9_-]."""
    whole = Path(abspath(path))
    name = whole.parent.name if whole.name == ROUTES else whole.stem
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-")[:60] or "routes"


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError, RuntimeError):
        return False
