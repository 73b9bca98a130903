"""Keyed random numbers: they follow from a key, and are the same in every process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Option = TypeVar("Option")


class KeyedRandom:
    """A stream of random numbers from a key of 64 bits (splitmix64)."""

    def __init__(self, key: int) -> None:
        self._state = key & (2**64 - 1)

    def bits(self) -> int:
        """Return the next 64 bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) % 2**64
        mix = self._state
        mix = (mix ^ (mix >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        mix = (mix ^ (mix >> 27)) * 0x94D049BB133111EB % 2**64
        return mix ^ (mix >> 31)

    def uniform(self) -> float:
        """Return a number, at least 0 and below 1."""
        return (self.bits() >> 11) / 2**53

    def choice(self, options: Sequence[Option]) -> Option:
        """Return one of the options."""
        return options[self.bits() % len(options)]
