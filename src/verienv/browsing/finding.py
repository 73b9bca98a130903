"""Finding of what can be browsed: logs and saved results of evaluations, and the folders of training runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from verienv.core.reading import is_file, is_there, unpacked
from verienv.core.shown import shown_path

Kind = Literal["log", "results", "run"]

MOST_FOUND = 1_000
"""The files and folders that are browsed together."""
MOST_ENTRIES = 100_000
"""The entries of folders that are gone through."""
DEEPEST = 12
_ENDINGS = (".jsonl", ".ndjson", ".json", ".log", ".txt", "")
_PACKED = (".gz", ".bz2", ".xz", ".zst")
_HEAD = 64


@dataclass(frozen=True)
class Found:
    """A place that can be browsed.

    Attributes:
        kind: the log of an evaluation, its saved results, or the folder of a training run.
        path: the file or folder.
        name: the path in short, from the folder that was given.
    """

    kind: Kind
    path: Path
    name: str


def find(paths: Sequence[Path]) -> list[Found]:
    """Return what can be browsed at paths: each a file, or a folder that is gone through without following links.

    Raises:
        ValueError: for a path that is nothing of the kind, a folder that holds nothing of it, or too much.
    """
    found = dict[Path, Found]()
    for path in paths:
        before = len(found)
        for each in _below(path) if path.is_dir() else [_file(path)]:
            found.setdefault(each.path.resolve(), each)
            if len(found) > MOST_FOUND:
                raise ValueError(f"{shown_path(path)}: holds more than {MOST_FOUND} logs and runs; name fewer")
        if len(found) == before and path.is_dir() and not any(path.resolve() in one.parents for one in found):
            raise ValueError(
                f"{shown_path(path)}: holds no log of an evaluation, no saved results (.json) and no training run"
            )
    return list(found.values())


def _file(path: Path) -> Found:
    if not is_file(path):
        fault = "is no plain file" if is_there(path) else "there is no such file or folder; check the path"
        raise ValueError(f"{shown_path(path)}: {fault}")
    kind = _kind(path)
    if kind is None:
        raise ValueError(
            f"{shown_path(path)}: is neither an evaluation's log (--log) nor its saved results (--out FILE.json); a "
            "training run is named by its folder"
        )
    return Found(kind, path, path.name)


def _below(top: Path) -> Iterator[Found]:
    """Yield what lies in a folder and below it, in the order of names."""
    left, waiting = MOST_ENTRIES, [(top, 0)]
    while waiting:
        folder, depth = waiting.pop()
        if is_file(folder / "config.json") and is_file(folder / "log.jsonl"):
            yield Found("run", folder, _short(folder, top))
        try:
            with os.scandir(folder) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        left -= len(inside)
        if left < 0:
            raise ValueError(f"{shown_path(top)}: has more than {MOST_ENTRIES:,} entries; name a folder within it")
        for entry in inside:
            path = Path(entry.path)
            if entry.is_file(follow_symlinks=False) and _may_be(path) and (kind := _kind(path)):
                yield Found(kind, path, _short(path, top))
        if depth < DEEPEST:
            folders = [entry for entry in inside if entry.is_dir(follow_symlinks=False)]
            waiting += [(Path(entry.path), depth + 1) for entry in reversed(folders) if entry.name[:1] != "."]


def _short(path: Path, top: Path) -> str:
    return path.relative_to(top).as_posix() if path != top else top.resolve().name


def _may_be(path: Path) -> bool:
    name = Path(path.stem) if path.suffix.lower() in _PACKED else path
    return name.suffix.lower() in _ENDINGS


def _kind(path: Path) -> Kind | None:
    """Return what a file is by its beginning, None for anything else."""
    try:
        with path.open("rb") as file:
            head = unpacked(file, path).read(_HEAD)
    except Exception:  # of a damaged file, which decoders tell in many ways
        return None
    compact = b"".join(head.removeprefix(b"\xef\xbb\xbf").split())
    if not compact.startswith(b'{"setup":{'):
        return None
    return "log" if b"\n" not in head.strip() else "results"
