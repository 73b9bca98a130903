"""Demonstrations read back from a file, of this library's or another's making."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from verienv.core.dialogue import Message, parts_of
from verienv.core.reading import MOST_SKIPPED, read_lines, read_whole
from verienv.core.shown import cut, shown, shown_path

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
"""The formats of pictures that are read; others, such as EPS, would start a program."""
ROLES = {"system": "system", "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant"}


def read_demonstrations(path: str | Path) -> list[dict[str, Any]]:
    """Read rows of ``prompt``, ``completion`` and, with vision, ``images``, which are paths; ``opened`` decodes them.

    Args:
        path: JSON lines as ``verienv demos --out FILE.jsonl`` writes them (also with ``--format messages``), or a JSON
            array of ShareGPT conversations (``--format sharegpt``, LLaMA-Factory), whose last turn is the completion;
            perhaps compressed. Paths of pictures are relative to the file, and lead nowhere outside its folder.

    Raises:
        ValueError: names the file that cannot be read, the row that is none, or the picture that cannot be opened.
    """
    path = Path(path)
    try:
        rows = [_row(row, number, path) for number, row in enumerate(_listed(path), 1)]
    except OSError as error:
        raise ValueError(f"{shown_path(path)}: cannot be read ({error.strerror})") from None
    if not rows:
        raise ValueError(f"{shown_path(path)}: holds no demonstrations")
    return rows


def _listed(path: Path) -> Iterator[Any]:
    if path.suffix.lower() == ".json" or path.name.lower().endswith(".json.gz"):
        found = _parsed(read_whole(path), path)
        yield from found if isinstance(found, list) else [found]
        return
    with path.open("rb") as file:
        length = 0
        for line in read_lines(file, path):
            length += len(line)
            if length > MOST_SKIPPED:
                raise ValueError(f"{shown_path(path)}: larger than {MOST_SKIPPED // 2**20} MB")
            if line.strip():
                yield _parsed(line, path)


def _parsed(data: bytes, path: Path) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        told = f"{shown_path(path)}: is no JSON ({cut(error, 80)}); write it with verienv demos --out"
        raise ValueError(told) from None


def _row(row: Any, number: int, path: Path) -> dict[str, Any]:
    try:
        if "conversations" in row:
            turns = [_message(turn, "from", "value", tagged="images" in row) for turn in row["conversations"]]
            prompt, completion = turns[:-1], turns[-1:]
        elif "messages" in row:
            turns = [_message(turn, "role", "content") for turn in row["messages"]]
            prompt, completion = turns[:-1], turns[-1:]
        else:
            prompt, completion = (
                [_message(turn, "role", "content") for turn in row[name]] for name in ("prompt", "completion")
            )
        _demand_dialogue([*prompt, *completion], len(completion))
        images = row.get("images") or []
        if not isinstance(images, list):
            raise ValueError(f"images is {shown(images)}, expected a list of paths")
        shows, answers = ([part["type"] for each in some for part in parts_of(each)] for some in (prompt, completion))
        if shows.count("image") != len(images) or "image" in answers:
            raise ValueError(f"{len(images)} images, but {shows.count('image')} places for them in the prompt")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        told = f"{shown(error.args[0])} is missing" if isinstance(error, KeyError) and error.args else cut(error)
        raise ValueError(f"{shown_path(path)}, row {number}: {told}; give rows as verienv demos writes them") from None
    read = {"prompt": prompt, "completion": completion}
    return {**read, "images": [_picture(name, number, path) for name in images]} if images else read


def _demand_dialogue(messages: list[Message], completions: int) -> None:
    """Raise ValueError for turns that a chat template might refuse, or that do not end with one completion."""
    turns = [message["role"] for message in messages]
    spoken = turns[1:] if turns[:1] == ["system"] else turns
    if completions != 1 or len(spoken) < 2 or len(spoken) % 2 or spoken != ["user", "assistant"] * (len(spoken) // 2):
        raise ValueError(
            f"the turns are those of {shown(turns)}, expected user and assistant by turns, perhaps after a system "
            "prompt, and one last turn of the assistant's as the completion"
        )


def _message(turn: Mapping[str, Any], speaker: str, said: str, tagged: bool = False) -> Message:
    role, content = turn[speaker], turn[said]
    if not isinstance(role, str) or role not in ROLES:
        raise ValueError(f"a turn is of {shown(role)}, expected {', '.join(ROLES)}")
    if isinstance(content, str) and tagged:
        texts = content.split("<image>")
        content = [part for text in texts for part in ({"type": "image"}, {"type": "text", "text": text})][1:]
        content = [part for part in content if part.get("text") != ""]
    elif isinstance(content, list):
        content = [
            {"type": "image"} if part["type"] == "image" else {"type": "text", "text": part["text"]} for part in content
        ]
    elif not isinstance(content, str):
        raise ValueError(f"a message is {shown(content)}, expected a text or a list of parts")
    message = {"role": ROLES[role], "content": content}
    for part in parts_of(message):
        if part["type"] == "text":
            if not isinstance(part["text"], str):
                raise ValueError(f"a text is {shown(part['text'])}")
            part["text"].encode()  # half a character, as JSON can spell it, is no text
    return message


def opened(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row that was read from a file with its pictures decoded, as PIL images.

    Raises:
        ValueError: names the picture that is damaged, or larger than Pillow takes without a warning.
    """
    return {**row, "images": [_decoded(path) for path in row["images"]]} if row.get("images") else dict(row)


def _decoded(path: Path, *, whole: bool = True) -> Any:
    from PIL import Image

    try:
        with (
            warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning),
            Image.open(path, formats=FORMATS) as seen,
        ):
            return seen.convert("RGB") if whole else None
    except Exception as error:  # a damaged file raises many kinds
        raise ValueError(f"the picture {shown_path(path)} cannot be opened ({cut(error, 80)})") from None


def _picture(name: Any, number: int, path: Path) -> Path:
    """Return the place of a picture, which lies in the file's folder and begins as a picture does."""
    folder = path.parent.resolve()
    try:
        found: Path = (folder / name).resolve()
        if not found.is_relative_to(folder):
            raise ValueError(f"the picture {shown(name)} is outside the file's folder")
        if not found.is_file():
            raise ValueError(f"the picture {shown(name)} is not there")
        _decoded(found, whole=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{shown_path(path)}, row {number}: {cut(error)}") from None
    return found
