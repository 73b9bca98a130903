"""The spaces of observations and actions."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from gymnasium import spaces

PRINTABLE = "\n" + "".join(chr(code) for code in range(32, 127))
"""Printable ASCII and the newline: all that an observation's text may hold."""


def text_space(max_length: int) -> spaces.Text:
    """Printable ASCII text of 0 to ``max_length`` characters. A fresh space each time: its sampling has a seed."""
    return spaces.Text(max_length=max_length, min_length=0, charset=PRINTABLE)


@lru_cache(maxsize=16)
def image_space(height: int, width: int) -> spaces.Box:
    """RGB pictures, uint8, height x width x 3. Its bounds take three times the picture: hence shared."""
    return spaces.Box(0, 255, (height, width, 3), np.uint8)
