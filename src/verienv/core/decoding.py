"""Decoding pictures that are trusted in nothing."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from verienv.core.shown import cut

if TYPE_CHECKING:
    from PIL.Image import Image

_ORIENTATION = 0x0112
_TURNS = {
    2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_270", 7: "TRANSVERSE",
    8: "ROTATE_90",
}  # fmt: skip
"""EXIF's orientations, and Pillow's names of what sets a picture upright."""


class UnfitPictureError(Exception):
    """A picture that cannot be used; its text says why, in a few words."""


def decode_picture(raw: bytes, formats: tuple[str, ...], check: Callable[[tuple[int, int], str], None]) -> Image:
    """Decode the first frame of a picture, upright: turned as its EXIF says, grey of 16 bits brought to 8.

    Args:
        raw: the bytes of the file.
        formats: the formats that are read, in Pillow's words.
        check: called with width and height in px and Pillow's mode before anything is decoded; it raises
            ``UnfitPictureError`` for what is not wanted.

    Raises:
        UnfitPictureError: for another format, or a picture that is broken or too large.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of broken metadata, and of sizes, which are checked here
            with Image.open(BytesIO(raw), formats=formats) as image:
                check(image.size, image.mode)
                image.load()
                turn = _TURNS.get(_orientation(image), "")
                upright = image.transpose(Image.Transpose[turn]) if turn else image.copy()
    except UnidentifiedImageError:
        named = ", ".join(formats[:-1]) + " or " * (len(formats) > 1) + formats[-1]
        raise UnfitPictureError(f"is no {named.replace('WEBP', 'WebP')}") from None
    except Image.DecompressionBombError:
        raise UnfitPictureError("is larger than the most pixels that are accepted") from None
    except _BROKEN as error:
        raise UnfitPictureError(f"is truncated or broken ({cut(error, 60)})") from None
    if upright.mode.startswith("I"):
        return Image.fromarray((np.asarray(upright).astype(np.uint32) >> 8).astype(np.uint8))
    return upright


_BROKEN = (
    ArithmeticError, AttributeError, EOFError, LookupError, OSError, SyntaxError, TypeError, ValueError, struct.error,
    zlib.error,
)  # fmt: skip
"""Errors that Pillow raises of broken files."""


def _orientation(image: Image) -> Any:
    """Return EXIF's orientation; None where there is none, or where the metadata are broken, which do not matter."""
    try:
        return image.getexif().get(_ORIENTATION)
    except _BROKEN:
        return None
