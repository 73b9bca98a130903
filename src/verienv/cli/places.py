"""Checking, before any work is done, the files that a command reads and writes."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from verienv.core.env import VerifiedEnv
from verienv.core.shown import shown_path

Named = Mapping[str, Path | str | None]
"""Files by the option or argument that names them; None where it is not given."""

JSON_LINES = ("", ".jsonl", ".ndjson", ".json", ".txt")
_OURS = (b'"setup"', b'"format"')  # an evaluation or its log, and what `convert` writes
_NEVER_READ = (".md", ".csv", ".tex", ".html", ".htm")


def check_name(
    option: str,
    path: Path | str | None,
    endings: Iterable[str],
    *,
    may_be_packed: bool = False,
    may_be_stdout: bool = False,
) -> None:
    """Raise ValueError if a name ends as files of another kind do. A device or a pipe may have any name.

    Args:
        option: the option that names the file.
        endings: the endings that are accepted, "" for a name without one.
        may_be_packed: whether ".gz" may follow.
        may_be_stdout: whether "-" stands for stdout.
    """
    if path is None or _is_device(path) or (may_be_stdout and str(path) == "-"):
        return
    given = Path(path)
    if may_be_packed and given.suffix.lower() == ".gz":
        given = Path(given.stem)
    if str(path) == "-" or given.suffix.lower() not in endings:
        *others, last = [ending for ending in endings if ending]
        accepted = f"{', '.join(others)} or {last}" if others else last
        more = ", also with .gz after it" if may_be_packed else ""
        raise ValueError(f"{option} {shown_path(path)}: give a name that ends in {accepted}{more}")


def check_places(reads: Named, writes: Named) -> None:
    """Raise ValueError if a file would be written to that is read, or written to twice, under whatever name.

    Of a folder that is read, nothing is written over that a command did not write.

    Raises:
        IsADirectoryError: if a folder is where a file is to be written.
    """
    taken = {key: option for option, path in reads.items() if (key := _identity(path, 0)) is not None}
    folders = {option: Path(path) for option, path in reads.items() if path is not None and Path(path).is_dir()}
    for option, path in writes.items():
        if path is None:
            continue
        if str(path) != "-" and Path(path).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        key = _identity(path, 1)
        if key in taken:
            raise ValueError(f"{option} {shown_path(path)}: this is the file of {taken[key]}; give a file of its own")
        for other, folder in folders.items():
            if _would_be_lost(Path(path), folder):
                raise ValueError(
                    f"{option} {shown_path(path)}: this is a file of the folder of {other}; give a file of its own"
                )
        if key is not None:
            taken[key] = option


def paths_in(kind: type[VerifiedEnv], settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the paths that settings of this kind of environment open, by the option that names each."""
    values = {name: settings[name] for name in kind.settings.paths(settings)}
    several = {name: value if isinstance(value, list | tuple) else [value] for name, value in values.items()}
    return {
        f"-s {name}" + f" ({number})" * bool(number): path
        for name, paths in several.items()
        for number, path in enumerate(paths)
        if isinstance(path, str)
    }


def _identity(path: Path | str | None, stream: int) -> Any:
    """Return what two names of one file have in common, "-" being the standard stream of this number.

    None for a device, a pipe or a folder, which may be named twice.
    """
    if path is None:
        return None
    is_stream = str(path) == "-"
    try:
        found = os.fstat(stream) if is_stream else os.stat(path)
    except OSError:
        return None if is_stream else os.path.normcase(os.path.realpath(path))
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def _would_be_lost(path: Path, folder: Path) -> bool:
    if not path.is_file() or path.suffix.lower() in _NEVER_READ:
        return False
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        return False
    with path.open("rb") as file:
        head = file.read(20)
    return not any(mark in head for mark in _OURS)


def _is_device(path: Path | str) -> bool:
    given = Path(path)
    return given.exists() and not given.is_file() and not given.is_dir()
