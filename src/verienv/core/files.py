"""Files that are written whole."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO, TextIO, cast

_HOST = re.sub(r"[^A-Za-z0-9]+", "-", platform.node())[:32].strip("-") or "host"
_LONGEST_NAME = 255  # bytes, on every file system in use
_numbers = count()


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """A path to write to. It takes the place of ``path`` at the end: all of it or, when that fails, nothing.

    The folder is made if need be. A symbolic link stays, and the file that it leads to is replaced; a file's
    permissions stay too. A device or a pipe is itself what is yielded. What a process that was killed on this machine
    left half-written for the same path is removed.

    Raises:
        OSError: names ``path``. A file without permission to be written to is not replaced either.
    """
    path = Path(path)
    if path.exists() and not path.is_file():  # a device or a pipe, or an error that tells of a directory
        with _telling(path):
            yield path
        return
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    part = part_beside(target)
    try:
        with _telling(path, part):
            yield part
            if target.exists():
                shutil.copymode(target, part)
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _telling(path: Path, part: Path | None = None) -> Iterator[None]:
    """Name ``path`` in errors: a failed write says nowhere where it was, one to the half-written file says that."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename in (None, part, str(part)):
            error.filename = str(path)
            error.filename2 = None
        raise


@contextmanager
def atomic_text(path: str | Path) -> Iterator[TextIO]:
    """A text file in UTF-8 to write to, by gzip if the name ends in .gz. It appears as ``atomic_write``'s."""
    with atomic_write(path) as part, part.open("wb") as raw:
        file: BinaryIO = raw
        if Path(path).suffix.lower() == ".gz":  # without name and time: what is written alike is alike
            file = cast(BinaryIO, gzip.GzipFile("", "wb", fileobj=raw, mtime=0))
        with io.TextIOWrapper(file, encoding="utf-8", newline="\n") as text:
            yield text


def part_beside(path: Path) -> Path:
    """Return a path beside ``path`` for what is half-written, after removing what dead processes left there.

    Its name holds this machine and this process: nothing is removed of another machine, or of a process that lives.
    """
    name = short_name(path.name)
    left = re.compile(rf"{re.escape(name)}\.{re.escape(_HOST)}-(\d{{1,9}})-\d+\.part")
    with os.scandir(path.parent) as entries:
        for entry in entries:
            found = left.fullmatch(entry.name)
            if found and not _is_alive(int(found[1])):
                _remove(Path(entry.path))
    return path.with_name(f"{name}.{_HOST}-{os.getpid()}-{next(_numbers)}.part")


def short_name(name: str) -> str:
    """Return a name that leaves room for an ending of 80 bytes: itself, or its beginning and a digest."""
    whole = os.fsencode(name)
    if len(whole) <= _LONGEST_NAME - 80:
        return name
    return f"{whole[:80].decode(errors='ignore')}.{hashlib.sha256(whole).hexdigest()[:16]}"


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # where asking would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove(path: Path) -> None:
    """Remove a file or a folder, if that is allowed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
