"""Pixels: pictures of which each pixel is one number, so that four bytes are looked up, moved and blended at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

RGB = tuple[int, int, int]

Pixels = NDArray[np.uint32]
"""Red, green, blue and opacity of each pixel, a byte each, in this order in memory."""


def color(code: str) -> RGB:
    """Parse a colour written as "#rrggbb"."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def pack(levels: ArrayLike) -> Pixels:
    """Pack levels into pixels: an array of shape (..., 3) becomes one of shape (...); levels are clipped to 0..255."""
    rgb = np.asarray(levels)
    bytes_ = np.full((*rgb.shape[:-1], 4), 255, np.uint8)
    bytes_[..., :3] = np.clip(np.rint(rgb), 0, 255)
    return bytes_.view(np.uint32)[..., 0]


def opacity(pixels: Pixels) -> NDArray[np.uint8]:
    """Return the opacity of each pixel, 0 to 255."""
    return np.ascontiguousarray(pixels).view(np.uint8)[..., 3::4]


def unpack(pixels: Pixels) -> NDArray[np.uint8]:
    """Unpack pixels into levels: an array of shape (...) becomes a view of shape (..., 3)."""
    return np.ascontiguousarray(pixels).view(np.uint8).reshape(*pixels.shape, 4)[..., :3]


def blend(under: Pixels, over: Pixels, share: NDArray[np.uint32]) -> Pixels:
    """Blend ``over`` onto ``under``: a ``share`` of 0 leaves ``under``, 256 gives ``over``.

    Two channels at a time; of each pair the lower byte's product fits into the byte above it. The order of bytes in
    memory does not matter: a channel never mixes with another.
    """
    low = np.uint32(0x00FF00FF)
    rest = np.uint32(256) - share
    odd = (((under >> np.uint32(8)) & low) * rest + ((over >> np.uint32(8)) & low) * share) & ~low
    even = (((under & low) * rest + (over & low) * share) >> np.uint32(8)) & low
    mix: Pixels = odd | even
    return mix
