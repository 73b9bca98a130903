"""Values as errors show them."""

from __future__ import annotations

from reprlib import Repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxdict, _SHORT.maxlist, _SHORT.maxtuple, _SHORT.maxstring, _SHORT.maxother = 3, 8, 8, 8, 60, 60


def shown(value: Any) -> str:
    """Return a value as an error shows it: at most 60 characters, however long or deep it is."""
    try:
        text = _SHORT.repr(value)
    except Exception:  # an integer of more than 4300 digits, or an object that cannot be written
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 60 else f"{text[:57]}..."


def cut(text: object, most: int = 160) -> str:
    """Return a text of any length, such as another library's error, as a part of one printable line of ``most``."""
    whole = str(text)
    line = " ".join("".join(each if each.isprintable() else " " for each in whole[: 4 * most]).split())
    return line if len(line) <= most and len(whole) <= 4 * most else f"{line[: most - 3]}..."


def printable(text: str) -> str:
    """Return text in which nothing steers a terminal: other characters than printable ones and newlines are escaped."""
    return "".join(each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text)


def shown_path(path: object) -> str:
    """Return a path as an error shows it: itself, but in one printable line of at most 300 characters."""
    text = str(path)
    if not text.isprintable():
        text = ascii(text[:1000])[1:-1]
    return text if len(text) <= 300 else f"{text[:100]}...{text[-190:]}"


def shown_instance(instance: object) -> str:
    """Return what was given as an instance as an error shows it: in quotes, whatever it is."""
    return shown(instance if isinstance(instance, str) else shown(instance))


def fault_of(error: ValidationError) -> str:
    """Return the first fault that pydantic found in a file, with its place, as a part of one line."""
    fault = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    return f"{cut(where, 100)}: {cut(fault['msg'], 100)}" if where else cut(fault["msg"], 100)
