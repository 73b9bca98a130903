"""Writing pictures: one beside a question, or a folder of them beside a file of rows."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from verienv.cli.common import STDOUT, writing
from verienv.cli.places import check_name
from verienv.core.dialogue import images_of, png
from verienv.core.env import VerifiedEnv
from verienv.core.episode import Episode
from verienv.core.files import atomic_write, part_beside

_OURS = re.compile(r"\d{6,}(-[0-9a-f]{12})?\.png")


def check_image(image: Path | None, env: VerifiedEnv) -> None:
    """Raise ValueError if the task has no picture, or it cannot be written to ``image``."""
    if image and not env.vision:
        raise ValueError(f"--image {image}: this task is in words and has no picture; leave --image out")
    check_name("--image", image, (".png",))


def save_picture(episode: Episode, path: Path) -> None:
    """Write the newest picture of an episode as a PNG file, which appears when it is whole."""
    with atomic_write(path) as part:
        part.write_bytes(png(images_of(episode.pictures)[-1]))


def check_map(path: Path | None, env: VerifiedEnv) -> None:
    """Raise ValueError if the task has no map, or it cannot be written to ``path``."""
    if path and not env.task.has_map:
        raise ValueError(f"--map {path}: {env.task.title} has no maps; leave --map out")
    check_name("--map", path, (".png",))


def save_map(episode: Episode, path: Path) -> None:
    """Write the map of the instance in play, with the agent's track, as a PNG file, which appears when it is whole."""
    drawn = episode.task.map(episode.question, episode.is_success)
    if drawn is not None:
        with atomic_write(path) as part:
            part.write_bytes(png(drawn))


def folder_for(out: str) -> Path:
    """Return the folder of the pictures whose rows are in ``out``: demos_images for demos.jsonl."""
    path = Path(out)
    stem = Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem
    return path.parent / f"{stem}_images"


@contextmanager
def writing_rows(out: str, with_images: bool, *, as_list: bool = False) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yield a function that writes a row as a line of JSON to ``out``, "-" for stdout.

    With ``as_list`` the lines are one JSON array.

    With ``with_images``, the row's ``images`` become PNG files in ``folder_for(out)``, and the row holds their paths
    relative to the file. They are named by number and content, so that those of an old file can stand beside those of
    the new one: first the new pictures appear, then the new file takes the old one's place, and then the old pictures
    go. Whenever this is interrupted, old file or new one, its pictures are there.

    Raises:
        ValueError: with ``with_images``, if ``out`` is no place for a folder, or other things are in that folder.
    """
    if not with_images:
        with writing(out) as file, _writing_lines(file, as_list) as write:
            yield write
        return
    folder = folder_for(out)
    _check_place(out, folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part, before, is_new = part_beside(folder), _stamp(out), not folder.exists()
    added, names = list[Path](), set[str]()
    try:
        part.mkdir()
        with writing(out) as file:
            with _writing_lines(file, as_list) as write:
                yield _writer(write, part, folder.name)
            folder.mkdir(exist_ok=True)
            for picture in sorted(part.iterdir()):
                names.add(picture.name)
                if not (folder / picture.name).exists():
                    added.append(folder / picture.name)
                picture.replace(folder / picture.name)
    except BaseException:
        if _stamp(out) == before:  # else the new file is in place, and needs them
            for picture in added:
                picture.unlink(missing_ok=True)
            if is_new:
                shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    for picture in folder.iterdir():
        if _OURS.fullmatch(picture.name) and picture.name not in names:
            picture.unlink(missing_ok=True)


def _stamp(path: str) -> tuple[int, int] | None:
    """Return what changes when a file is replaced."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _writer(write_line: Callable[[dict[str, Any]], None], part: Path, name: str) -> Callable[[dict[str, Any]], None]:
    numbers = count()

    def write(row: dict[str, Any]) -> None:
        names = []
        for image in row["images"]:
            data = png(image)
            names.append(f"{next(numbers):06d}-{sha256(data).hexdigest()[:12]}.png")
            (part / names[-1]).write_bytes(data)
        write_line(row | {"images": [f"{name}/{each}" for each in names]})

    return write


@contextmanager
def _writing_lines(file: TextIO, as_list: bool) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yield a function that writes a row as a line; with ``as_list`` the lines are an array once all are written."""
    numbers = count()

    def write(row: dict[str, Any]) -> None:
        before = ("," if next(numbers) else "[") + "\n" if as_list else ""
        file.write(before + json.dumps(row) + "\n" * (not as_list))

    yield write
    if as_list:
        file.write("\n]\n" if next(numbers) else "[]\n")


def _check_place(out: str, folder: Path) -> None:
    if out in STDOUT or (Path(out).exists() and not Path(out).is_file() and not Path(out).is_dir()):
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
