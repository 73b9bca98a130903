"""Reading files that are trusted in nothing."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

from verienv.core.shown import cut, shown_path

MOST_BYTES = 256 * 2**20
MOST_LINE = 2**26
"""The bytes of the longest line that is read."""
MOST_SKIPPED = 2**30
"""The bytes of the longest line that is passed over."""
AGAIN = "download or convert it again"


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


def file_within(folder: Path, name: str) -> Path:
    """Return the plain file of a relative name within a folder.

    Raises:
        ValueError: in words that follow the name's, if it leads out of the folder or over a link, or there is no file.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") or {"\\", ":"} & {*part} or not part.isprintable() for part in parts):
        raise ValueError(f"{shown_path(name)} is no plain path within the folder; give one such as images/0.png")
    path = folder
    for part in parts:
        path = path / part
        if path.is_symlink():
            raise ValueError(f"{shown_path(name)} lies behind a link; copy the file into the folder")
    if not is_file(path):
        raise ValueError(f"{shown_path(name)} is not there")
    return path


def read_bytes(path: Path, most_bytes: int = MOST_BYTES, mend: str = AGAIN) -> bytes:
    """Read the bytes of a plain file; ``mend`` says what to do with one that is empty.

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
        raise ValueError(f"{shown_path(path)}: is empty; {mend}")
    return raw


def read_json(path: Path, most_bytes: int = MOST_BYTES, mend: str = AGAIN) -> Any:
    """Read JSON from a file, in UTF-8, without NaN and Infinity. Errors as from ``read_bytes``, and ValueError.

    ``mend`` says what to do with a file that is damaged.
    """
    raw = read_bytes(path, most_bytes, mend)
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        fault = "nested too deeply" if isinstance(error, RecursionError) else cut(error, 80)
        raise ValueError(f"{shown_path(path)}: is no JSON in UTF-8 ({fault}); {mend}") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


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
                f"{shown_path(name)}: zstd is read from Python 3.14 on; unpack it first, with: zstd -d FILE.zst"
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
    with naming(name):
        opened = unpacked(file, name)
        number = 0
        while line := opened.readline(MOST_LINE + 1):
            number += 1
            end, skipped = line[-1:], len(line)
            while skipped > MOST_LINE and end != b"\n" and (rest := opened.readline(MOST_LINE)):
                end, skipped = rest[-1:], skipped + len(rest)
                if skipped > MOST_SKIPPED:
                    raise ValueError(
                        f"{shown_path(name)}, line {number}: longer than {MOST_SKIPPED // 2**20} MB; is it the file?"
                    )
            yield line


def read_whole(path: str | Path, most_bytes: int = MOST_SKIPPED) -> bytes:
    """Return the bytes of a file that may be compressed, at most ``most_bytes``. Errors as ``read_lines``'."""
    with naming(path), Path(path).open("rb") as file:
        data = unpacked(file, path).read(most_bytes + 1)
    if len(data) > most_bytes:
        raise ValueError(f"{shown_path(path)}: larger than {most_bytes // 2**20} MB")
    return data


@contextmanager
def naming(name: str | Path) -> Iterator[None]:
    """Say which file it is that is damaged (a ValueError) or cannot be read (an OSError)."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise ValueError(f"{shown_path(name)}: damaged, or no whole file ({error})") from None
        error.filename = error.filename or str(name)
        raise
    except _damages() as error:
        raise ValueError(f"{shown_path(name)}: damaged, or no whole file ({error})") from None


def _damages() -> tuple[type[Exception], ...]:
    """Return what the decoders in use raise for damaged data, beside OSError."""
    own = (("lzma", "LZMAError"), ("compression.zstd", "ZstdError"))
    loaded = [getattr(sys.modules[module], name) for module, name in own if module in sys.modules]
    return (EOFError, zlib.error, *loaded)
