"""Demonstrations read back from a file, of this library's or another's making."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from verienv.core.dialogue import Message
from verienv.core.reading import MOST_LINE, read_lines, read_whole
from verienv.core.shown import shown, shown_path

ROLES = {"system": "system", "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant"}


def read_demonstrations(path: str | Path) -> list[dict[str, Any]]:
    """Read rows of ``prompt``, ``completion`` and, with vision, ``images``, PIL images.

    Args:
        path: JSON lines as ``verienv demos --out FILE.jsonl`` writes them, or a JSON array of ShareGPT conversations
            (``--format sharegpt``, LLaMA-Factory), whose last turn is the completion; perhaps compressed. Paths of
            pictures are relative to the file, and lead nowhere outside its folder.

    Raises:
        ValueError: names the row that is none, or the picture that cannot be opened.
        OSError: if the file cannot be read.
    """
    path = Path(path)
    rows = [_row(row, number, path) for number, row in enumerate(_listed(path), 1)]
    if not rows:
        raise ValueError(f"{shown_path(path)}: holds no demonstrations")
    return rows


def _listed(path: Path) -> Iterator[Any]:
    try:
        if path.suffix.lower() == ".json" or path.name.lower().endswith(".json.gz"):
            found = json.loads(read_whole(path))
            yield from found if isinstance(found, list) else [found]
            return
        with path.open("rb") as file:
            for line in read_lines(file, path):
                if line.strip():
                    yield json.loads(line[: MOST_LINE + 1])
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{shown_path(path)}: is no JSON ({error}); write it with verienv demos --out") from None


def _row(row: Any, number: int, path: Path) -> dict[str, Any]:
    try:
        if "conversations" in row:
            turns = [_message(turn, "from", "value", tagged="images" in row) for turn in row["conversations"]]
            prompt, completion = turns[:-1], turns[-1:]
        else:
            prompt, completion = (
                [_message(turn, "role", "content") for turn in row[name]] for name in ("prompt", "completion")
            )
        if not prompt or len(completion) != 1 or completion[0]["role"] != "assistant":
            raise ValueError("expected a prompt, and one message of the assistant's as its completion")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        told = f"{shown(error.args[0])} is missing" if isinstance(error, KeyError) and error.args else str(error)
        raise ValueError(f"{shown_path(path)}, row {number}: {told}; give rows as verienv demos writes them") from None
    images = row.get("images") or []
    read = {"prompt": prompt, "completion": completion}
    return {**read, "images": [_picture(name, number, path) for name in images]} if images else read


def _message(turn: Mapping[str, Any], speaker: str, said: str, tagged: bool = False) -> Message:
    content = turn[said]
    if isinstance(content, str) and tagged:
        texts = content.split("<image>")
        content = [part for text in texts for part in ({"type": "image"}, {"type": "text", "text": text})][1:]
    elif isinstance(content, list):
        content = [
            {"type": "image"} if part["type"] == "image" else {"type": "text", "text": str(part["text"])}
            for part in content
        ]
    elif not isinstance(content, str):
        raise ValueError(f"a message is {shown(content)}, expected a text or a list of parts")
    return {"role": ROLES[turn[speaker]], "content": content}


def _picture(name: Any, number: int, path: Path) -> Any:
    from PIL import Image

    folder = path.parent.resolve()
    try:
        found = (folder / str(name)).resolve()
        if not found.is_relative_to(folder):
            raise ValueError("it is outside the file's folder")
        with Image.open(found) as picture:
            return picture.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"{shown_path(path)}, row {number}: the picture {shown(str(name))} cannot be opened ({error})"
        ) from None
