"""Files of the scripts: files that are whole or not there, and JSON that every reader takes."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from math import isnan
from pathlib import Path
from typing import Any

import torch

from endings import Stop
from verienv.core.files import atomic_write
from verienv.core.settings import read_settings
from verienv.evaluation import read_cells


def plain(arguments: Any) -> Any:
    """Arguments as JSON would hold them: settings of the environment by their names, and what a file of cells holds."""
    values = asdict(arguments) if is_dataclass(arguments) else dict(arguments)  # type: ignore[arg-type]
    if "settings" in values:
        values["settings"] = read_settings(values["settings"])
    if values.get("cells"):
        values["cells"] = read_cells(values["cells"])
    return json.loads(json.dumps(values, default=str))


def without_nan(value: Any) -> Any:
    """Plain data as JSON has it: a number that there is none of is null."""
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and isnan(value) else value


def update_of(checkpoint: Path) -> int:
    """The update after which a checkpoint was saved, 0 if the path is none."""
    number = checkpoint.name.removeprefix("checkpoint-")
    return int(number) if number.isdecimal() else 0


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    with atomic_write(path) as part:
        part.write_text(text)


def save_whole(path: Path, value: Any) -> None:
    """As ``write_whole``, by torch.save."""
    with atomic_write(path) as part:
        torch.save(value, part)


def read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise Stop(f"{path} is not there; there is nothing to draw or go on from") from None
    except (ValueError, RecursionError) as error:
        raise Stop(f"{path} is damaged ({error}); delete it, or choose another --out") from None


def recorded(path: Path) -> dict[str, Any]:
    """A config.json. Stops where it is none."""
    config = read_json(path)
    if not isinstance(config, dict) or not isinstance(config.get("arguments"), dict):
        raise Stop(f"{path} is damaged (it names no arguments); delete it, or choose another --out")
    return config
