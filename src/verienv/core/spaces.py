"""The spaces of observations and actions."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import create_shared_memory, read_from_shared_memory, write_to_shared_memory
from numpy.typing import NDArray

PRINTABLE = "\n" + "".join(chr(code) for code in range(32, 127))
"""Printable ASCII and the newline: all that an observation's text may hold."""


class PrintableText(spaces.Text):
    """Printable ASCII text of 0 to ``max_length`` characters.

    It brings its own shared memory: Gymnasium's AsyncVectorEnv reads that only once and from then on expects a
    view of it, which for a plain ``Text`` is a copy that never changes.
    """

    def __init__(self, max_length: int) -> None:
        super().__init__(max_length=max_length, min_length=0, charset=PRINTABLE)


class SharedTexts(Sequence[str]):
    """The texts that lie in shared memory now; a deep copy is a tuple of them."""

    def __init__(self, lines: NDArray[np.uint8]) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: Any) -> Any:
        return tuple(self)[index]

    def __iter__(self) -> Iterator[str]:
        return (line.tobytes().rstrip(b"\0").decode("ascii") for line in self._lines)

    def __deepcopy__(self, memo: dict[int, Any]) -> tuple[str, ...]:
        return tuple(self)


@create_shared_memory.register(PrintableText)
def _create(space: PrintableText, n: int = 1, ctx: Any = multiprocessing) -> Any:
    return ctx.Array("c", n * space.max_length)


@read_from_shared_memory.register(PrintableText)
def _read(space: PrintableText, shared_memory: Any, n: int = 1) -> SharedTexts:
    return SharedTexts(_lines(space, shared_memory))


@write_to_shared_memory.register(PrintableText)
def _write(space: PrintableText, index: int, values: str, shared_memory: Any) -> None:
    line = _lines(space, shared_memory)[index]
    line[: len(values)] = np.frombuffer(values.encode("ascii"), np.uint8)
    line[len(values) :] = 0


def _lines(space: PrintableText, shared_memory: Any) -> NDArray[np.uint8]:
    """One row of ``max_length`` bytes per environment, zeros after the text."""
    return np.frombuffer(shared_memory.get_obj(), np.uint8).reshape(-1, space.max_length)


@lru_cache(maxsize=16)
def image_space(height: int, width: int) -> spaces.Box:
    """RGB pictures, uint8, height x width x 3. Its bounds take three times the picture: hence shared."""
    return spaces.Box(0, 255, (height, width, 3), np.uint8)
