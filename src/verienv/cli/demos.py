"""The command that writes demonstrations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from verienv.adapters.chat import messages_row
from verienv.adapters.hub import parquet_file
from verienv.adapters.sharegpt import conversation
from verienv.adapters.verl import sft_row, write_parquet
from verienv.cli.common import STDOUT, note, settings_for
from verienv.cli.models import BaseUrl, Device, Dtype, Model, enough_memory, model_policy
from verienv.cli.options import EnvId, Seed, Settings, Split
from verienv.cli.pictures import folder_for, writing_rows
from verienv.cli.places import JSON_LINES, check_name, check_places, paths_in
from verienv.cli.streams import check_output
from verienv.core import tasks
from verienv.core.dialogue import Message
from verienv.core.files import atomic_text
from verienv.core.make import full_id
from verienv.core.policy import Policy
from verienv.core.settings import files_of
from verienv.core.version import __version__
from verienv.demos import CORRECT, Demonstrations, InVainError, Kind, demonstrations

FORMATS = {
    "trl": JSON_LINES,
    "messages": JSON_LINES,
    "sharegpt": ("", ".json"),
    "verl": (".parquet",),
    "parquet": (".parquet",),
}
"""The forms of files, with the endings of their names."""

PARQUET = {"verl": "datasets", "parquet": "pyarrow"}
"""The forms that are parquet, each with the package that writes it."""


def demos(
    env_id: EnvId,
    kind: Annotated[str, typer.Option(help="The kind of rows: sft, revision or preference.")] = "sft",
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="The number of rows.")] = 1000,
    seed: Seed = 0,
    split: Split = "train",
    steps: Annotated[
        bool, typer.Option("--steps", help="Write the derivation before the answer; -s think_first=true asks for it.")
    ] = False,
    wrong_attempts: Annotated[
        int, typer.Option(min=1, help="For revision: the greatest number of wrong attempts before the right one.")
    ] = 1,
    model: Model = None,
    samples: Annotated[int, typer.Option(min=1, help="With --model: the number of responses to a question.")] = 1,
    keep: Annotated[
        str,
        typer.Option(help="With --model: correct for each correct response, first for one a question, or all."),
    ] = "correct",
    temperature: Annotated[float, typer.Option(min=0.0, help="With --model: the temperature of sampling.")] = 1.0,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="With --model: the length of the longest response.")] = 256,
    batch_size: Annotated[int, typer.Option(min=1, help="With --model: dialogues answered at once.")] = 64,
    patience: Annotated[
        int, typer.Option(min=1, help="With --model: responses without a correct one after which to give up.")
    ] = 2000,
    device: Device = None,
    dtype: Dtype = None,
    base_url: BaseUrl = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            help="trl: JSON lines of prompt and completion. messages: JSON lines of whole dialogues. sharegpt: a JSON "
            "array of conversations. verl: parquet for its SFT trainer. parquet: for a hub of data sets.",
        ),
    ] = "trl",
    out: Annotated[
        str, typer.Option(metavar="FILE", help='The file to write, by gzip if it ends in .gz; "-" is stdout.')
    ] = "-",
    manifest: Annotated[
        Path | None,
        typer.Option(metavar="FILE.json", help="Write to this file what the rows are: settings, seed, count, SHA-256."),
    ] = None,
    setting: Settings = [],  # noqa: B006
) -> None:
    """Write demonstrations as files that trainers read.

    A setting (-s) may also be an option of the task's expert: in GeneralPoints -s solution=random draws from all
    solutions of a hand, and -s equation=true writes the target after the formula.

    Where the task has pictures, they are written to a folder beside the file, demos_images for demos.jsonl, and
    "images" in each row holds their paths relative to the file; parquet holds them itself.
    """
    env_id, settings = full_id(env_id), settings_for(demonstrations, setting)
    _check_out(form, out, kind)
    check_name("--manifest", manifest, (".json",))
    if manifest and out in STDOUT:
        raise ValueError("--manifest: it holds the hash of the file; give --out FILE")
    opened = paths_in(tasks.of_env_id(env_id).environment_class(env_id), settings)
    check_places({**opened, **files_of(setting)}, {"--out": out, "--manifest": manifest})
    check_output(needed=out in STDOUT)
    wanted = cast(Kind, kind)  # demonstrations() checks it
    how: dict[str, Any] = {"steps": steps, "wrong_attempts": wrong_attempts, "samples": samples, "keep": keep}
    sampling = {"temperature": temperature, "max_new_tokens": max_new_tokens, "batch_size": batch_size}
    where = {"here": {"device": device, "dtype": dtype}, "server": {"base_url": base_url}, "seed": seed}
    rows = demonstrations(
        env_id, wanted, n, seed, split, **how, batch_size=batch_size, patience=patience, **settings,
        teacher=_teacher(model, **sampling, **where) if model else None,
    )  # fmt: skip
    first = _next(rows)  # wrong arguments are an error before the file is touched
    assert first is not None  # noqa: S101 - there is at least one
    with_images = "images" in first and form not in PARQUET
    with _writing(form, out, with_images) as write:
        for row in chain([first], iter(lambda: _next(rows), None)):
            write(row)
    if manifest:
        about = {
            "verienv": __version__, "env_id": env_id, "split": split, "kind": kind, "seed": seed, "rows": n,
            "steps": steps, "wrong_attempts": wrong_attempts, "settings": settings,
            **({"model": model, **sampling, "samples": samples, "keep": keep, "tally": rows.tally} if model else {}),
            "format": form, "file": Path(out).name, "sha256": sha256(Path(out).read_bytes()).hexdigest(),
        }  # fmt: skip
        with atomic_text(manifest) as file:
            file.write(json.dumps(about, indent=1) + "\n")
    if out not in STDOUT:
        note(
            f"{n} row{'s' * (n > 1)} in {out}"
            + (f", their pictures in {folder_for(out)}" if with_images else "")
            + _told(rows.tally)
        )


def _teacher(model: str, **how: Any) -> Policy:
    """Return a model as a policy, loaded when it is first asked: wrong arguments are told sooner."""

    @cache
    def loaded() -> Policy:
        return model_policy(model, **how)

    def answer(dialogues: list[list[Message]]) -> Sequence[str]:
        with enough_memory():
            return loaded()(dialogues)

    return answer


def _next(rows: Demonstrations) -> dict[str, Any] | None:
    """Return the next row, None after the last. Raises ValueError where a model earns nothing for too long."""
    try:
        return next(rows, None)
    except InVainError as error:
        raise ValueError(str(error)) from None


def _told(tally: Mapping[str, int]) -> str:
    """Return what became of a model's responses, "" where there is no model."""
    whole = sum(tally.values())
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(tally.items(), key=lambda item: -item[1]))
    return f"; of {whole:,} responses {100 * tally.get(CORRECT, 0) / whole:.1f}% correct ({counts})" if whole else ""


