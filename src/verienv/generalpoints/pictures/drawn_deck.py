"""A deck of our own, drawn with Pillow: every detail of its appearance is a parameter."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import cos, pi, sin
from typing import Any, Literal, NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageFont
from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_validator

from verienv.core.assets import asset_path
from verienv.core.shown import shown
from verienv.generalpoints.cards import FACES, RANKS, SUITS
from verienv.generalpoints.pictures.colors import parse_color

Point = tuple[float, float]
Box = tuple[float, float, float, float]
Polygon = tuple[Point, ...]


class DrawnDeck(BaseModel):
    """The style of drawn cards. A colour is "#rrggbb" or a name that PIL.ImageColor knows, and is kept as "#rrggbb".

    Attributes:
        clubs: colour of the clubs' index and pips.
        diamonds: colour of the diamonds' index and pips.
        hearts: colour of the hearts' index and pips.
        spades: colour of the spades' index and pips.
        face: the card's ground.
        border: the line around the card.
        pips: pips in the classical arrangement and framed court cards; else one large suit, or a hat or crown.
        font: the letters of the ranks, DejaVu Sans Bold or DejaVu Serif Bold.
        index: the size of rank and suit in the corners, 24% of the card's height or with "jumbo" 30%.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clubs: str = "#1c1f24"
    diamonds: str = "#d0202e"
    hearts: str = "#d0202e"
    spades: str = "#1c1f24"
    face: str = "#ffffff"
    border: str = "#b4b8bf"
    pips: bool = True
    font: Literal["sans", "serif"] = "sans"
    index: Literal["normal", "jumbo"] = "normal"

    @field_validator("clubs", "diamonds", "hearts", "spades", "face", "border", mode="before")
    @classmethod
    def _hexadecimal(cls, given: Any, info: ValidationInfo) -> str:
        known = parse_color(given)
        if known is None:
            raise ValueError(
                f'{info.field_name}={shown(given)}: expected a colour, "#rrggbb" or a name such as "navy" or '
                '"darkgreen"'
            )
        return known

    @model_validator(mode="after")
    def _visible(self) -> DrawnDeck:
        for suit in SUITS.values():
            if getattr(self, suit) == self.face:
                raise ValueError(f"{suit}={self.face!r} is the face's colour too: the cards would be blank")
        return self


DRAWN: dict[str, DrawnDeck] = {
    "drawn": DrawnDeck(),
    "drawn_four_color": DrawnDeck(clubs="#14803c", diamonds="#1d5fd0", hearts="#d0202e", spades="#1c1f24"),
    "drawn_dark": DrawnDeck(
        clubs="#b9c7d6", diamonds="#ff9f43", hearts="#ff6b5e", spades="#f4f6f8", face="#20262e", border="#566273"
    ),
    "drawn_plain": DrawnDeck(pips=False, index="jumbo"),
}
"""Decks by name."""


class Layout(NamedTuple):
    """The places of the parts of a face. Boxes are (left, top, right, bottom), in card widths and heights.

    Attributes:
        rank: the rank at the top left; its like at the bottom right is this one turned by 180 degrees.
        suit: the small suit below it, turned likewise.
        pips: the pips, or the one large picture of a card without, each with whether it stands upside down.
        court: the picture of J, Q and K, else None.
    """

    rank: Box
    suit: Box
    pips: tuple[tuple[Box, bool], ...]
    court: Box | None


_INDEX = {"normal": (0.18, 0.19, 0.26, 0.125), "jumbo": (0.24, 0.24, 0.31, 0.15)}
"""Height of the rank, width of a rank of one and of two characters, size of the suit; of the card's width."""
_COLUMNS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "2": ((), (0, 1)), "3": ((), (0, 0.5, 1)), "4": ((0, 1), ()), "5": ((0, 1), (0.5,)), "6": ((0, 0.5, 1), ()),
    "7": ((0, 0.5, 1), (0.25,)), "8": ((0, 0.5, 1), (0.25, 0.75)), "9": ((0, 1 / 3, 2 / 3, 1), (0.5,)),
    "10": ((0, 1 / 3, 2 / 3, 1), (1 / 6, 5 / 6)),
}  # fmt: skip
"""The heights of the pips in the two outer columns and in the middle one, from the first row, 0, to the last, 1."""


