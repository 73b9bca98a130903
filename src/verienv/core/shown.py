"""Values as errors show them."""

from __future__ import annotations

from reprlib import Repr
from typing import Any

_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxdict, _SHORT.maxlist, _SHORT.maxtuple, _SHORT.maxstring, _SHORT.maxother = 3, 8, 8, 8, 60, 60


def shown(value: Any) -> str:
    """Return a value as an error shows it: at most 60 characters, however long or deep it is."""
    try:
        text = _SHORT.repr(value)
    except Exception:  # an integer of more than 4300 digits, or an object that cannot be written
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 60 else f"{text[:57]}..."
