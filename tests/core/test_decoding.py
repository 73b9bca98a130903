"""Decoding pictures: upright, in their own colours, or refused in a few words."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from verienv.core.decoding import UnfitPictureError, decode_picture

KINDS = ("JPEG", "PNG", "WEBP")
UPRIGHT = np.zeros((32, 48, 3), np.uint8)
UPRIGHT[:16, :24] = (250, 20, 20)
UPRIGHT[16:, 24:] = (20, 20, 250)


def anything(size: tuple[int, int], mode: str) -> None:
    """Refuse nothing."""


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_exif_says(kind: str, orientation: int) -> None:
    lies = {
        1: UPRIGHT, 2: UPRIGHT[:, ::-1], 3: UPRIGHT[::-1, ::-1], 4: UPRIGHT[::-1],
        5: UPRIGHT.transpose(1, 0, 2), 6: np.rot90(UPRIGHT),
        7: UPRIGHT[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(UPRIGHT, -1),
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    raw = encoded(Image.fromarray(np.ascontiguousarray(lies[orientation])), kind, exif=exif, quality=95)
    read = np.asarray(decode_picture(raw, KINDS, anything).convert("RGB")).astype(int)
    assert read.shape == UPRIGHT.shape
    assert np.abs(read - UPRIGHT)[4:12, 4:20].max() < 16
    assert np.abs(read - UPRIGHT)[20:28, 28:44].max() < 16


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0" + b"\xff" * 99])
def test_broken_exif_does_not_matter(exif: bytes) -> None:
    raw = encoded(Image.fromarray(UPRIGHT), "JPEG", exif=exif)
    assert decode_picture(raw, KINDS, anything).size == (48, 32)


def test_grey_of_16_bits_keeps_its_levels() -> None:
    levels = np.linspace(0, 65535, 32 * 48).astype(np.uint16).reshape(32, 48)
    read = decode_picture(encoded(Image.fromarray(levels)), KINDS, anything)
    assert np.array_equal(np.asarray(read), levels >> 8)


def test_cmyk_keeps_its_colours() -> None:
    raw = encoded(Image.fromarray(UPRIGHT).convert("CMYK"), "JPEG", quality=95)
    read = np.asarray(decode_picture(raw, KINDS, anything).convert("RGB")).astype(int)
    assert np.abs(read - UPRIGHT)[4:12, 4:20].max() < 16


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_every_mode_of_png_keeps_its_colours(mode: str) -> None:
    image = Image.fromarray(UPRIGHT).convert(mode)
    read = decode_picture(encoded(image), KINDS, anything)
    assert np.array_equal(np.asarray(read.convert("RGB")), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_counts(kind: str) -> None:
    frames = [Image.fromarray(UPRIGHT), Image.fromarray(UPRIGHT[::-1])]
    raw = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    assert np.array_equal(np.asarray(decode_picture(raw, KINDS, anything).convert("RGB")), UPRIGHT)


def test_a_picture_is_checked_before_it_is_decoded() -> None:
    def check(size: tuple[int, int], mode: str) -> None:
        raise UnfitPictureError(f"{size} {mode}")

    with pytest.raises(UnfitPictureError, match=r"\(48, 32\) RGB"):
        decode_picture(encoded(Image.fromarray(UPRIGHT))[:-20], KINDS, check)


@pytest.mark.parametrize("raw", [b"", b"GIF89a" + b"\0" * 99, encoded(Image.fromarray(UPRIGHT), "BMP")])
def test_another_format_is_named(raw: bytes) -> None:
    with pytest.raises(UnfitPictureError, match="is no JPEG, PNG or WebP"):
        decode_picture(raw, KINDS, anything)
