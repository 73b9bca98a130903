"""Counts that a user gives, checked in one sentence."""

from __future__ import annotations

from typing import Any

from verienv.core.shown import shown


def check_count(name: str, number: Any, least: int = 1) -> int:
    """Return ``number`` if it is an integer of at least ``least``. Raises ValueError if not."""
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise ValueError(f"{name}={shown(number)}: expected an integer of at least {least}")
    return number