def _check_out(form: str, out: str, kind: str) -> None:
    """Raise ValueError for a form that there is not, or that the file or the kind does not fit."""
    if form not in FORMATS:
        raise ValueError(f"--format {form}: expected one of {', '.join(FORMATS)}")
    packable = form not in PARQUET
    check_name("--out", out, FORMATS[form], may_be_packed=packable, may_be_stdout=packable)
    if form == "verl" and kind != "sft":
        raise ValueError(f"--format verl: expected --kind sft, since verl trains on every turn of a row, not {kind}")
    if form == "messages" and kind == "preference":
        raise ValueError("--format messages: a preference is two dialogues; expected --kind sft or revision")
    if form in PARQUET and find_spec(PARQUET[form]) is None:
        needed = PARQUET[form]
        raise ValueError(f"--format {form} writes parquet with the package {needed}: pip install {needed}")


@contextmanager
def _writing(form: str, out: str, with_images: bool) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yield a function that writes a row to ``out`` in a form; the file appears when all are written."""
    if form == "verl":
        rows = list[dict[str, Any]]()
        yield lambda row: rows.append(sft_row(row))
        write_parquet(out, rows)
        return
    if form == "parquet":
        with parquet_file(out) as write:
            yield write
        return
    shaped = {"sharegpt": conversation, "messages": messages_row}.get(form, dict)
    with writing_rows(out, with_images, as_list=form == "sharegpt") as write:
        yield lambda row: write(shaped(row))
