"""A dialogue as a picture: what ``render_mode="rgb_array"`` shows where there is none."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verienv.core.assets import asset_path

HEIGHT, WIDTH = 480, 640
"""The size of the picture in px, the same whatever the text: videos want frames of one size."""

_MARGIN, _LINE, _GAP = 16, 17, 8
_ROOM = WIDTH - 2 * _MARGIN
_LONGEST = 400
"""Characters of a line, however narrow they are."""
_PAPER, _INK, _RULE = (250, 249, 246), (38, 40, 44), (226, 223, 216)
_SPEAKERS = {"policy": (36, 88, 168), "system": (122, 62, 140)}
_OTHERS = (140, 100, 24)
_MOST = 6000
"""Characters of a turn that are looked at; no more fit."""


def draw_turns(turns: Sequence[tuple[str, str]]) -> NDArray[np.uint8]:
    """Draw the end of a dialogue, each turn a speaker and a text: uint8, HEIGHT x WIDTH x 3, RGB.

    Control characters are left out; what the font lacks is drawn as a box.
    """
    from PIL import Image, ImageDraw

    page = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(page)
    bottom = HEIGHT - _MARGIN
    placed = list[tuple[int, str, bool, tuple[int, int, int]]]()
    for speaker, text in reversed(turns):
        colour = _SPEAKERS.get(speaker, _OTHERS)
        for line in reversed([*_wrapped(text[-_MOST:])]):
            bottom -= _LINE
            placed.append((bottom, line, False, _INK))
        bottom -= _LINE
        placed.append((bottom, speaker, True, colour))
        bottom -= _GAP
        if bottom < _MARGIN:
            break
    shift = min(0, _MARGIN - bottom - _GAP)  # a short dialogue begins at the top
    for top, line, is_speaker, colour in placed:
        at = top + shift
        if at < _MARGIN:
            break
        pen.text((_MARGIN, at), line, colour, _font(11 if is_speaker else 13))
        if is_speaker and at > _MARGIN:
            pen.line((_MARGIN, at - _GAP // 2, WIDTH - _MARGIN, at - _GAP // 2), _RULE)
    return np.array(page)


def _wrapped(text: str) -> Iterator[str]:
    """Yield the lines of a text, broken where they would not fit."""
    for paragraph in text.expandtabs(4).split("\n"):
        line = ""
        for word in "".join(letter for letter in paragraph if letter.isprintable()).split(" "):
            longer = f"{line} {word}" if line else word
            if line and not _fits(longer):
                yield line
                longer = word
            while not _fits(longer):
                whole = range(1, min(len(longer), _LONGEST))
                end = max(1, bisect_right(whole, _ROOM, key=lambda end: _font(13).getlength(longer[:end])))
                yield longer[:end]
                longer = longer[end:]
            line = longer
        yield line


def _fits(line: str) -> bool:
    return len(line) < _LONGEST and _font(13).getlength(line) <= _ROOM


@lru_cache(maxsize=4)
def _font(size: int) -> Any:
    from PIL import ImageFont

    path = str(asset_path("fonts/DejaVuSans-Bold.ttf"))
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
