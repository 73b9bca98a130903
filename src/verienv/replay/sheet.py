"""A replay as a contact sheet: one tile for each frame."""

from __future__ import annotations

from functools import lru_cache
from textwrap import wrap

from PIL import Image, ImageDraw, ImageFont

from verienv.core.assets import asset_path
from verienv.replay.replay import Frame, Replay, visible

TILE = 320
"""Width and height of a tile's picture in px."""
MOST_COLUMNS = 20

_CAPTION, _GAP, _HEADER = 36, 16, 74
_PAPER, _CARD, _INK, _FAINT = "#1b1e23", "#2a2f37", "#f0ede7", "#a8a297"
_RIGHT, _WRONG, _OPEN, _ON = "#5fce94", "#f4918a", "#a9adb4", "#14100f"


def contact_sheet(replay: Replay, columns: int = 4) -> Image.Image:
    """Draw a replay as one picture: a tile of 320 px for each frame, with what was done and what it earned.

    Raises:
        ValueError: if ``columns`` is not 1 to 20.
    """
    if isinstance(columns, bool) or not isinstance(columns, int) or not 1 <= columns <= MOST_COLUMNS:
        raise ValueError(f"columns={columns!r}: expected an integer from 1 to {MOST_COLUMNS}")
    columns = min(columns, len(replay.frames))
    rows = -(-len(replay.frames) // columns)
    size = (columns * (TILE + _GAP) + _GAP, _HEADER + rows * (TILE + _CAPTION + _GAP))
    image = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(image)
    _draw_header(draw, replay, size[0])
    for number, frame in enumerate(replay.frames):
        x = _GAP + number % columns * (TILE + _GAP)
        y = _HEADER + number // columns * (TILE + _CAPTION + _GAP)
        draw.rectangle((x, y, x + TILE - 1, y + TILE + _CAPTION - 1), fill=_CARD)
        if frame.picture:
            picture = frame.picture.image()
            picture.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
            image.paste(picture, (x + (TILE - picture.width) // 2, y + (TILE - picture.height) // 2))
        else:
            _draw_words(draw, frame, x, y)
        _draw_caption(draw, frame, x, y + TILE)
    return image


def _draw_header(draw: ImageDraw.ImageDraw, replay: Replay, width: int) -> None:
    colour = _RIGHT if replay.success else _WRONG if replay.over else _OPEN
    right = _draw_badge(draw, f"{replay.outcome}, {replay.reward:+g}", width - _GAP, 24, colour)
    title = replay.subject or replay.env_id
    draw.text((_GAP, 24), _fitting(title, 17, right - 2 * _GAP), _INK, _font(17), anchor="lm")
    named = [replay.env_id] if replay.subject else []
    owed = [f"map data: {replay.attribution}"] if replay.attribution else []
    line = " | ".join([*named, replay.instance, f"played by {replay.by}", *owed, *replay.choices])
    draw.text((_GAP, 50), _fitting(line, 12, width - 2 * _GAP), _FAINT, _font(12), anchor="lm")


def _draw_caption(draw: ImageDraw.ImageDraw, frame: Frame, x: int, y: int) -> None:
    """Draw the step's number, the answer, and the reward."""
    middle = y + _CAPTION // 2
    colour = _RIGHT if frame.verdict.is_correct else _WRONG
    left = _draw_badge(draw, f"{frame.verdict.reward:+g}", x + TILE - 8, middle, colour)
    draw.text((x + 8, middle), frame.label, _FAINT, _font(13), anchor="lm")
    after = x + 18 + int(_font(13).getlength(frame.label))
    draw.text((after, middle), _fitting(frame.gist, 13, left - 8 - after), _INK, _font(13), anchor="lm")


def _draw_badge(draw: ImageDraw.ImageDraw, text: str, right: int, middle: int, colour: str) -> int:
    """Draw a badge that ends at ``right``; return where it begins."""
    left = right - int(_font(13).getlength(text)) - 16
    draw.rounded_rectangle((left, middle - 11, right, middle + 11), 11, fill=colour)
    draw.text(((left + right) / 2, middle), text, _ON, _font(13), anchor="mm")
    return left


def _draw_words(draw: ImageDraw.ImageDraw, frame: Frame, x: int, y: int) -> None:
    """Draw the newest of the dialogue, where there is no picture."""
    asked, said = (_lines(frame.dialogue, 9, last=True), _lines(frame.response, 7, last=False))
    for number, (line, colour) in enumerate([*((each, _FAINT) for each in asked), *((each, _INK) for each in said)]):
        draw.text((x + 12, y + 12 + 18 * number), _fitting(line, 12, TILE - 24), colour, _font(12))


def _lines(text: str, most: int, last: bool) -> list[str]:
    """Return the text in lines that fit a tile, ``most`` at most, the last of them or the first."""
    part = text[-1000:] if last else text[:1000]
    lines = [line for row in visible(part).splitlines() for line in wrap(row, 40)]
    return lines[-most:] if last else lines[:most]


def _fitting(text: str, size: int, width: float) -> str:
    """Return as much of the text, in one line, as is no wider; with dots where some is left out."""
    line = " ".join(visible(text[:300]).split())
    if _font(size).getlength(line) <= width:
        return line
    while line and _font(size).getlength(f"{line}...") > width:
        line = line[:-1]
    return f"{line}..."


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(asset_path("fonts/DejaVuSans-Bold.ttf")), size)
