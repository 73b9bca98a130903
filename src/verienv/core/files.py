"""Files that are written whole, and files that are read line by line though they may be compressed or hostile."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import platform
import re
import shutil
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO, TextIO, cast

MOST_LINE = 2**26
"""The bytes of the longest line that is read."""
MOST_SKIPPED = 2**30
"""The bytes of the longest line that is passed over."""

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
    name = path.name
    if len(os.fsencode(name)) > _LONGEST_NAME - 80:
        digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
        name = f"{os.fsencode(name)[:80].decode(errors='ignore')}.{digest}"
    left = re.compile(rf"{re.escape(name)}\.{re.escape(_HOST)}-(\d{{1,9}})-\d+\.part")
    with os.scandir(path.parent) as entries:
        for entry in entries:
            found = left.fullmatch(entry.name)
            if found and not _is_alive(int(found[1])):
                _remove(Path(entry.path))
    return path.with_name(f"{name}.{_HOST}-{os.getpid()}-{next(_numbers)}.part")


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


def unpacked(file: BinaryIO, name: str | Path) -> BinaryIO:
    """Return what a file holds: itself, or what gzip, bzip2, xz or (from Python 3.14) zstd made smaller.

    Its beginning decides, not its name. Reading damaged data raises EOFError, OSError, zlib.error or lzma.LZMAError.

    Raises:
        ValueError: for zstd before Python 3.14.
    """
    if not hasattr(file, "peek"):
        file = cast(BinaryIO, io.BufferedReader(file))
    head = cast(io.BufferedReader, file).peek(6)[:6]
    if head.startswith(b"\x1f\x8b"):
        return cast(BinaryIO, gzip.GzipFile(fileobj=file, mode="rb"))
    if head.startswith(b"BZh"):
        import bz2

        return cast(BinaryIO, bz2.BZ2File(file))
    if head.startswith(b"\xfd7zXZ\0"):
        import lzma

        return cast(BinaryIO, lzma.LZMAFile(file))
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        try:
            from compression import zstd  # type: ignore[import-not-found,unused-ignore]
        except ImportError:
            raise ValueError(
                f"{name}: zstd is read from Python 3.14 on; unpack it first, with: zstd -d FILE.zst"
            ) from None
        return cast(BinaryIO, zstd.ZstdFile(file))
    return file


def read_lines(file: BinaryIO, name: str | Path) -> Iterator[bytes]:
    """Yield the lines of a file that may be compressed (see ``unpacked``), in bounded memory.

    Of a line of more than ``MOST_LINE`` bytes only the first ``MOST_LINE + 1`` are yielded.

    Raises:
        ValueError: if the file is damaged, or a line has more than ``MOST_SKIPPED`` bytes.
        OSError: if it cannot be read; it names the file.
    """
    with _naming(name):
        opened = unpacked(file, name)
        number = 0
        while line := opened.readline(MOST_LINE + 1):
            number += 1
            end, skipped = line[-1:], len(line)
            while skipped > MOST_LINE and end != b"\n" and (rest := opened.readline(MOST_LINE)):
                end, skipped = rest[-1:], skipped + len(rest)
                if skipped > MOST_SKIPPED:
                    raise ValueError(f"{name}, line {number}: longer than {MOST_SKIPPED // 2**20} MB; is it the file?")
            yield line


def read_whole(path: str | Path) -> bytes:
    """Return the bytes of a file that may be compressed, at most ``MOST_SKIPPED``. Errors as ``read_lines``'."""
    with _naming(path), Path(path).open("rb") as file:
        data = unpacked(file, path).read(MOST_SKIPPED + 1)
    if len(data) > MOST_SKIPPED:
        raise ValueError(f"{path}: larger than {MOST_SKIPPED // 2**20} MB")
    return data


@contextmanager
def _naming(name: str | Path) -> Iterator[None]:
    """Say which file it is that is damaged or cannot be read."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise ValueError(f"{name}: damaged, or no whole file ({error})") from None
        error.filename = error.filename or str(name)
        raise
    except _damages() as error:
        raise ValueError(f"{name}: damaged, or no whole file ({error})") from None


def _damages() -> tuple[type[Exception], ...]:
    """Return what the decoders in use raise for damaged data, beside OSError."""
    own = (("lzma", "LZMAError"), ("compression.zstd", "ZstdError"))
    loaded = [getattr(sys.modules[module], name) for module, name in own if module in sys.modules]
    return (EOFError, zlib.error, *loaded)
