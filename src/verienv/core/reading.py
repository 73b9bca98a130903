"""Reading files that are trusted in nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from verienv.core.shown import cut, shown_path

MOST_BYTES = 256 * 2**20


def is_there(path: Path) -> bool:
    """Return whether anything lies at ``path``; False wherever that cannot be found out, as in a loop of links."""
    try:
        return path.exists()
    except (OSError, ValueError, RuntimeError):
        return False


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
        if is_there(path):
            raise ValueError(f"{shown_path(path)}: is no plain file; a file is expected")
        raise FileNotFoundError(f"{shown_path(path)}: there is no such file; check the path")
    try:
        if path.stat().st_size > most_bytes:
            raise ValueError(f"{shown_path(path)}: is larger than {most_bytes // 2**20} MB, the most that is accepted")
        with path.open("rb") as file:
            raw = file.read(most_bytes)
    except OSError as error:
        raise ValueError(f"{shown_path(path)}: cannot be read ({error.strerror})") from None
    if not raw:
        raise ValueError(f"{shown_path(path)}: is empty; download or convert it again")
    return raw


def read_json(path: Path, most_bytes: int = MOST_BYTES) -> Any:
    """Read JSON from a file, in UTF-8, without NaN and Infinity. Errors as from ``read_bytes``, and ValueError."""
    raw = read_bytes(path, most_bytes)
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        fault = "nested too deeply" if isinstance(error, RecursionError) else cut(error, 80)
        raise ValueError(f"{shown_path(path)}: is no JSON in UTF-8 ({fault}); download or convert it again") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
