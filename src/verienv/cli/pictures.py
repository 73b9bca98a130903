"""Writing pictures: one beside a question, or a folder of them beside a file of rows."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from verienv.cli.common import writing
from verienv.core.dialogue import images_of, png
from verienv.core.env import VerifiedEnv
from verienv.core.episode import Episode
from verienv.core.files import atomic_write

_OURS = re.compile(r"\d{6,}\.png")


def check_image(image: Path | None, env: VerifiedEnv) -> Path | None:
    """Return ``image`` if the task's picture can be written there. Raises ValueError if not."""
    if image and not env.vision:
        raise ValueError(f"--image {image}: this task is in words and has no picture; leave --image out")
    return _check_png(image, "--image", "picture")


def save_picture(episode: Episode, path: Path) -> None:
    """Write the newest picture of an episode as a PNG file, which appears when it is whole."""
    with atomic_write(path) as part:
        part.write_bytes(png(images_of(episode.pictures)[-1]))


def check_map(path: Path | None, env: VerifiedEnv) -> Path | None:
    """Return ``path`` if a map of the task can be written there. Raises ValueError if not."""
    if path and not env.task.has_map:
        raise ValueError(f"--map {path}: {env.task.title} has no maps; leave --map out")
    return _check_png(path, "--map", "map")


def _check_png(path: Path | None, option: str, what: str) -> Path | None:
    if path and path.suffix.lower() != ".png":
        raise ValueError(f"{option} {path}: the {what} is written as PNG; give a name that ends in .png")
    return path


def save_map(episode: Episode, path: Path) -> None:
    """Write the map of the instance in play, with the agent's track, as a PNG file, which appears when it is whole."""
    drawn = episode.task.map(episode.question, episode.is_success)
    if drawn is not None:
        with atomic_write(path) as part:
            part.write_bytes(png(drawn))


def folder_for(out: str) -> Path:
    """Return the folder of the pictures whose rows are in ``out``: demos_images for demos.jsonl."""
    path = Path(out)
    return path.parent / f"{path.stem}_images"


@contextmanager
def writing_rows(out: str, with_images: bool) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yield a function that writes a row as a line of JSON to ``out``, "-" for stdout.

    With ``with_images``, the row's ``images`` become PNG files in ``folder_for(out)``, and the row holds their paths
    relative to the file. File and folder appear when all is written, the file last; until then old ones stay.

    Raises:
        ValueError: with ``with_images``, if ``out`` is no place for a folder, or other things are in that folder.
    """
    if not with_images:
        with writing(out) as file:
            yield lambda row: _write_line(file, row)
        return
    folder = folder_for(out)
    _check_place(out, folder)
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    with writing(out) as file:
        count = 0

        def write(row: dict[str, Any]) -> None:
            nonlocal count
            names = []
            for image in row["images"]:
                name = f"{count:06d}.png"
                (part / name).write_bytes(png(image))
                names.append(f"{folder.name}/{name}")
                count += 1
            _write_line(file, row | {"images": names})

        try:
            part.mkdir()
            yield write
            file.flush()
            _take_place(part, folder, Path(out))
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _write_line(file: Any, row: dict[str, Any]) -> None:
    file.write(json.dumps(row) + "\n")


def _check_place(out: str, folder: Path) -> None:
    if out == "-" or (Path(out).exists() and not Path(out).is_file() and not Path(out).is_dir()):
        raise ValueError(
            f"--out {out}: the rows come with pictures, which go into a folder beside the file; "
            "give a file's path, e.g. --out demos.jsonl"
        )
    if folder.exists():
        others = [path.name for path in folder.iterdir() if not _OURS.fullmatch(path.name)] if folder.is_dir() else [""]
        if others:
            raise ValueError(
                f"the pictures would replace {folder / others[0]}, which is none of them; "
                "move it away or choose another --out"
            )


def _take_place(part: Path, folder: Path, file: Path) -> None:
    """Put the new folder where the old one was. First the old file goes: never does it stand beside new pictures."""
    file.unlink(missing_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    part.rename(folder)
