"""Wall tiles: windows, doors, shops, cornices and roofs, one bay wide, drawn as classes of parts."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageDraw

TILE = 128
"""Texels of a bay and of a storey at level 0; half as many at each further level."""

GROUND_FLOOR = 1.25
"""Height of the ground floor by that of a storey."""

WALL, JOINT, TRIM, LEDGE, FRAME, GLASS, SHEEN, DOOR, RAIL, DARK, ROOF, ACCENT, STRIPE = range(13)
"""Classes of parts; a palette has a colour for each."""

CLASSES = 13
"""Number of classes."""

FINE = 2
"""Pixels of a sketch to a texel, each way."""


class Sketch:
    """A tile being drawn, in units of a 128th of a bay, from its top left."""

    def __init__(self, height: int, fill: int = WALL) -> None:
        self.height = height
        self.image = Image.new("L", (TILE * FINE, height * FINE), fill)
        self._draw = ImageDraw.Draw(self.image)

    def box(self, left: float, top: float, right: float, bottom: float, part: int) -> None:
        self._draw.rectangle((left * FINE, top * FINE, right * FINE - 1, bottom * FINE - 1), part)

    def arch(self, left: float, top: float, right: float, part: int) -> None:
        """Draw the upper half of a disc."""
        width = right - left
        self._draw.pieslice((left * FINE, top * FINE, right * FINE - 1, (top + width) * FINE - 1), 180, 360, part)

    def pane(self, left: float, top: float, right: float, bottom: float, columns: int, rows: int) -> None:
        """Draw glass in a frame, divided, with the sky in its upper part and a shadow under its head."""
        self.box(left, top, right, bottom, FRAME)
        wide, tall = (right - left - 2) / columns, (bottom - top - 2) / rows
        for column in range(columns):
            for row in range(rows):
                x, y = left + 2 + column * wide, top + 2 + row * tall
                self.box(x, y, x + wide - 2, y + tall - 2, SHEEN if row < rows / 2 else GLASS)
        self.box(left + 2, top + 2, right - 2, top + 6, DARK)


def _sash(sketch: Sketch) -> None:
    sketch.box(34, 22, 94, 108, TRIM)
    sketch.box(34, 19, 94, 22, LEDGE)
    sketch.pane(42, 28, 86, 102, 2, 2)
    sketch.box(30, 104, 98, 111, TRIM)
    sketch.box(30, 102, 98, 105, LEDGE)
    sketch.box(32, 111, 96, 114, JOINT)


def _square(sketch: Sketch) -> None:
    sketch.pane(32, 30, 96, 96, 2, 1)
    sketch.box(28, 20, 100, 30, TRIM)
    sketch.box(28, 96, 100, 102, TRIM)
    sketch.box(28, 95, 100, 98, LEDGE)
    sketch.box(30, 102, 98, 105, JOINT)


def _arched(sketch: Sketch) -> None:
    sketch.arch(34, 14, 94, TRIM)
    sketch.box(34, 43, 94, 108, TRIM)
    sketch.arch(41, 21, 87, SHEEN)
    sketch.pane(41, 42, 87, 104, 2, 1)
    sketch.box(60, 12, 68, 24, TRIM)
    sketch.box(28, 106, 100, 112, TRIM)
    sketch.box(28, 104, 100, 107, LEDGE)
    sketch.box(30, 112, 98, 115, JOINT)


def _french(sketch: Sketch) -> None:
    """Tall doors with open shutters behind a low iron rail."""
    sketch.box(36, 14, 92, 20, TRIM)
    sketch.box(36, 12, 92, 15, LEDGE)
    sketch.pane(42, 20, 86, 118, 2, 3)
    for left in (20, 88):
        sketch.box(left, 20, left + 20, 118, DOOR)
        for y in range(24, 116, 6):
            sketch.box(left + 2, y, left + 18, y + 2, DARK)
    sketch.box(34, 116, 94, 122, TRIM)
    for x in range(36, 94, 5):
        sketch.box(x, 86, x + 1.5, 118, RAIL)
    sketch.box(34, 84, 94, 87, RAIL)


def _balcony(sketch: Sketch) -> None:
    sketch.pane(36, 18, 92, 112, 3, 2)
    sketch.box(32, 12, 96, 18, TRIM)
    sketch.box(10, 110, 118, 120, TRIM)
    sketch.box(10, 108, 118, 111, LEDGE)
    sketch.box(12, 120, 116, 126, JOINT)
    for x in range(12, 116, 6):
        sketch.box(x, 78, x + 1.5, 110, RAIL)
    sketch.box(10, 75, 118, 78, RAIL)


def _ribbon(sketch: Sketch) -> None:
    sketch.pane(0, 28, 128, 92, 4, 1)
    sketch.box(0, 92, 128, 100, TRIM)
    sketch.box(0, 24, 128, 28, JOINT)
    sketch.box(62, 0, 64, 24, JOINT)


def _curtain_wall(sketch: Sketch) -> None:
    sketch.box(0, 0, 128, 128, FRAME)
    for left in (1, 44, 87):
        sketch.box(left, 2, left + 40, 84, SHEEN)
        sketch.box(left, 40, left + 40, 84, GLASS)
        sketch.box(left, 88, left + 40, 124, ACCENT)


def _panel(sketch: Sketch) -> None:
    sketch.box(0, 0, 128, 2, JOINT)
    sketch.box(0, 0, 2, 128, JOINT)
    sketch.box(22, 26, 106, 100, TRIM)
    sketch.pane(26, 30, 102, 96, 3, 1)
    sketch.box(22, 96, 106, 102, LEDGE)


def _blank(sketch: Sketch) -> None:
    sketch.box(0, 126, 128, 128, JOINT)


def _rear(sketch: Sketch) -> None:
    sketch.pane(44, 36, 84, 90, 2, 1)
    sketch.box(42, 90, 86, 94, JOINT)


def _plinth(sketch: Sketch) -> None:
    sketch.box(0, 142, 128, 160, JOINT)
    sketch.box(0, 0, 128, 8, TRIM)
    sketch.box(0, 8, 128, 11, JOINT)


def _low_window(sketch: Sketch) -> None:
    _plinth(sketch)
    sketch.box(32, 36, 96, 122, TRIM)
    sketch.pane(38, 42, 90, 116, 2, 2)
    sketch.box(28, 118, 100, 125, TRIM)
    sketch.box(28, 116, 100, 119, LEDGE)


def _entrance(sketch: Sketch) -> None:
    _plinth(sketch)
    sketch.box(30, 26, 98, 160, TRIM)
    sketch.box(38, 34, 90, 160, DARK)
    sketch.pane(40, 36, 88, 56, 2, 1)
    for left in (41, 65):
        sketch.box(left, 60, left + 22, 158, DOOR)
        sketch.box(left + 4, 68, left + 18, 100, JOINT)
        sketch.box(left + 5, 69, left + 17, 99, DOOR)
        sketch.box(left + 4, 112, left + 18, 148, JOINT)
        sketch.box(left + 5, 113, left + 17, 147, DOOR)
    sketch.box(24, 155, 104, 160, TRIM)


def _gate(sketch: Sketch) -> None:
    """The gate of a garage or of a closed shop."""
    _plinth(sketch)
    sketch.box(14, 36, 114, 160, DARK)
    for y in range(40, 160, 6):
        sketch.box(16, y, 112, y + 4, DOOR)


def _shop(sketch: Sketch) -> None:
    """A shop window under a band for the sign."""
    sketch.box(0, 0, 128, 6, TRIM)
    sketch.box(0, 6, 128, 50, ACCENT)
    sketch.box(0, 50, 128, 54, DARK)
    sketch.box(0, 54, 6, 160, ACCENT)
    sketch.box(122, 54, 128, 160, ACCENT)
    sketch.pane(6, 54, 122, 146, 2, 1)
    sketch.box(10, 100, 118, 144, GLASS)
    for x, tall in ((16, 30), (30, 22), (44, 34), (70, 26), (86, 36), (102, 20)):
        sketch.box(x, 142 - tall, x + 10, 142, STRIPE if x % 4 else DARK)
    sketch.box(0, 146, 128, 160, ACCENT)
    sketch.box(0, 146, 128, 148, DARK)


def _shop_door(sketch: Sketch) -> None:
    _shop(sketch)
    sketch.box(34, 54, 94, 160, ACCENT)
    sketch.pane(40, 58, 88, 74, 1, 1)
    sketch.pane(40, 78, 88, 156, 1, 1)
    sketch.box(42, 110, 86, 154, GLASS)
    sketch.box(82, 108, 85, 122, RAIL)


def _awning(sketch: Sketch) -> None:
    """A shop under a striped awning."""
    _shop(sketch)
    for stripe in range(8):
        sketch.box(stripe * 16, 52, stripe * 16 + 16, 80, STRIPE if stripe % 2 else ACCENT)
        sketch.arch(stripe * 16, 72, stripe * 16 + 16, DARK)
        sketch.box(stripe * 16 + 1, 78, stripe * 16 + 15, 84, STRIPE if stripe % 2 else ACCENT)
    sketch.box(0, 84, 128, 90, DARK)


def _awning_door(sketch: Sketch) -> None:
    _shop_door(sketch)
    top = Sketch(160)
    _awning(top)
    sketch.image.paste(top.image.crop((0, 0, TILE * FINE, 90 * FINE)), (0, 0))


def _parapet(sketch: Sketch) -> None:
    sketch.box(0, 0, 128, 3, LEDGE)
    sketch.box(0, 3, 128, 9, TRIM)
    sketch.box(0, 9, 128, 12, DARK)


def _balustrade(sketch: Sketch) -> None:
    sketch.box(0, 0, 128, 3, LEDGE)
    sketch.box(0, 3, 128, 6, TRIM)
    sketch.box(0, 6, 128, 20, DARK)
    for x in range(0, 128, 8):
        sketch.box(x + 1, 6, x + 6, 20, TRIM)
    sketch.box(0, 20, 128, 22, LEDGE)
    sketch.box(0, 22, 128, 28, TRIM)
    sketch.box(0, 28, 128, 32, JOINT)


def _mansard(sketch: Sketch) -> None:
    """A steep roof of metal sheets with a dormer, over a cornice."""
    sketch.box(0, 0, 128, 96, ROOF)
    sketch.box(0, 0, 128, 3, DARK)
    for x in range(0, 128, 16):
        sketch.box(x, 3, x + 1.5, 84, JOINT)
    sketch.box(42, 28, 86, 84, TRIM)
    sketch.box(38, 22, 90, 28, LEDGE)
    sketch.pane(48, 34, 80, 80, 2, 1)
    sketch.box(0, 82, 128, 85, LEDGE)
    sketch.box(0, 85, 128, 92, TRIM)
    sketch.box(0, 92, 128, 96, JOINT)


def _slab(sketch: Sketch) -> None:
    sketch.box(0, 0, 128, 4, LEDGE)
    sketch.box(0, 4, 128, 16, TRIM)


TILES: dict[str, tuple[int, Callable[[Sketch], None]]] = {
    "sash": (128, _sash),
    "square": (128, _square),
    "arched": (128, _arched),
    "french": (128, _french),
    "balcony": (128, _balcony),
    "ribbon": (128, _ribbon),
    "curtain_wall": (128, _curtain_wall),
    "panel": (128, _panel),
    "blank": (128, _blank),
    "rear": (128, _rear),
    "low_blank": (160, _plinth),
    "low_window": (160, _low_window),
    "entrance": (160, _entrance),
    "gate": (160, _gate),
    "shop": (160, _shop),
    "shop_door": (160, _shop_door),
    "awning": (160, _awning),
    "awning_door": (160, _awning_door),
    "parapet": (32, _parapet),
    "balustrade": (32, _balustrade),
    "mansard": (96, _mansard),
    "slab": (32, _slab),
}
"""Height of each tile in texels of level 0, and the function that draws it."""
