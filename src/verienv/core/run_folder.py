"""The folder of a training run: configuration, log and checkpoints, as the scripts write and others read them.

<out>/config.json        arguments, versions, git revision, and on what it was resumed if that was something else
<out>/log.jsonl          one line per update
<out>/checkpoint-00012/  model and tokenizer after update 12, readable by from_pretrained
<out>/state.pt           what else the next update needs; always that of the newest checkpoint
<out>/finished           there when the run has ended
<out>/lock               empty; held by the process that writes here
"""

from __future__ import annotations

import atexit
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from hashlib import sha256
from io import FileIO
from math import inf
from pathlib import Path
from typing import Any

from verienv.core import reading
from verienv.core.files import atomic_text
from verienv.core.lock import open_alone

Line = dict[str, Any]
TIMED = ("steps_a_second", "tokens_a_second", "sampling_share")
"""Numbers of a line that tell of time: they differ between runs that are otherwise the same, bit for bit."""
_held: dict[Path, FileIO] = {}
"""The locks of the folders that this process has begun to write in, which end with it."""


class RunFolder:
    """The folder ``out``. Every fault of what lies there is a ValueError that says what to do."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.mend = f"put back what was there, or delete {out} to start again"

    def begin(self, config: Mapping[str, Any], defaults: Mapping[str, Any], free: tuple[str, ...]) -> None:
        """Write the configuration, or find that of the same run: arguments but the ``free`` ones must be equal.

        ``defaults`` are the arguments of runs that were begun when there were fewer. From here on no other process may
        begin in this folder: two would write one log, and take away each other's checkpoints.
        """
        hold(self.out)
        path, given = self.out / "config.json", config["arguments"]
        if path.exists():
            before = {**defaults, **self.config()["arguments"]}
            differing = [name for name, value in given.items() if before[name] != value and name not in free]
            begun = any(kept != path and kept.is_file() and kept.stat().st_size for kept in self.out.rglob("*"))
            if differing and begun:
                changed = [told for name in differing for told in changes(before[name], given[name])]
                mend = f"; {', '.join(changed)}; put back what was there, or" if changed else ";"
                raise ValueError(
                    f"{self.out} holds a run with other arguments ({', '.join(differing)}){mend} choose another --out"
                )
            if not differing:
                return
        write_json(path, config)

    def config(self) -> dict[str, Any]:
        """Read config.json."""
        path = self.out / "config.json"
        config = read_json(path)
        if not isinstance(config, dict) or not isinstance(config.get("arguments"), dict):
            raise ValueError(f"{path} is damaged (it names no arguments); delete it, or choose another --out")
        return config

    @property
    def finished(self) -> bool:
        """Whether the run has ended."""
        if (self.out / "finished").exists() and not self.checkpoints():
            raise ValueError(f"{self.out} holds a finished run whose checkpoints are gone; delete it to train again")
        return (self.out / "finished").exists()

    def checkpoints(self) -> list[Path]:
        """Return the folders of the saved policies, oldest first."""
        return sorted((path for path in self.out.glob("checkpoint-*") if update_of(path)), key=update_of)

    def checkpoint(self, update: int) -> Path:
        """Return the folder of the checkpoint after an update, which must be there."""
        folder = self.out / name_of(update)
        if not folder.is_dir():
            raise ValueError(f"{folder} is missing, from which {self.out / 'state.pt'} goes on; {self.mend}")
        return folder

    def unfit(self, fault: str) -> ValueError:
        """Return the error of a state.pt that is damaged, or is not that of the newest checkpoint."""
        told = f"{self.out / 'state.pt'} cannot be read, or is of another model ({fault})"
        return ValueError(f"{told}; delete {self.out} to start again")

    def log(self, line: Line) -> None:
        """Add an update's line to the log."""
        with (self.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")

    def lines(self) -> list[Line]:
        """Read the log; a line cut off by a kill is left out."""
        path, lines = self.out / "log.jsonl", list[Line]()
        texts = path.read_text(errors="replace").splitlines() if path.exists() else []
        for number, text in enumerate(texts, 1):
            try:
                lines.append(json.loads(text))
                if lines[-1]["update"] != number:
                    raise ValueError
            except (ValueError, KeyError, TypeError, RecursionError):
                if number == len(texts) and not lines[number - 1 :]:
                    break
                raise ValueError(
                    f"{path}, line {number}: expected the numbers of update {number}; {self.mend}"
                ) from None
        return lines

    def cut(self, update: int) -> None:
        """Take away what a kill left of later updates, and of files that were being written."""
        kept = self.lines()[:update]
        if len(kept) < update:
            raise ValueError(
                f"{self.out / 'log.jsonl'} ends before update {update}, which the run goes on from; {self.mend}"
            )
        with atomic_text(self.out / "log.jsonl") as file:
            file.writelines(json.dumps(line) + "\n" for line in kept)
        later = [folder for folder in self.checkpoints() if update_of(folder) > update]
        for left in (*later, *self.out.glob("checkpoint-*.partial"), *self.out.glob("*.part")):
            shutil.rmtree(left) if left.is_dir() else left.unlink()

    def cut_file(self, name: str, lines: int) -> None:
        """Keep the first lines of a file that a run adds to beside its log; it is made where there is none."""
        path = self.out / name
        with path.open("a+b") as file:
            file.seek(0)
            for at in range(lines):
                if not file.readline().endswith(b"\n"):
                    raise ValueError(f"{path} ends after {at} lines, where {lines} are due; {self.mend}")
            file.truncate(file.tell())

    def resumed(self, config: Mapping[str, Any], update: int) -> str:
        """Note in config.json on what other software or machine the run goes on; return that in words, "" for none."""
        began = self.config()
        asked, asks = (each["arguments"].get("device") for each in (began, config))
        before = {**dict(numbers_in(began)), "asked for device": asked}
        now = {**dict(numbers_in(config)), "asked for device": asks}
        changed = {
            name.removeprefix("versions/"): [before[name], value]
            for name, value in now.items()
            if not name.startswith("arguments/") and before.get(name, value) != value
        }
        if changed:
            began["resumed"] = [*began.get("resumed", []), {"after": update, **changed}]
            write_json(self.out / "config.json", began)
        told = ", ".join(f"{name} {new} (was {old})" for name, (old, new) in changed.items())
        return f"; with {told} the numbers may differ from those of a run without a break" if changed else ""


def changes(before: Any, now: Any) -> Iterator[str]:
    """Tell of files among an argument's that have other rows than a run began with."""
    several = isinstance(before, list) and isinstance(now, list)
    for was, one in zip(before, now, strict=False) if several else [(before, now)]:
        files = isinstance(was, dict) and isinstance(one, dict) and "file" in one and was.get("file") == one["file"]
        if files and was.get("sha256") != one.get("sha256"):
            lines = lines_with(Path(one["file"]), was.get("sha256", ""))
            first = f" (its first {lines} lines are what it held)" if lines else ""
            yield f"{one['file']} has changed since that run began{first}"


def lines_with(path: Path, wanted: str) -> int:
    """Return how many of a file's first lines have a SHA-256; 0 if none have."""
    found = sha256()
    with path.open("rb") if path.is_file() else nullcontext(()) as file:
        for number, line in enumerate(file, 1):
            found.update(line)
            if found.hexdigest() == wanted:
                return number
    return 0


def hold(folder: Path) -> None:
    """Have a folder for this process alone, until it ends. Raises ValueError where another one has it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.resolve() / "lock"
    if path in _held and not _held[path].closed and path.exists():
        return
    try:
        _held[path] = open_alone(path)
    except ValueError:
        raise ValueError(f"{folder} is being written by another run; let it end, or choose another --out") from None
    atexit.register(_held[path].close)


def counted(state: Mapping[str, Any]) -> tuple[int, float, int]:
    """Return the update, the FLOPs and the checkpoints that state.pt counts.

    Raises ValueError where these are no finite numbers from 0 on, KeyError or TypeError where they are missing or none.
    """
    update, flops, saved = int(state["update"]), float(state["flops"]), int(state["saved"])
    if update < 0 or saved < 0 or not 0 <= flops < inf:
        raise ValueError(f"it is damaged: it counts {update} updates, {flops:g} FLOPs and {saved} checkpoints")
    return update, flops, saved


def name_of(update: int) -> str:
    """Return the name of the folder of a checkpoint."""
    return f"checkpoint-{update:05d}"


def update_of(checkpoint: Path) -> int:
    """Return the update after which a checkpoint was saved, 0 if the path is none."""
    number = checkpoint.name.removeprefix("checkpoint-")
    return int(number) if number.isdecimal() else 0


def numbers_in(line: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the numbers of a line by their names; those within another are named as in a path."""
    for name, value in line.items():
        yield from numbers_in(value, f"{prefix}{name}/") if isinstance(value, dict) else [(prefix + name, value)]


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that it is there whole or not at all."""
    with atomic_text(path) as file:
        json.dump(value, file, indent=1, allow_nan=False)


def read_json(path: Path) -> Any:
    """Read the JSON of a run or a study, as ``reading.read_json`` does. Raises ValueError where there is none."""
    try:
        return reading.read_json(path, mend="delete it, or choose another --out")
    except FileNotFoundError:
        raise ValueError(f"{path} is not there; there is nothing to draw or go on from") from None
