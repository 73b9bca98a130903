"""Shared by the commands: reading ids, writing files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from inspect import signature
from pathlib import Path
from typing import Any, TextIO

from gymnasium import registry

from verienv.cli.streams import check_input, tell
from verienv.core import tasks
from verienv.core.files import atomic_text
from verienv.core.reading import read_lines
from verienv.core.settings import read_settings
from verienv.core.typed import import_from_here

STDOUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


def full_id(name: str, *, numeric: bool = False) -> str:
    """Return the environment's id; "GeneralPoints-L" is enough. With ``numeric``, those in numbers are known too.

    "my_module:mine/Task-v0" imports the module first, also from the current folder.

    Raises:
        ValueError: names the environments there are.
    """
    module, colon, env_id = name.partition(":")
    if colon:
        import_from_here(module)
        if env_id not in registry:
            own = [each for task in tasks.every() for each in task.environments if not each.startswith("verienv/")]
            raise ValueError(f"{module} registers no environment {env_id!r}; known besides verienv's: {', '.join(own)}")
        return env_id
    wanted = _short(name)
    known = {_short(env_id): env_id for task in tasks.every() for env_id in task.environments}
    in_numbers = {_short(env_id): env_id for task in tasks.every() for env_id in task.numeric}
    if numeric:
        known |= in_numbers
    if wanted in known:
        return known[wanted]
    if wanted in in_numbers:
        raise ValueError(
            f"{in_numbers[wanted]} speaks in numbers, to libraries without text; `verienv show` shows it, this command "
            f"takes one in words: {', '.join(known.values())}"
        )
    close = get_close_matches(wanted, known, n=1)
    hint = f"did you mean {known[close[0]]}? " if close else ""
    raise ValueError(
        f"there is no environment {name!r} ({hint}known: {', '.join(known.values())}; module:id names one of your own)"
    )


def _short(env_id: str) -> str:
    return env_id.removeprefix("verienv/").removesuffix("-v0").lower()


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
            raise ValueError(f"--setting {name}=...: is no setting of an environment; see this command's --help")
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
