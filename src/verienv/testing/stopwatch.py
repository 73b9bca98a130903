"""A stopwatch for calls that does not depend on how busy the machine is: the thread's CPU time, and what was slept."""

from __future__ import annotations

from time import perf_counter, thread_time

PROBE = 0.02
"""Seconds of CPU time that are spun away to see how much of a core the thread gets."""
BUSY = 0.25
"""A call that computes for less than this share of the time it could have had has slept, or waited for another."""


class Stopwatch:
    """Times one call. It is made when the call begins."""

    def __init__(self) -> None:
        self._cpu, self._wall = thread_time(), perf_counter()

    @property
    def cpu(self) -> float:
        """Seconds that this thread has computed."""
        return thread_time() - self._cpu

    @property
    def wall(self) -> float:
        """Seconds that have passed."""
        return perf_counter() - self._wall

    def seconds(self, limit: float) -> float:
        """Return the seconds that the call took of its own doing: computing, or, where that passes ``limit``, sleeping.

        A thread that others keep from its core does not sleep.
        """
        cpu, wall = self.cpu, self.wall
        return wall if cpu <= limit < wall and self.slept else cpu

    @property
    def slept(self) -> bool:
        """Whether the call has slept, or waited for another process, rather than computed or been kept from a core."""
        cpu, wall = self.cpu, self.wall
        return cpu < BUSY * wall * _share()


def _share() -> float:
    """The share of a core that this thread gets now, at most 1."""
    cpu, wall = thread_time(), perf_counter()
    while (spent := thread_time() - cpu) < PROBE:
        pass
    return min(1.0, spent / max(perf_counter() - wall, spent))
