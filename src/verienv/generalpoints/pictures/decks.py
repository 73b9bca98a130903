"""Decks: 52 faces, from a folder of pictures or drawn by us, at any size."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from verienv.core.assets import asset_path
from verienv.core.config import validate
from verienv.core.decoding import UnfitPictureError, decode_picture
from verienv.core.file_cache import cached_by_files
from verienv.core.reading import is_there, read_bytes
from verienv.core.shown import shown, shown_path
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
MOST_BYTES = 256 * 2**20
"""Bytes of the 52 faces of a folder together."""

_DRAWN_ASPECT = 1.4


class Deck(Protocol):
    """Anything with a height-to-width ratio and a face for each card."""

    aspect: float

    def face(self, card: str, width: int, height: int) -> Image.Image:
        """The face of "10S" as RGBA of that size in px, clear where the card is not."""
        ...


class PictureDeck:
    """A folder of 52 PNG files of one size, AC.png to KS.png. Transparent corners are kept.

    The files are read once, so that the deck stays what it is when they are overwritten, and each is decoded then, so
    that damage shows at once.

    Raises:
        ValueError: if the folder or a face is missing, or cannot be used; it names which.
    """

    def __init__(self, folder: Path) -> None:
        files = _faces(folder)
        where = shown_path(folder)
        missing = [card for card in CARDS if card not in files]
        if missing:
            raise ValueError(
                f"deck={where!r} lacks {len(missing)} of 52 faces: {_few_names(missing)}; a face is named by "
                "its rank (A, 2 to 10, J, Q, K) and its suit (C, D, H, S)"
            )
        self._raw: dict[str, bytes] = {}
        self._faces: dict[str, Image.Image] = {}
        left, sizes = MOST_BYTES, dict[tuple[int, int], Path]()
        for card in CARDS:
            self._raw[card] = _read(files[card], left)
            left -= len(self._raw[card])
            sizes.setdefault(_decode(self._raw[card], files[card]).size, files[card])
        if len(sizes) > 1:
            (one, first), (other, second), *_ = sizes.items()
            raise ValueError(
                f"deck={where!r}: {first.name} is {one[0]} x {one[1]} px but {second.name} is {other[0]} x "
                f"{other[1]} px; expected 52 faces of one size"
            )
        ((width, height),) = sizes
        self.aspect = height / width
        self._folder = folder

    def face(self, card: str, width: int, height: int) -> Image.Image:
        if card not in self._faces:
            self._faces[card] = _decode(self._raw[card], self._folder / f"{card}.png").convert("RGBA")
        return self._faces[card].resize((width, height), Image.Resampling.LANCZOS)


def _faces(folder: Path) -> dict[str, Path]:
    """Return the files of a folder that are called as faces are, in any case, by card."""
    cards = {f"{card}.png".lower(): card for card in CARDS}
    try:
        return {cards[path.name.lower()]: path for path in sorted(folder.iterdir()) if path.name.lower() in cards}
    except (OSError, ValueError):
        where = shown_path(folder)
        raise ValueError(f"deck={where!r} is no folder; expected one with the faces {_few_names(CARDS)}") from None


def _read(path: Path, most_bytes: int) -> bytes:
    try:
        return read_bytes(path, most_bytes)
    except (OSError, ValueError) as error:
        reason = str(error).removeprefix(f"{shown_path(path)}: ")
        raise ValueError(f"deck: {shown_path(path)} cannot be read as PNG ({reason}); replace it") from None


class _WrongSizeError(UnfitPictureError):
    """A face that is too small or too large."""


def _check_size(size: tuple[int, int], mode: str) -> None:
    if not all(FEWEST_PX <= side <= MOST_PX for side in size):
        raise _WrongSizeError(f"is {size[0]} x {size[1]} px; expected {FEWEST_PX} to {MOST_PX} px in each direction")


def _decode(raw: bytes, path: Path) -> Image.Image:
    try:
        return decode_picture(raw, ("PNG",), _check_size)
    except _WrongSizeError as wrong:
        raise ValueError(f"deck: {shown_path(path)} {wrong}") from None
    except UnfitPictureError as unfit:
        raise ValueError(f"deck: {shown_path(path)} cannot be read as PNG (it {unfit}); replace it") from None


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
        raise ValueError(f"deck={shown(deck)}: expected {_ACCEPTED}")
    if deck not in DECKS:
        if not is_there(Path(deck)):
            raise ValueError(f"deck={shown_path(deck)!r}: expected {_ACCEPTED}")
        load_deck(deck)
    return deck


_ACCEPTED = (
    f"one of {', '.join((*SHIPPED, *DRAWN))}, a folder with 52 PNG files (AC.png to KS.png), a DrawnDeck or a dict "
    "of its fields"
)


def deck_files(deck: DeckLike) -> list[Path]:
    """Return the files of a folder's faces; none for a deck that is drawn or has a name."""
    return [] if isinstance(deck, DrawnDeck) or deck in DECKS else list(_faces(Path(deck)).values())


@cached_by_files(deck_files, maxsize=32)
def load_deck(deck: DeckLike) -> Deck:
    """Return the deck of that name, path or style; loaded once, and anew when a face of a folder has changed."""
    if isinstance(deck, DrawnDeck):
        return _Drawn(deck)
    if deck in DRAWN:
        return _Drawn(DRAWN[deck])
    return PictureDeck(asset_path(f"cards/{deck}") if deck in SHIPPED else Path(deck))


def _few_names(cards: tuple[str, ...] | list[str]) -> str:
    names = [f"{card}.png" for card in cards]
    return ", ".join(names if len(names) <= 6 else [*names[:5], f"... and {len(names) - 5} more"])
