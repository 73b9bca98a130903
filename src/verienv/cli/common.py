"""What the commands share: reading ids and settings, writing files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from verienv.core.files import written_whole
from verienv.registry import ENTRY_POINTS


def full_id(name: str) -> str:
    """The environment's id; "GeneralPoints-L" is enough. Raises ValueError that names those there are."""
    wanted = name.removeprefix("verienv/").removesuffix("-v0").lower()
    known = {env_id.removeprefix("verienv/").removesuffix("-v0").lower(): env_id for env_id in ENTRY_POINTS}
    if wanted in known:
        return known[wanted]
    close = get_close_matches(wanted, known, n=1)
    hint = f"did you mean {known[close[0]]}? " if close else ""
    raise ValueError(f"there is no environment {name!r} ({hint}known: {', '.join(ENTRY_POINTS)})")


def read_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Settings from "key=value" texts; a value is JSON where it can be, else a string. Raises ValueError."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise ValueError(f"--setting {pair!r}: expected key=value, e.g. rule=rank or attempts=1")
        try:
            settings[key] = json.loads(value)
        except (ValueError, RecursionError):
            settings[key] = value
    return settings


@contextmanager
def reading(path: str) -> Iterator[BinaryIO]:
    """A file's bytes, line by line; "-" for stdin."""
    if path == "-":
        yield sys.stdin.buffer
        return
    with Path(path).open("rb") as file:
        yield file


@contextmanager
def writing(path: str) -> Iterator[TextIO]:
    """A text file to write to, "-" for stdout. The file appears when all is written; until then an old one stays."""
    if path == "-":
        yield sys.stdout
        return
    try:
        with written_whole(path) as part, part.open("w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        if error.filename is None:  # a failed write does not say where
            error.filename = path
        raise


def note(text: str) -> None:
    """Tell the person at the terminal, beside the output proper."""
    print(text, file=sys.stderr)
