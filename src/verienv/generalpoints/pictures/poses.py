"""The poses of the cards on a table: in a row, in a grid or scattered, each in a cell of its own."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, cos, radians, sin
from typing import NamedTuple

import numpy as np

from verienv.generalpoints.pictures.visuals import Arrangement, Visual

_GAP = 0.02
_LOOSE = 0.85


class Pose(NamedTuple):
    """The pose of a card: its centre in px from the top left, its angle in degrees counter-clockwise, and its size
    in px before it is turned."""

    x: float
    y: float
    angle: float
    width: int
    height: int


class Cells(NamedTuple):
    """The cells of a table: their centres, their width and height, and those of a card, in px."""

    centres: tuple[tuple[float, float], ...]
    width: float
    height: float
    card: tuple[int, int]


def poses(visual: Visual, count: int, size: tuple[int, int], aspect: float, jitter: int) -> list[Pose]:
    """The poses of a hand's cards: none overlaps another or the edge, however a card is turned.

    Args:
        visual: its arrangement and rotation.
        count: cards.
        size: height and width of the picture in px.
        aspect: height of a card by its width.
        jitter: the seed of angles and, if scattered, of places.
    """
    cells = _cells(visual.arrangement, visual.rotation, count, size, aspect)
    scattered = visual.arrangement == "scattered"
    if not scattered and not visual.rotation:
        return [Pose(x, y, 0.0, *cells.card) for x, y in cells.centres]
    drawn = np.random.default_rng([jitter, 0]).random((count, 3 if scattered else 1)).tolist()
    laid = []
    for (x, y), (turn, *shift) in zip(cells.centres, drawn, strict=True):
        angle = _whole_steps(visual.rotation, 2 * turn - 1)
        if scattered:
            box_width, box_height = turned_box(*cells.card, angle)
            x += (shift[0] - 0.5) * max(0.0, cells.width - box_width)
            y += (shift[1] - 0.5) * max(0.0, cells.height - box_height)
        laid.append(Pose(x, y, angle, *cells.card))
    return laid


def angles(rotation: float) -> list[float]:
    """Return all angles at which a card may lie: whole degrees, or for a rotation that is none, steps a bit shorter."""
    return [
        _whole_steps(rotation, step / max(1, ceil(rotation))) for step in range(-ceil(rotation), ceil(rotation) + 1)
    ]


def _whole_steps(rotation: float, share: float) -> float:
    """The angle nearest to ``share`` (-1 to 1) of ``rotation``."""
    steps = ceil(rotation)
    return round(share * steps) * (rotation / steps) if steps else 0.0


@lru_cache(maxsize=64)
def _cells(arrangement: Arrangement, rotation: float, count: int, size: tuple[int, int], aspect: float) -> Cells:
    height, width = size
    gap = max(2.0, _GAP * min(size))
    rows = _rows(arrangement, count, size, gap, aspect, rotation)
    columns = ceil(count / rows)
    cell_width, cell_height = (width - gap) / columns - gap, (height - gap) / rows - gap
    card_width = _fitting_width(cell_width, cell_height, aspect, rotation)
    if arrangement == "scattered":
        card_width *= _LOOSE
    centres = []
    for place in range(count):
        row, column = divmod(place, columns)
        in_row = min(columns, count - row * columns)
        x = width / 2 + (column - (in_row - 1) / 2) * (cell_width + gap)
        y = gap + cell_height / 2 + row * (cell_height + gap)
        centres.append((x, y))
    card = (max(1, int(card_width)), max(1, round(int(card_width) * aspect)))
    return Cells(tuple(centres), cell_width, cell_height, card)


def _rows(
    arrangement: Arrangement, count: int, size: tuple[int, int], gap: float, aspect: float, rotation: float
) -> int:
    """One, or the number of rows in which the cards are largest."""
    if arrangement == "row":
        return 1
    height, width = size

    def largest(rows: int) -> float:
        columns = ceil(count / rows)
        return _fitting_width((width - gap) / columns - gap, (height - gap) / rows - gap, aspect, rotation)

    return max(range(1, count + 1), key=largest)


def _fitting_width(width: float, height: float, aspect: float, rotation: float) -> float:
    """The greatest width of a card that stays in a cell at every angle up to ``rotation``."""
    turns = np.radians(np.linspace(0, rotation, 91))
    return float(
        min(
            (width / (np.cos(turns) + aspect * np.sin(turns))).min(),
            (height / (np.sin(turns) + aspect * np.cos(turns))).min(),
        )
    )


def turned_box(width: float, height: float, angle: float) -> tuple[float, float]:
    """Return width and height of the box around a card that is turned."""
    turn = radians(abs(angle))
    return width * cos(turn) + height * sin(turn), width * sin(turn) + height * cos(turn)
