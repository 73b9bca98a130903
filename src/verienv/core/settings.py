"""Settings as texts, as a command line has them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from verienv.core.reading import read_bytes
from verienv.core.shown import shown_path
from verienv.core.typed import named_object

TEXTS = ("prompt", "system_prompt")
"""The settings that are texts, whatever else they could be read as."""
MOST_BYTES = 2**20
"""The bytes of the largest file that a setting is read from."""


def read_settings(pairs: Iterable[str]) -> dict[str, Any]:
    """Read settings from "key=value" texts that a person typed, since a value may open a file or import a module.

    A value is JSON where it can be, else a text: ``cards=5``, ``rule={"J": 5, "Q": 6, "K": 7}``, ``city=grid-7``. A
    prompt or system prompt is a text in any case. ``key=@FILE`` reads the value from a file in UTF-8, such as
    ``prompt=@template.txt``, whose last line break does not count. In prompt, answer_format, feedback and rewards,
    ``module:name`` imports an object of the user's own: see ``typed.named_object``.

    Raises:
        ValueError: a text is no setting, its file, module or object is not there, or a prompt is the name of a file.
    """
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, value = _parted(pair)
        settings[key] = read_setting(key, value)
    return settings


def read_setting(key: str, value: str) -> Any:
    """Read the value of one setting, as ``read_settings`` does, with its errors."""
    is_in_file = value.startswith("@")
    text = _text_of(key, value[1:]) if is_in_file else value
    if key in TEXTS and text is value and _is_a_file(value):
        raise ValueError(f"-s {key}={value}: there is a file of that name; write {key}=@{value} for what it says")
    if is_in_file and key in TEXTS:
        return text
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        read = text
    if key in TEXTS and not isinstance(read, str):
        read = text
    return named_object(key, read) if isinstance(read, str) and not is_in_file else read


def _is_a_file(text: str) -> bool:
    return 0 < len(text) < 256 and "{" not in text and Path(text).is_file()


def files_of(pairs: Iterable[str]) -> dict[str, str]:
    """Return the files that settings are read from, by the option that names each."""
    parted = map(_parted, pairs)
    return {f"-s {key}": value[1:] for key, value in parted if value.startswith("@")}


def _parted(pair: str) -> tuple[str, str]:
    key, equals, value = pair.partition("=")
    if not equals or not key.isidentifier():
        raise ValueError(f"-s {pair!r}: expected key=value, e.g. rule=rank or attempts=1")
    return key, value


def _text_of(key: str, path: str) -> str:
    try:
        text = read_bytes(Path(path), MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"-s {key}=@...: {shown_path(path)}: is no text in UTF-8") from None
    except (FileNotFoundError, ValueError) as error:
        raise ValueError(f"-s {key}=@...: {error}") from None
    return text.replace("\r\n", "\n").removesuffix("\n")
