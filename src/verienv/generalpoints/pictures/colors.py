"""Colours, in the one form that settings keep."""

from __future__ import annotations

import re
from typing import Any

from PIL import ImageColor

RGB = tuple[int, int, int]

_HEXADECIMAL = re.compile("#[0-9a-f]{6}")


def parse_color(color: Any) -> str | None:
    """ "#rrggbb" for itself in any case, or for a name that PIL.ImageColor knows ("navy"); None for anything else."""
    known = ImageColor.colormap.get(color.lower(), color.lower()) if isinstance(color, str) else ""
    if isinstance(known, tuple):
        known = "#{:02x}{:02x}{:02x}".format(*known)
    return known if _HEXADECIMAL.fullmatch(known) else None


def rgb(color: str) -> RGB:
    """The levels of a colour in that form, 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
