"""Arrays of an object that grow with what is met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def double(holder: Any, empty: Mapping[str, Any]) -> None:
    """Make arrays of an object twice as long: by name, the value of the new entries."""
    for name, value in empty.items():
        held = getattr(holder, name)
        setattr(holder, name, np.concatenate([held, np.full_like(held, value)]))
