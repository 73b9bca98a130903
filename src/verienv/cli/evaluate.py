"""The command that evaluates a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from verienv.cli.common import full_id, import_all, note, settings_for
from verienv.cli.options import EnvId, Imports, Seed, Settings
from verienv.cli.places import JSON_LINES, check_name, check_places, paths_in
from verienv.cli.streams import check_output
from verienv.core import tasks
from verienv.core.env import VerifiedEnv
from verienv.core.files import short_name
from verienv.core.settings import files_of
from verienv.evaluation import BASELINES, Evaluation, compare, read_cells
from verienv.evaluation import evaluate as evaluate_policy
from verienv.evaluation.cells import DEFAULT_SPLITS
from verienv.evaluation.report import FORMATS


def evaluate(
    env_id: EnvId,
    model: Annotated[
        str | None, typer.Option(metavar="NAME_OR_PATH", help='A Hugging Face causal language model, or "tiny-lm".')
    ] = None,
    baseline: Annotated[str | None, typer.Option(help=f"Instead of a model: {' or '.join(BASELINES)}.")] = None,
    splits: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES|FILE.json",
            help="Splits, separated by commas; or the name of a set of cells, such as rule_by_side. `verienv envs` "
            "lists both. Or a JSON file of cells of your own: an object of names, each with its settings, which come "
            "before those of -s. By default train, test and rule_ood, as far as there are.",
        ),
    ] = None,
    episodes: Annotated[int, typer.Option(min=1, help="The number of episodes in each split.")] = 200,
    seed: Seed = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="The number of dialogues that are answered at once.")] = 64,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="The length of the longest response.")] = 256,
    temperature: Annotated[float, typer.Option(min=0.0, help="The temperature of sampling; 0 is greedy.")] = 0.0,
    device: Annotated[str, typer.Option(help="The device of the model: cpu, cuda, ..., or auto.")] = "auto",
    log: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every response with its verdict to this file, as JSON lines."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the results to this file: as JSON (.json, with every episode), Markdown (.md), CSV (.csv) or "
            "LaTeX (.tex); by gzip if .gz follows.",
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Show the paired differences to these results, saved earlier with --out."),
    ] = None,
    setting: Settings = [],  # noqa: B006
    modules: Imports = [],  # noqa: B006
) -> None:
    """Evaluate a model and print its success, split by split.

    With --log, or with --out (which keeps a log until it is done), an interrupted evaluation continues where it
    stopped when the same command is given again. One of more --episodes or --splits goes on from a --log of fewer.
    """
    if (model is None) == (baseline is None):
        raise ValueError("give either --model NAME_OR_PATH or --baseline " + "|".join(BASELINES))
    if baseline not in (None, *BASELINES):
        raise ValueError(f"--baseline {baseline}: expected {' or '.join(BASELINES)}")
    import_all(modules)
    env_id, settings = full_id(env_id), settings_for(evaluate_policy, setting)
    cells, opened = _cells(splits, env_id)
    if same := _made_equal(cells, tasks.of_env_id(env_id).environment_class(env_id), settings):
        note(f"-s {', '.join(same)}: every split has it, and none its own; for cells that differ: --splits FILE.json")
    book = log or _kept_beside(out)
    check_name("--out", out, FORMATS, may_be_packed=True)
    check_name("--log", log, JSON_LINES)
    opened |= paths_in(tasks.of_env_id(env_id).environment_class(env_id), settings) | files_of(setting)
    folder = model if model and Path(model).is_dir() else None
    check_places({"--against": against, "--model": folder, **opened}, {"--log": book, "--out": out})
    check_output(needed=not book)
    before = Evaluation.load(against) if against else None
    policy: Any = baseline
    name = baseline or str(model)
    if model is not None:
        from verienv.adapters.transformers import load_policy

        policy = load_policy(
            model,
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            batch_size=batch_size,
            device=device,
            seed=seed,
        )
        name += f", at most {max_new_tokens} new tokens" + (f", temperature {temperature:g}" if temperature else "")
    if book and book.is_file():
        note(f"going on with {book}")
    try:
        result = evaluate_policy(policy, env_id, cells, episodes, seed, batch_size, log=book, name=name, **settings)
    except KeyboardInterrupt as error:
        kept = f"finished episodes are in {book}: the same command goes on" if book else "nothing was kept: use --log"
        error.add_note(kept)
        raise
    if out:
        result.save(out)
        if book and not log:
            book.unlink(missing_ok=True)
    print(result)  # last, so that a reader that has had enough costs no file
    if before:
        print(f"\nDifferences to {against}, in percentage points:\n{compare(before, result)}")


def _cells(splits: str | None, env_id: str) -> tuple[Any, dict[str, str]]:
    """Return the cells that ``--splits`` means, and the files that they are read from, by what names each."""
    task = tasks.of_env_id(env_id)
    if splits is None or splits in task.tables:
        return task.tables.get(splits or ""), {}
    if not splits.lower().endswith(".json"):
        return [split for split in splits.split(",") if split], {}
    cells, kind = read_cells(splits), task.environment_class(env_id)
    opened = {"--splits": splits}
    for name, own in cells.items():
        opened |= {f"cell {name!r}, {option}": path for option, path in paths_in(kind, own).items()}
    return cells, opened


def _made_equal(cells: Any, kind: type[VerifiedEnv], settings: dict[str, Any]) -> list[str]:
    """Return those settings in which the named splits would differ, were they not given for all of them."""
    if isinstance(cells, Mapping):  # their own settings come first
        return []
    known = [kind.settings.splits[split] for split in cells or DEFAULT_SPLITS if split in kind.settings.splits]
    return [name for name in settings if any(own.get(name) != known[0].get(name) for own in known)]


def _kept_beside(out: Path | None) -> Path | None:
    """Return the path of the log that is kept until ``out`` is written; None beside a device."""
    if out is None or (out.exists() and not out.is_file()):
        return None
    return out.with_name(f"{short_name(out.name)}.log.jsonl")
