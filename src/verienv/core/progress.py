"""A progress bar on stderr, which stops nothing, whatever is wrong with that stream."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any


class _Screen:
    """A stream for a progress bar: whatever is wrong with it, the work goes on."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.encoding = getattr(stream, "encoding", None)

    def write(self, text: str) -> None:
        with suppress(Exception):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(Exception):
            self._stream.flush()

    def isatty(self) -> bool:
        try:
            return bool(self._stream.isatty())
        except Exception:  # None, closed, or an object of somebody's own
            return False

    def fileno(self) -> int:
        return int(self._stream.fileno())


@contextmanager
def progress_bar(
    total: int, done: int = 0, *, wanted: bool | None = None, unit: str = "episode"
) -> Iterator[Callable[[], Any]]:
    """Show a progress bar, if wanted and tqdm is installed: call the yielded function once for each unit.

    Args:
        total: the number of units.
        done: those that were done before.
        wanted: whether it is shown; by default if stderr is a terminal.
        unit: the noun of one.
    """
    screen = _Screen(sys.stderr)
    shown = screen.isatty() if wanted is None else wanted
    try:
        from tqdm import tqdm
    except ImportError:
        shown = False
    if not shown:
        yield lambda: None
        return
    with tqdm(total=total, initial=done, unit=unit, dynamic_ncols=True, file=screen) as bar:
        yield bar.update
