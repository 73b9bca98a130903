"""Shared by the commands: reading ids, writing files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any, TextIO

from verienv.cli.streams import check_input, tell
from verienv.core.files import atomic_text
from verienv.core.reading import read_lines
from verienv.core.settings import read_settings
from verienv.core.typed import import_from_here

STDOUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


def import_all(modules: Sequence[str]) -> None:
    """Import modules, for the tasks that they register. Errors as ``import_from_here``'s."""
    for module in modules:
        import_from_here(module)


def settings_for(call: Callable[..., Any], pairs: Sequence[str]) -> dict[str, Any]:
    """Read settings that are handed to ``call`` beside arguments of its own.

    Raises:
        ValueError: as ``read_settings`` does, and for a name that is none of a setting but of such an argument.
    """
    settings = read_settings(pairs)
    for name in signature(call).parameters:
        if name in settings:
            raise ValueError(f"-s {name}=...: is no setting of an environment; see this command's --help")
    return settings


@contextmanager
def reading(path: str | Path) -> Iterator[Iterator[bytes]]:
    """Open a file as lines of bytes (see ``read_lines``), perhaps compressed; "-" is stdin."""
    if str(path) == "-":
        check_input()
        yield read_lines(sys.stdin.buffer, "standard input")
        return
    with Path(path).open("rb") as file:
        yield read_lines(file, path)


@contextmanager
def writing(path: str) -> Iterator[TextIO]:
    """Open a text file to write to; "-" is stdout. It appears when all is written; until then an old one stays."""
    if path in STDOUT:
        yield sys.stdout
        return
    with atomic_text(path) as file:
        yield file


def note(text: str) -> None:
    """Write a line to the person at the terminal, beside the output proper."""
    tell(text)


def demand_pages() -> None:
    """Raise ValueError where the libraries that serve pages are not installed."""
    if not all(map(find_spec, ("fastapi", "uvicorn"))):
        raise ValueError('pages need FastAPI and uvicorn: pip install "verienv[pages]"')
