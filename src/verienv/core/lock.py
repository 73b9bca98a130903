"""A file that one writer has for itself, by a lock of the operating system, which ends with the process."""

from __future__ import annotations

import os
import sys
import warnings
from errno import EACCES, EAGAIN, EDEADLK, ENOSYS
from io import FileIO
from pathlib import Path
from weakref import WeakSet

_TAKEN = (EACCES, EAGAIN, EDEADLK)
"""The errors of systems that say: another has the lock."""

_WINDOWS_BYTE = 2**31 - 2
"""The byte that is locked on Windows, where nobody else can read what is locked: far behind what a log holds."""

_locked: WeakSet[FileIO] = WeakSet()


def open_alone(path: Path) -> FileIO:
    """Open a plain file for one writer, to be read and appended to; closing it, or the end of the process, frees it.

    The file is unbuffered. A fork of the process finds it closed. Where the system has no such locks, as on some
    network file systems, there is a RuntimeWarning.

    Raises:
        ValueError: if it is no plain file, or another has it: in this process, or in another one.
        OSError: if it cannot be opened.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no plain file; give the name of a file, or of one that is not there yet")
    file = path.open("a+b", buffering=0)
    assert isinstance(file, FileIO)  # noqa: S101 - what open returns, unbuffered
    try:
        _lock(file)
    except OSError as error:
        if error.errno in _TAKEN:
            file.close()
            raise ValueError(f"{path} is being written by another evaluation; let it end, or log elsewhere") from None
        warnings.warn(
            f"{path} cannot be locked ({error.strerror}): see to it that nobody else writes to it",
            RuntimeWarning,
            stacklevel=2,
        )
    _locked.add(file)
    return file


def _lock(file: FileIO) -> None:
    """Lock an open file. Raises OSError if another has the lock, or there are no locks here."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(_WINDOWS_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0)
    else:
        try:
            import fcntl
        except ImportError:  # Python in a browser
            raise OSError(ENOSYS, os.strerror(ENOSYS)) from None
        # Unlike a lock of lockf, it belongs to this opening of the file: other threads and objects of this process
        # are kept out too, and it is not lost when somebody else in the process reads and closes the file.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _close_in_fork() -> None:
    """Close the files in a forked process, which would keep the locks of a parent that was killed."""
    for file in list(_locked):
        file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_fork)
