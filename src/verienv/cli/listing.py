"""The environments, as tables."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from verienv.core import tasks
from verienv.core.make import make_env


def listing() -> Iterator[Table]:
    """Yield the ids, the cells of evaluations, then for each kind of settings its splits, fields and visuals.

    Fields that a kind shares with one listed before are not listed again.
    """
    envs = {env_id: make_env(env_id) for task in tasks.every() for env_id in task.environments}
    yield _table(
        ("environment", "task", "splits"),
        [
            (env_id, (inspect.getdoc(type(env)) or "").partition("\n")[0], ", ".join(env.splits))
            for env_id, env in envs.items()
        ],
    )
    yield _table(
        ("for libraries without text", "made by"),
        [
            (env_id, f"{entry_point.partition(':')[0]}; see docs/libraries.md")
            for task in tasks.every()
            for env_id, entry_point in task.numeric.items()
        ],
    )
    yield _table(
        ("cells (evaluate --splits)", "task", "stand for"),
        [(name, task.title, "; ".join(cells)) for task in tasks.every() for name, cells in task.tables.items()],
    )
    shown = list[type[BaseModel]]()
    for env_id, env in envs.items():
        kind = type(env.config)
        if kind in shown:
            continue
        yield _table(
            (f"split of {env_id}", "stands for"),
            [(name, _pairs(settings)) for name, settings in env.splits.items()],
        )
        listed = {name for other in shown if issubclass(kind, other) for name in other.model_fields}
        yield _table(("further setting" if listed else "setting", "default", "meaning"), list(_fields(kind, listed)))
        if kind.visuals:
            meanings = [(name, _pairs(visual) or "the defaults") for name, visual in kind.visuals.items()]
            yield _table(("visual=", "stands for"), meanings)
        shown.append(kind)


def _fields(kind: type[BaseModel], listed: set[str]) -> Iterator[tuple[str, str, str]]:
    meanings = _attributes(kind)
    for name, field in kind.model_fields.items():
        if name in listed:
            continue
        default = field.get_default(call_default_factory=True)
        yield name, _short(default), meanings.get(name, "")


def _short(default: Any) -> str:
    plain = to_jsonable_python(default)
    if isinstance(plain, dict):
        presets = getattr(type(default), "presets", {})
        name = getattr(default, "name", None) or next((n for n, preset in presets.items() if preset == default), None)
        return str(name or _pairs(plain))
    return "" if plain is None else str(plain).lower() if isinstance(plain, bool) else str(plain)


def _pairs(settings: Any) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())


def _attributes(model: type[BaseModel]) -> dict[str, str]:
    """Return the "Attributes" sections of its docstring and of those that it inherits from."""
    meanings = {}
    for kind in reversed(model.__mro__):
        section = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")[2]
        for name, text in re.findall(r"^    (\w+): (.*(?:\n {8,}.*)*)", section, re.MULTILINE):
            meanings[name] = " ".join(text.replace("``", "").split())
    return meanings


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    for name in head:
        table.add_column(name, no_wrap=name == head[0])
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
