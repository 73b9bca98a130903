"""Settings as texts, as a command line has them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def read_settings(pairs: Iterable[str]) -> dict[str, Any]:
    """Read settings from "key=value" texts; a value is JSON where it can be, else a string. Raises ValueError."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise ValueError(f"--setting {pair!r}: expected key=value, e.g. rule=rank or attempts=1")
        try:
            settings[key] = json.loads(value)
        except (ValueError, RecursionError):
            settings[key] = value
    return settings
