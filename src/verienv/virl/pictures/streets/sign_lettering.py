"""Sign lettering: fonts, the lines of a label that fill a board, and the picture of a board."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, pairwise
from math import log2
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from verienv.core.assets import asset_path
from verienv.core.bounded_cache import BoundedCache
from verienv.virl.pictures.streets.pixels import RGB, Pixels, pack
from verienv.virl.pictures.streets.sign_emblems import emblem_mask
from verienv.virl.pictures.streets.visuals import DISPLAY_FONTS

CAP = 44
"""Pixels of a capital letter's height in the finest picture of a board."""

LINE = 1.55
"""Distance from line to line, by the height of a capital letter."""

MARGIN = 0.55
"""Margin around the writing, by the height of a capital letter."""

EMBLEM = 1.9
"""Width of an emblem's room before the writing, by the height of a capital letter."""

NARROWEST = 0.62
"""Width of squeezed letters by their natural width, at least."""

SHARPNESS = tuple(2.0 ** (-step / 2) for step in range(9))
"""Scales of the pictures of a board, finest first."""

_PICTURES = BoundedCache(48 * 2**20)
_MOST_LINES = 5


class Layout(NamedTuple):
    """The writing on a board, in units of the height of a capital letter.

    Attributes:
        lines: the lines of the writing.
        squeeze: the width of its letters by their natural width.
        width, height: the size of the board.
        emblem: the emblem before the writing, a name of ``sign_emblems``; "" for none.
    """

    lines: tuple[str, ...]
    squeeze: float
    width: float
    height: float
    emblem: str = ""


def layout(label: str, font: str, most_width: float, most_lines: int = _MOST_LINES, emblem: str = "") -> Layout:
    """Lay a label out in the fewest lines that fit a width: balanced, else squeezed, else wider than asked.

    Args:
        label: printable ASCII.
        font: a ``SignFont``, not "mixed".
        most_width: the width of the board, by the height of a capital letter, at most.
        most_lines: the number of lines, at most; they are broken between words.
        emblem: the emblem before the writing; "" for none.
    """
    inner = most_width - 2 * MARGIN - (EMBLEM if emblem else 0.0)
    words = label.split() or [label]
    for squeeze in (1.0, 0.85):
        for count in range(1, min(len(words), most_lines) + 1):
            lines = _balanced(words, count, font)
            if _widest(lines, font) * squeeze <= inner:
                return _laid(lines, font, squeeze, emblem)
    lines = min((_balanced(words, count, font) for count in range(1, min(len(words), most_lines) + 1)),
                key=lambda each: _widest(each, font))  # fmt: skip
    return _laid(lines, font, max(NARROWEST, min(0.85, inner / _widest(lines, font))), emblem)


def _laid(lines: tuple[str, ...], font: str, squeeze: float, emblem: str) -> Layout:
    width = _widest(lines, font) * squeeze + 2 * MARGIN + (EMBLEM if emblem else 0.0)
    return Layout(lines, squeeze, width, LINE * (len(lines) - 1) + 1 + 2 * MARGIN, emblem)


def _balanced(words: list[str], count: int, font: str) -> tuple[str, ...]:
    """Break words into ``count`` lines, the widest as narrow as can be; 2000 ways to break them are tried at most."""
    best: tuple[str, ...] = ()
    narrowest = float("inf")
    breaks = combinations(range(1, len(words)), count - 1)
    for _, cut in zip(range(2000), breaks, strict=False):
        edges = (0, *cut, len(words))
        lines = tuple(" ".join(words[start:end]) for start, end in pairwise(edges))
        width = _widest(lines, font)
        if width < narrowest:
            best, narrowest = lines, width
    return best


def _widest(lines: tuple[str, ...], font: str) -> float:
    return max(_width(line, font) for line in lines)


@lru_cache(maxsize=8192)
def _width(line: str, font: str) -> float:
    """Return the width of a line by the height of a capital letter."""
    return max(0.5, _face(font).getlength(line) / CAP)


@lru_cache(maxsize=8)
def _face(font: str) -> ImageFont.FreeTypeFont:
    """Load a font at the size at which an H is ``CAP`` pixels high."""
    name = f"fonts/{font}/{font}.woff" if font in DISPLAY_FONTS else "fonts/DejaVuSans-Bold.ttf"
    path = str(asset_path(name))  # Pillow before 10.2 takes no Path
    basic = ImageFont.Layout.BASIC
    tall = -ImageFont.truetype(path, 1000, layout_engine=basic).getbbox("H", anchor="ls")[1]
    return ImageFont.truetype(path, CAP * 1000 / tall, layout_engine=basic)


def sharpness_for(pixels: float) -> int:
    """Return the index of the scale of ``SHARPNESS`` that fits capital letters so many pixels high best."""
    return min(max(round(-2 * log2(max(pixels, 1e-3) / CAP)), 0), len(SHARPNESS) - 1)


def board_picture(laid: Layout, font: str, ground: RGB, ink: RGB, sharpness: int) -> Pixels:
    """Return the picture of a board at a scale of ``SHARPNESS``, height x width; read-only."""

    def draw() -> Pixels:
        finest = _board(laid, font, ground, ink)
        size = [max(2, round(side * SHARPNESS[sharpness])) for side in finest.size]
        return pack(np.asarray(finest.resize((size[0], size[1]), Image.Resampling.BOX)))

    return _PICTURES.get((laid, font, ground, ink, sharpness), draw)


@lru_cache(maxsize=32)
def _board(laid: Layout, font: str, ground: RGB, ink: RGB) -> Image.Image:
    width, height = round(laid.width * CAP), round(laid.height * CAP)
    image = Image.new("RGB", (width, height), ground)
    edge = max(2, CAP // 14)
    ImageDraw.Draw(image).rectangle((edge, edge, width - 1 - edge, height - 1 - edge), outline=ink, width=edge // 2 + 1)
    before = round(EMBLEM * CAP) if laid.emblem else 0
    if laid.emblem:
        size = round(1.4 * CAP)
        image.paste(ink, (round(MARGIN * CAP), (height - size) // 2), emblem_mask(laid.emblem, size))
    for number, line in enumerate(laid.lines):
        mask = _line_mask(line, font, laid.squeeze)
        baseline = (MARGIN + 1 + LINE * number) * CAP
        image.paste(ink, (round((width + before - mask.width) / 2), round(baseline - 1.5 * CAP)), mask)
    return image


def _line_mask(line: str, font: str, squeeze: float) -> Image.Image:
    """Draw one line as a mask, from 1.5 capital letters above its baseline to 0.6 below."""
    length = max(1, round(_face(font).getlength(line)))
    mask = Image.new("L", (length + CAP, round(2.1 * CAP)), 0)
    ImageDraw.Draw(mask).text((CAP / 2, 1.5 * CAP), line, 255, font=_face(font), anchor="ls")
    return mask.resize((max(1, round(mask.width * squeeze)), mask.height), Image.Resampling.LANCZOS)