def layout(style: DrawnDeck, rank: str, width: float, height: float) -> Layout:
    """Return the places of the parts of a card of this rank; none meets another, whatever the card's proportions."""
    unit = min(width, height / 1.4)
    tall, narrow, wide, small = (unit * size for size in _INDEX[style.index])
    left, top = unit * 0.045, unit * 0.06
    right = left + (wide if len(rank) == 2 else narrow)
    rank_box = (left, top, right, top + tall)
    suit_box = _square((left + right) / 2, top + tall + unit * 0.035 + small / 2, small)
    clear = right + unit * 0.035
    if rank in FACES and style.pips:
        return Layout(rank_box, suit_box, (), (clear, unit * 0.1, width - clear, height - unit * 0.1))
    if rank == "A" or not style.pips:
        size = min(unit * 0.5, height - 2 * (suit_box[3] + unit * 0.02))
        return Layout(rank_box, suit_box, ((_square(width / 2, height / 2, size), False),), None)
    size = min(unit * 0.165, (width - 2 * clear) * 0.4)
    first, last = unit * 0.19, height - unit * 0.19
    sides, middle = _COLUMNS[rank]
    places = [(x, y) for y in sides for x in (clear + size / 2, width - clear - size / 2)]
    places += [(width / 2, y) for y in middle]
    pips = tuple((_square(x, first + y * (last - first), size), y > 0.5) for x, y in places)
    return Layout(rank_box, suit_box, pips, None)


def _square(x: float, y: float, size: float) -> Box:
    return x - size / 2, y - size / 2, x + size / 2, y + size / 2


def draw_face(style: DrawnDeck, rank: str, suit: str, width: int, height: int) -> Image.Image:
    """The face of one card: RGBA, exactly ``width`` x ``height`` pixels, transparent outside its rounded corners.

    The same arguments give the same pixels. Cards are best about 1.4 times as high as wide, and legible from 50 pixels.

    Raises:
        ValueError: if rank, suit or size is none that is drawn; it names those that are.
    """
    if rank not in RANKS or suit not in SUITS:
        raise ValueError(
            f"rank={shown(rank)}, suit={shown(suit)}: expected a rank of {', '.join(RANKS)} and a suit "
            f"of {', '.join(SUITS)}"
        )
    if width < 16 or height < 16:
        raise ValueError(f"width={width}, height={height}: expected at least 16 pixels each")
    scale = 4 if width >= 160 else 8
    size, large = (width, height), (width * scale, height * scale)
    line = max(scale * 0.8, width * scale * 0.007)
    parts = layout(style, rank, *large)
    colour = getattr(style, SUITS[suit])
    card = Image.new("RGB", size, style.border)
    card.paste(style.face, mask=_outline(size, scale, line))

    ink = Image.new("L", large)
    _write(ink, style.font, rank, parts.rank)
    _draw(ink, _SUITS[suit], parts.suit)
    if parts.court:
        left, top, right, bottom = parts.court
        x, y, wide = (left + right) / 2, (top + bottom) / 2, min(right - left, (bottom - top) * 0.4)
        _draw(ink, _CROWNS[rank], _square(x, top + wide * 0.44, wide * 0.7))
    ink = ImageChops.lighter(ink, ink.transpose(Image.Transpose.ROTATE_180))
    if parts.court:
        tint = Image.new("L", large)
        ImageDraw.Draw(tint).rounded_rectangle(parts.court, wide * 0.06, fill=22)
        _draw(tint, _SUITS[suit], _square(x, y, wide * 0.94), fill=50)
        card.paste(colour, mask=tint.resize(size, Image.Resampling.BICUBIC))
        ImageDraw.Draw(ink).rounded_rectangle(parts.court, wide * 0.06, outline=255, width=round(line))
        _write(ink, style.font, rank, _square(x, y, wide * 0.72))
    for box, upside_down in parts.pips:
        _draw(ink, _CROWNS[rank] if rank in FACES else _SUITS[suit], box, upside_down)

    card.paste(colour, mask=ink.resize(size, Image.Resampling.BICUBIC))
    card.putalpha(_outline(size, scale, 0))
    return card


@lru_cache(maxsize=32)
def _outline(size: tuple[int, int], scale: int, inset: float) -> Image.Image:
    """The rounded card as a mask; ``inset`` from its edge is in ``scale``-th parts of a pixel."""
    width, height = size[0] * scale, size[1] * scale
    mask = Image.new("L", (width, height))
    box = (inset, inset, width - 1 - inset, height - 1 - inset)
    ImageDraw.Draw(mask).rounded_rectangle(box, max(min(width, height) * 0.075, 2.5 * scale) - inset, fill=255)
    return mask.resize(size, Image.Resampling.BICUBIC)


@lru_cache(maxsize=256)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    file = {"sans": "fonts/DejaVuSans-Bold.ttf", "serif": "fonts/DejaVuSerif-Bold.ttf"}[name]
    return ImageFont.truetype(str(asset_path(file)), size, layout_engine=ImageFont.Layout.BASIC)


def _write(ink: Image.Image, font: str, rank: str, box: Box) -> None:
    """Write ``rank`` in the middle of ``box``, as high as it and pressed into it; only Q's tail hangs out."""
    left, top, right, bottom = box
    letters = _font(font, max(1, round((bottom - top) / 0.729)))  # a capital of DejaVu is 0.729 em high
    x0, y0, x1, y1 = letters.getbbox(rank, anchor="ls")
    mask = Image.new("L", (round(x1 - x0), round(y1 - y0)))
    ImageDraw.Draw(mask).text((-x0, -y0), rank, fill=255, font=letters, anchor="ls")
    deepest = round(bottom + (bottom - top) * (0.1 if rank == "Q" else 0))
    mask = mask.resize((min(mask.width, round(right - left)), min(mask.height, deepest - round(top))))
    ink.paste(255, (round((left + right - mask.width) / 2), deepest - mask.height), mask)


