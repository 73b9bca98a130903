"""The command that writes rows as a data set for a hub."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import file_digest
from itertools import chain
from pathlib import Path
from shutil import rmtree
from typing import Annotated, Any, cast

import typer

from verienv.adapters.dataset_card import USES, DatasetFile, dataset_card
from verienv.adapters.hub import write_parquet
from verienv.cli.common import note, settings_for
from verienv.cli.options import EnvId, Seed, Settings
from verienv.cli.places import check_places, paths_in
from verienv.core import tasks
from verienv.core.config import plain_settings
from verienv.core.dialogue import images_of
from verienv.core.files import atomic_text, part_beside
from verienv.core.make import full_id, make_env
from verienv.core.reading import read_json
from verienv.core.rows import questions
from verienv.core.settings import files_of
from verienv.core.shown import shown, shown_path
from verienv.core.version import __version__
from verienv.demos import Kind, demonstrations

FORMAT = "verienv-dataset-1"
MANIFEST = "manifest.json"


def export(
    env_id: EnvId,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder to write: new, empty, or that of an earlier export.")
    ],
    kind: Annotated[
        str,
        typer.Option(
            help="rows: whole episodes to train on by reinforcement; questions: single questions; sft, revision or "
            "preference: demonstrations."
        ),
    ] = "rows",
    splits: Annotated[str, typer.Option(metavar="NAMES", help="The splits, separated by commas.")] = "train",
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="The number of rows in each split.")] = 1000,
    seed: Seed = 0,
    steps: Annotated[
        bool, typer.Option("--steps", help="For demonstrations: write the derivation before the answer.")
    ] = False,
    setting: Settings = [],  # noqa: B006
) -> None:
    """Write rows of any kind as Parquet, with a dataset card: a folder that a hub of data sets reads as it is.

    It holds data/SPLIT.parquet, pictures inside, README.md (the card, with licence, splits and how a row is judged)
    and manifest.json (settings, seed, and each file's SHA-256). Nothing is uploaded.
    """
    env_id, settings = full_id(env_id), settings_for(demonstrations, setting)
    names = list(dict.fromkeys(name for name in splits.split(",") if name))
    if kind not in USES:
        raise ValueError(f"--kind {shown(kind)}: expected one of {', '.join(USES)}")
    if steps and kind in ("rows", "questions"):
        raise ValueError(f"--steps: {kind} hold no responses; choose --kind sft, revision or preference")
    if not names:
        raise ValueError("--splits: give at least one, such as train,test")
    task = tasks.of_env_id(env_id)
    opened = paths_in(task.environment_class(env_id), settings)
    earlier = _check_folder(out)
    paths = {name: out / "data" / f"{name}.parquet" for name in names}
    check_places({**opened, **files_of(setting)}, {f"the file of {name}": path for name, path in paths.items()})
    making = {name: _rows(env_id, kind, name, n, seed, steps, settings) for name in names}
    with _unfinished(out) as part:
        files = {name: _write(part / path.name, making[name]) for name, path in paths.items()}
        plain = _plain(env_id, names[0], settings)
        about = {
            "format": FORMAT, "verienv": __version__, "env_id": env_id, "kind": kind, "seed": seed, "steps": steps,
            "settings": plain,
            "splits": {name: {"file": one.path, "rows": one.rows, "sha256": one.sha256} for name, one in files.items()},
        }  # fmt: skip
        card = dataset_card(task, env_id, kind, seed, plain, files)
        _write_manifest(out, {"format": FORMAT, "unfinished": "files are being replaced; export again"})
        (out / "data").mkdir(exist_ok=True)
        for path in paths.values():
            (part / path.name).replace(path)
        for path in earlier - set(paths.values()):  # else an upload would send it under this card
            path.unlink(missing_ok=True)
        with atomic_text(out / "README.md") as file:
            file.write(card)
        _write_manifest(out, about)
    note(f"{sum(one.rows for one in files.values()):,} rows of {', '.join(names)} in {out}")


@contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """A folder in ``out`` for what is half-written; an earlier export stays whole until all of the new one is there."""
    is_new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    part = part_beside(out / "data")
    part.mkdir()
    try:
        yield part
    finally:
        rmtree(part, ignore_errors=True)
        if is_new:
            with suppress(OSError):  # it is not empty
                out.rmdir()


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> DatasetFile:
    """Write a split's rows; return what the card and the manifest say of the file."""
    columns: dict[str, None] = {}
    try:
        count = write_parquet(path, _noting(rows, columns))
    except ImportError as error:
        raise ValueError(str(error)) from None
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return DatasetFile(f"data/{path.name}", count, digest, tuple(columns))


def _write_manifest(out: Path, about: Mapping[str, Any]) -> None:
    with atomic_text(out / MANIFEST) as file:
        file.write(json.dumps(about, indent=1) + "\n")


def _rows(
    env_id: str, kind: str, split: str, n: int, seed: int, steps: bool, settings: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Return the rows of a split, the first of them made: wrong arguments are an error before a file is touched."""
    if kind in ("rows", "questions"):
        unit = "question" if kind == "questions" else None
        found = questions(env_id, split, n, seed, unit=unit, **settings)
        rows: Iterator[dict[str, Any]] = (
            {**row, "images": images_of(question.pictures)} if question.vision else row for row, question in found
        )
    else:
        rows = demonstrations(env_id, cast(Kind, kind), n, seed, split, steps=steps, **settings)
    return chain([next(rows)], rows)


def _plain(env_id: str, split: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings as plain data; options of the expert are plain as they were typed."""
    env = make_env(env_id)
    of_env = {name: value for name, value in settings.items() if name in type(env).settings.model_fields}
    config = make_env(env_id, split=split, **of_env).config
    return {**settings, **plain_settings(config, of_env)}


def _noting(rows: Iterator[dict[str, Any]], columns: dict[str, None]) -> Iterator[dict[str, Any]]:
    for row in rows:
        columns.update(dict.fromkeys(row))
        yield row


def _check_folder(out: Path) -> set[Path]:
    """Return the data files of an earlier export there. Raises ValueError for a folder that holds something else."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out {shown_path(out)}: is no folder; give a new one")
    if out.is_dir():
        part_beside(out / "data")  # removes what a process that was killed left half-written
    if not out.is_dir() or not any(path.is_file() for path in out.rglob("*")):
        return set()
    manifest = out / MANIFEST
    held = read_json(manifest) if manifest.is_file() else None
    if not isinstance(held, dict) or held.get("format") != FORMAT:
        raise ValueError(f"--out {shown_path(out)}: holds other files; give a new folder, or that of an earlier export")
    return set((out / "data").glob("*.parquet"))
