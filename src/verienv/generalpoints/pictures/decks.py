"""Decks: 52 faces, from a folder of pictures or drawn by us, at any size."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from verienv.core.assets import asset_path
from verienv.core.config import validate
from verienv.generalpoints.cards import RANKS, SUITS
from verienv.generalpoints.pictures.drawn_deck import DRAWN, DrawnDeck, draw_face

CARDS = tuple(rank + suit for suit in SUITS for rank in RANKS)
"""The 52 cards, AC to KS."""

SHIPPED = ("classic", "classic_four_color", "flat")
DECKS = (*SHIPPED, *DRAWN)
"""The decks that have a name."""
DeckLike = str | DrawnDeck
"""The name of a deck, the path of a folder of faces, or the style of a drawn one."""

FEWEST_PX, MOST_PX = 16, 4096
_DRAWN_ASPECT = 1.4


class Deck(Protocol):
    """Anything with a height-to-width ratio and a face for each card."""

    aspect: float

    def face(self, card: str, width: int, height: int) -> Image.Image:
        """The face of "10S" as RGBA of that size in px, clear where the card is not."""
        ...


class PictureDeck:
    """A folder of 52 PNG files of one size, AC.png to KS.png. Transparent corners are kept.

    Raises:
        ValueError: if the folder or a face is missing, or cannot be used; it names which.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ValueError(f"deck={str(folder)!r} is no folder; expected one with the faces {_few_names(CARDS)}")
        files = {path.name.lower(): path for path in folder.iterdir()}
        missing = [card for card in CARDS if f"{card}.png".lower() not in files]
        if missing:
            raise ValueError(
                f"deck={str(folder)!r} lacks {len(missing)} of 52 faces: {_few_names(missing)}; a face is named by "
                "its rank (A, 2 to 10, J, Q, K) and its suit (C, D, H, S)"
            )
        self._files = {card: files[f"{card}.png".lower()] for card in CARDS}
        sizes = {_size(path): path for path in self._files.values()}
        if len(sizes) > 1:
            (one, first), (other, second), *_ = sizes.items()
            raise ValueError(
                f"deck={str(folder)!r}: {first.name} is {one[0]} x {one[1]} px but {second.name} is {other[0]} x "
                f"{other[1]} px; expected 52 faces of one size"
            )
        ((width, height),) = sizes
        self.aspect = height / width
        self._faces: dict[str, Image.Image] = {}

    def face(self, card: str, width: int, height: int) -> Image.Image:
        if card not in self._faces:
            path = self._files[card]
            try:
                with Image.open(path, formats=["PNG"]) as image:
                    self._faces[card] = image.convert("RGBA")
            except (OSError, SyntaxError, ValueError) as error:  # SyntaxError is PIL's word for a broken PNG
                raise ValueError(f"deck: {path} cannot be read as PNG ({error}); replace it") from None
        return self._faces[card].resize((width, height), Image.Resampling.LANCZOS)


class _Drawn:
    aspect = _DRAWN_ASPECT

    def __init__(self, style: DrawnDeck) -> None:
        self._style = style

    def face(self, card: str, width: int, height: int) -> Image.Image:
        return draw_face(self._style, card[:-1], card[-1], width, height)


def parse_deck(deck: Any) -> DeckLike:
    """``deck`` in the one form that a setting keeps. Raises ValueError that says what is accepted."""
    if isinstance(deck, DrawnDeck):
        return deck
    if isinstance(deck, Mapping):
        return validate(DrawnDeck, deck, "deck")
    if isinstance(deck, os.PathLike):
        deck = os.fspath(deck)
    if not isinstance(deck, str):
        raise ValueError(f"deck={deck!r}: expected {_ACCEPTED}")
    if deck not in SHIPPED and deck not in DRAWN:
        if not Path(deck).exists():
            raise ValueError(f"deck={deck!r}: expected {_ACCEPTED}")
        load_deck(deck)
    return deck


_ACCEPTED = (
    f"one of {', '.join((*SHIPPED, *DRAWN))}, a folder with 52 PNG files (AC.png to KS.png), a DrawnDeck or a dict "
    "of its fields"
)


@lru_cache(maxsize=32)
def load_deck(deck: DeckLike) -> Deck:
    """The deck of that name, path or style; loaded once, each face when it is first asked for."""
    if isinstance(deck, DrawnDeck):
        return _Drawn(deck)
    if deck in DRAWN:
        return _Drawn(DRAWN[deck])
    return PictureDeck(asset_path(f"cards/{deck}") if deck in SHIPPED else Path(deck))


def _size(path: Path) -> tuple[int, int]:
    """Width and height in px, from the header alone."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            size = image.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"deck: {path} cannot be read as PNG ({error}); replace it") from None
    if not all(FEWEST_PX <= side <= MOST_PX for side in size):
        raise ValueError(
            f"deck: {path} is {size[0]} x {size[1]} px; expected {FEWEST_PX} to {MOST_PX} px in each direction"
        )
    return size


def _few_names(cards: tuple[str, ...] | list[str]) -> str:
    names = [f"{card}.png" for card in cards]
    return ", ".join(names if len(names) <= 6 else [*names[:5], f"... and {len(names) - 5} more"])
