"""Arguments of a script as a run's folder keeps them: plain JSON, with the hash of each file that they name."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from verienv.core.settings import read_settings
from verienv.preferences import labels_by

HASHED = {"labels": "", "pairs": "pairs.jsonl", "reward": "scorer.safetensors"}
"""Arguments that are files, or folders of which a file tells what they hold."""


def hashed(path: Path, name: str, by: str = "") -> dict[str, str]:
    """Return an argument's file as JSON holds it: its path and, if it is there, the hash of its rows, or of one's."""
    file = path / HASHED.get(name, "")
    rows = (labels_by(file, by) if by and name == "labels" else file.read_bytes()) if file.is_file() else None
    return {"file": str(path), **({} if rows is None else {"sha256": sha256(rows).hexdigest()})}


def plain(arguments: Any) -> Any:
    """Return arguments as JSON would hold them: settings by their names, a file with the hash of its rows."""
    values = asdict(arguments) if is_dataclass(arguments) else dict(arguments)  # type: ignore[arg-type]
    if "settings" in values:
        values["settings"] = read_settings(values["settings"])
    for name in ("data", "held_out", *HASHED):
        if given := values.get(name):
            several = isinstance(given, tuple | list)
            each = [hashed(Path(one), name, values.get("annotator", "")) for one in (given if several else [given])]
            values[name] = each if several else each[0]
    return json.loads(json.dumps(values, default=str))
