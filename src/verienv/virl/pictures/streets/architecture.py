"""Architectures: heights, materials, windows and roofs of cities, by the names of ``visuals``. All are made up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from verienv.virl.pictures.streets.pixels import RGB, color
from verienv.virl.pictures.streets.visuals import ArchitectureName

WindowStyle = Literal["sash", "balcony", "french", "ribbon", "curtain_wall", "square", "arched", "panel"]
Roof = Literal["parapet", "balustrade", "mansard", "slab"]


def _colors(codes: str) -> tuple[RGB, ...]:
    return tuple(color(code) for code in codes.split())


@dataclass(frozen=True)
class Architecture:
    """The common traits of a city's buildings; the key of a building chooses one of each.

    Attributes:
        storeys: numbers of storeys, the likely ones more than once.
        storey: metres of the height of a storey.
        bay: metres from window to window, about.
        walls: colours of walls.
        trims: colours of frames, cornices and bands.
        doors: colours of doors and shutters.
        windows: styles of windows.
        roofs: styles of what lies above the highest storey.
        roof_colors: colours of roofs.
        pavement: the colour of pavements.
        paving: the colour of streets for people on foot.
        trees: the share of streets with trees.
    """

    storeys: tuple[int, ...]
    storey: float
    bay: float
    walls: tuple[RGB, ...]
    trims: tuple[RGB, ...]
    doors: tuple[RGB, ...]
    windows: tuple[WindowStyle, ...]
    roofs: tuple[Roof, ...]
    roof_colors: tuple[RGB, ...]
    pavement: RGB
    paving: RGB
    trees: float


ARCHITECTURES: dict[ArchitectureName, Architecture] = {
    "montevideo": Architecture(
        storeys=(1, 2, 2, 2, 3, 3, 4, 7, 9),
        storey=3.5,
        bay=3.0,
        walls=_colors("#e8dcc0 #d9c7a3 #e4cfc0 #cfd8d4 #dcb98c #c9a287 #f0e9da #b9c7b4 #d7a98f #c8bfb0"),
        trims=_colors("#f6f1e4 #fbf8f0 #e2d6bd #cfc4b0"),
        doors=_colors("#3d5a45 #5b3a25 #2e4a63 #6f4a2a #353535"),
        windows=("french", "balcony", "french", "arched", "sash"),
        roofs=("balustrade", "parapet", "balustrade"),
        roof_colors=_colors("#9c8f7c #8d8478"),
        pavement=color("#b3aba0"),
        paving=color("#b99a82"),
        trees=0.6,
    ),
    "helsinki": Architecture(
        storeys=(4, 5, 5, 6, 6, 7),
        storey=3.4,
        bay=2.9,
        walls=_colors("#d9b77a #c98f62 #b7a58d #8f9aa0 #e0d2b4 #a8b39b #c7b6a4 #b5705a #d7cdbd #9c6a55"),
        trims=_colors("#efe8d8 #d8d0c2 #c2bbae #8b8378"),
        doors=_colors("#4a3425 #2f3b35 #5d3b2c #26313c"),
        windows=("sash", "sash", "arched", "square"),
        roofs=("mansard", "mansard", "parapet"),
        roof_colors=_colors("#5d6b66 #7a4a3a #4c5358 #3f6d5f"),
        pavement=color("#a3a09b"),
        paving=color("#8d8580"),
        trees=0.3,
    ),
    "astana": Architecture(
        storeys=(5, 9, 9, 10, 12, 14, 16, 5),
        storey=3.2,
        bay=3.4,
        walls=_colors("#d8dde0 #c3b59a #b8c4cc #e6e0d2 #c99a6b #9fb3bf #d3c5b0 #b98f7a"),
        trims=_colors("#f2f4f5 #e0e4e6 #7f8b93 #caa75a"),
        doors=_colors("#3a4650 #4e5d68 #6a4b35"),
        windows=("ribbon", "curtain_wall", "panel", "panel", "curtain_wall"),
        roofs=("slab", "parapet", "slab"),
        roof_colors=_colors("#8a9298 #6f7a82 #b0964a"),
        pavement=color("#b9b5ad"),
        paving=color("#c0a58e"),
        trees=0.7,
    ),
    "plain": Architecture(
        storeys=(2, 2, 3, 3, 3, 4, 5),
        storey=3.2,
        bay=3.2,
        walls=_colors("#a8503c #b5694e #d6cbb8 #93412f #c58a64 #e4ddd0 #8b6b58 #bfae9c"),
        trims=_colors("#efe9dd #ddd5c5 #f7f4ec"),
        doors=_colors("#23402f #6b1f1f #1f3355 #3b3b3b"),
        windows=("square", "sash", "square", "french"),
        roofs=("mansard", "parapet", "slab"),
        roof_colors=_colors("#5b5f66 #6b4a3d #4a4e55"),
        pavement=color("#a9a49b"),
        paving=color("#a08b78"),
        trees=0.6,
    ),
}
"""Architectures by name."""


@lru_cache(maxsize=32)
def recolor(name: ArchitectureName, palette: ArchitectureName) -> Architecture:
    """Return an architecture in the colours of another."""
    other = ARCHITECTURES[palette]
    return replace(
        ARCHITECTURES[name],
        walls=other.walls,
        trims=other.trims,
        doors=other.doors,
        roof_colors=other.roof_colors,
        pavement=other.pavement,
        paving=other.paving,
    )
