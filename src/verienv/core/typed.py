"""Modules, and objects in them, whose names a person typed. A row, a log or a request never comes here."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from verienv.core import registered
from verienv.core.registered import Kind
from verienv.core.shown import shown

KINDS: Mapping[str, Kind] = {
    "prompt": "prompt", "answer_format": "format", "feedback": "feedback", "rewards": "rewards",
}  # fmt: skip
"""The settings that may be an object of the user's own, each with its kind."""

_REGISTER: Mapping[Kind, Callable[[str, Any], None]] = {
    "prompt": registered.register_prompt,
    "format": registered.register_format,
    "feedback": registered.register_feedback,
    "rewards": registered.register_rewards,
}
_NAME = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)", re.ASCII)


def import_from_here(module: str) -> None:
    """Import a module, which may lie in the current folder. Raises ValueError if there is none."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # it is there, and misses something itself
        raise ValueError(f"there is no module {module!r} in {here}, and none is installed") from None


def named_object(setting: str, text: str) -> Any:
    """Return the value that a text means for a setting: itself, unless it is "module:name".

    Such a module is imported, also from the current folder. Its object is registered under this very name, which is
    the value, and which rows and logs hold. An object that is plain data, such as a template, is the value itself.

    Raises:
        ValueError: there is no such module, no such object in it, or it is none for this setting.
    """
    kind = KINDS.get(setting)
    named = _NAME.fullmatch(text)
    if kind is None or named is None or registered.find(kind, text) is not None:
        return text
    module, name = named.groups()
    import_from_here(module)
    inside = vars(sys.modules[module])
    if name not in inside:
        own = [each for each in inside if not each.startswith("_")]
        raise ValueError(f"{setting}={text}: {module} has no {name!r}; it has {', '.join(own[:12]) or 'nothing'}")
    value = inside[name]
    if isinstance(value, str | Mapping):
        return value
    try:
        _REGISTER[kind](text, value)
    except TypeError as error:
        raise ValueError(f"{setting}={text}: is {shown(value)}; {str(error).rpartition(': ')[2]}") from None
    return text
