"""Whether a verifier left the facts it was handed as they were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

_ATOMS = (str, int, float, bool, bytes, type(None))
_GONE = object()


def is_unchanged(handed: Any, facts: Any) -> bool:
    """Whether ``handed``, a copy of ``facts``, still says the same, in every attribute, however deep.

    What a cached property keeps on the first look counts as there before.
    """
    if handed is facts:
        return True
    if type(handed) is not type(facts):
        return False
    if isinstance(facts, _ATOMS):
        return bool(handed == facts or handed != handed)
    if isinstance(facts, np.ndarray):
        return bool(np.array_equal(handed, facts))
    if isinstance(facts, list | tuple):
        return len(handed) == len(facts) and all(map(is_unchanged, handed, facts))
    if isinstance(facts, Mapping):
        return list(handed) == list(facts) and all(is_unchanged(handed[name], facts[name]) for name in facts)
    if not hasattr(facts, "__dict__"):
        return bool(handed == facts)
    names = handed.__dict__.keys() | facts.__dict__.keys()
    return all(is_unchanged(getattr(handed, name, _GONE), getattr(facts, name, _GONE)) for name in names)
