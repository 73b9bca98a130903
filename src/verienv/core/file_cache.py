"""A cache of what is made of files, which goes by their size and time of change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, update_wrapper
from pathlib import Path
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
Made = TypeVar("Made")

Stamp = tuple[int, ...]
"""Device, inode, size and times of change of a file; () where there is none."""


def stamp(path: Path | str) -> Stamp:
    """Return what tells a file from every other, and from itself once it is overwritten."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class FileCache(Generic[P, Made]):
    """A function with an LRU cache, as of ``functools.lru_cache``, that forgets what was made of files since changed.

    Args:
        make: the function; its arguments are hashable.
        files: returns, for the same arguments, the files that it reads.
        maxsize: the number of results that are kept.
    """

    def __init__(self, make: Callable[P, Made], files: Callable[P, Iterable[Path | str]], maxsize: int) -> None:
        self._files = files
        self._kept = lru_cache(maxsize)(lambda stamps, *given, **named: make(*given, **named))
        update_wrapper(self, make)

    def __call__(self, *given: P.args, **named: P.kwargs) -> Made:
        stamps = tuple((str(path), stamp(path)) for path in self._files(*given, **named))
        return self._kept(stamps, *given, **named)  # type: ignore[arg-type]

    def cache_clear(self) -> None:
        """Forget all."""
        self._kept.cache_clear()

    def __reduce__(self) -> str:
        return str(self.__qualname__)  # type: ignore[attr-defined]


def cached_by_files(
    files: Callable[P, Iterable[Path | str]], maxsize: int
) -> Callable[[Callable[P, Made]], FileCache[P, Made]]:
    """Decorate a function with a ``FileCache``."""
    return lambda make: FileCache(make, files, maxsize)
