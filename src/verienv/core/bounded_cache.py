"""A cache with a bound on bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Protocol, TypeVar, cast

import numpy as np


class HasBytes(Protocol):
    """An object that knows its size, as an array does."""

    @property
    def nbytes(self) -> int: ...


Held = TypeVar("Held", bound=HasBytes)


class BoundedCache:
    """An LRU cache that is bounded in bytes, safe between threads.

    Arrays come back read-only. A pickle of the cache or a copy is empty.

    Args:
        most_bytes: the bound; an object that alone is larger is made anew each time.
    """

    def __init__(self, most_bytes: int) -> None:
        if most_bytes < 0:
            raise ValueError(f"most_bytes={most_bytes}: expected at least 0")
        self.most_bytes = most_bytes
        self.nbytes = 0
        self._held: OrderedDict[Hashable, HasBytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Held]) -> Held:
        """Return the object held for ``key``, or else that of ``make()``, which must be of one type for a key."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return cast(Held, self._held[key])
        made = make()
        if isinstance(made, np.ndarray):
            made.setflags(write=False)
        if made.nbytes <= self.most_bytes:
            with self._lock:
                self._hold(key, made)
        return made

    def _hold(self, key: Hashable, made: HasBytes) -> None:
        before = self._held.pop(key, None)  # another thread may have made it too
        self.nbytes += made.nbytes - (before.nbytes if before is not None else 0)
        self._held[key] = made
        while self.nbytes > self.most_bytes:
            self.nbytes -= self._held.popitem(last=False)[1].nbytes

    def __len__(self) -> int:
        return len(self._held)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.most_bytes,)
