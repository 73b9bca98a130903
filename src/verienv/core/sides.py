"""The stable hash that puts an instance on the train or the test side."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Literal

Side = Literal["train", "test", "all"]

_SALT = "verienv-sides-29"  # of salts 0..39 the one whose shares come nearest a third under every rule
_ONE_IN = 3


def side_of_key(key: str) -> Literal["train", "test"]:
    """The side of one key: "test" for one hash in three. The same in every process, release and platform."""
    digest = sha256(f"{_SALT}:{key}".encode()).digest()
    return "test" if int.from_bytes(digest[:8], "big") % _ONE_IN == 0 else "train"


def on_side(keys: Iterable[str], side: Side) -> bool:
    """Whether every key lies on ``side``; an instance with keys on both sides belongs to neither."""
    return side == "all" or all(side_of_key(key) == side for key in keys)