def _draw(ink: Image.Image, shape: Iterable[Polygon], box: Box, upside_down: bool = False, fill: int = 255) -> None:
    """Draw polygons, given in -1 to 1, into ``box``."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    a, b = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2 * (-1 if upside_down else 1)
    for polygon in shape:
        ImageDraw.Draw(ink).polygon([(x + a * px, y + b * py) for px, py in polygon], fill=fill)


def _disc(x: float, y: float, radius: float) -> Polygon:
    return tuple((x + radius * cos(step * pi / 24), y + radius * sin(step * pi / 24)) for step in range(48))


def _curve(*points: Point) -> Polygon:
    """A chain of cubic Bezier curves: the start, then for each curve two control points and its end."""
    chain = [points[0]]
    for at in range(0, len(points) - 1, 3):
        a, b, c, d = points[at : at + 4]
        for step in range(1, 25):
            t = step / 24
            p, q, r, s = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            chain.append((p * a[0] + q * b[0] + r * c[0] + s * d[0], p * a[1] + q * b[1] + r * c[1] + s * d[1]))
    return tuple(chain)


def _mirrored(half: Polygon) -> Polygon:
    return half + tuple((-x, y) for x, y in reversed(half))


_STEM = _mirrored(_curve((0.09, 0), (0.1, 0.6), (0.2, 0.9), (0.42, 1)))
_HEART = _mirrored(
    _curve(
        (0, -0.52), (0.1, -0.82), (0.3, -0.94), (0.52, -0.94), (0.8, -0.94), (1, -0.72), (1, -0.42),
        (1, 0.1), (0.4, 0.42), (0, 1),
    )
)  # fmt: skip
_SPADE = _mirrored(
    _curve(
        (0, -1), (0.3, -0.5), (0.94, -0.16), (0.94, 0.3), (0.94, 0.58), (0.74, 0.74), (0.5, 0.74),
        (0.3, 0.74), (0.12, 0.62), (0, 0.36),
    )
)  # fmt: skip
_SUITS: dict[str, tuple[Polygon, ...]] = {
    "C": (_disc(0, -0.54, 0.45), _disc(-0.53, 0.24, 0.45), _disc(0.53, 0.24, 0.45), _disc(0, 0, 0.28), _STEM),
    "D": (_mirrored(_curve((0, -1), (0.2, -0.62), (0.48, -0.24), (0.78, 0), (0.48, 0.24), (0.2, 0.62), (0, 1))),),
    "H": (_HEART,),
    "S": (_SPADE, _STEM),
}
_BAND: Polygon = ((-0.78, 0.5), (0.78, 0.5), (0.78, 0.72), (-0.78, 0.72))
_CROWNS: dict[str, tuple[Polygon, ...]] = {
    "J": (
        _curve((-0.72, 0.2), (-0.4, 0), (-0.3, -0.5), (0, -0.5), (0.3, -0.5), (0.42, -0.2), (0.46, 0.08)),
        _curve(
            (-1, 0.46), (-0.6, 0.3), (0.2, 0.42), (0.9, 0.06), (0.92, 0.4), (0.7, 0.64), (0.1, 0.64),
            (-0.4, 0.64), (-0.75, 0.56), (-1, 0.46),
        ),
        _curve((0.55, -0.02), (0.3, -0.4), (0.5, -0.9), (1, -1), (1, -0.6), (0.9, -0.3), (0.62, -0.04)),
    ),
    "Q": (
        _mirrored(_curve((0, -0.14), (0.4, -0.14), (0.75, 0), (0.95, 0.12), (0.9, 0.2), (0.8, 0.3), (0.78, 0.38))),
        _disc(0, -0.5, 0.24), _disc(0.46, -0.32, 0.17), _disc(-0.46, -0.32, 0.17), _disc(0.84, -0.1, 0.12),
        _disc(-0.84, -0.1, 0.12),
        _BAND,
    ),
    "K": (
        _mirrored(((0, -0.5), (0.28, 0), (0.52, -0.36), (0.64, 0.02), (0.92, -0.32), (0.78, 0.38), (0, 0.38))),
        *(_disc(x, y, 0.1) for x, y in ((0.52, -0.4), (-0.52, -0.4), (0.9, -0.34), (-0.9, -0.34))),
        ((-0.07, -0.95), (0.07, -0.95), (0.07, -0.4), (-0.07, -0.4)),
        ((-0.22, -0.8), (0.22, -0.8), (0.22, -0.67), (-0.22, -0.67)),
        _BAND,
    ),
}  # fmt: skip
