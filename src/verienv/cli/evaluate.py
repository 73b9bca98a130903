"""The command that evaluates a model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from verienv.cli.benchmark import play_benchmark, policy_fields
from verienv.cli.common import import_all, note, settings_for
from verienv.cli.models import BaseUrl, Device, Dtype, Model, TopP, enough_memory, model_policy
from verienv.cli.options import EnvIdOrAll, Imports, Seed, Settings
from verienv.cli.places import JSON_LINES, check_name, check_places, paths_in
from verienv.cli.streams import check_output
from verienv.core import tasks
from verienv.core.env import VerifiedEnv
from verienv.core.files import short_name
from verienv.core.make import full_id
from verienv.core.rows import read
from verienv.core.settings import files_of
from verienv.core.shown import cut, shown_path
from verienv.core.table_file import read_table
from verienv.evaluation import BASELINES, Evaluation, compare, read_cells
from verienv.evaluation import evaluate as evaluate_policy
from verienv.evaluation.benchmark import BENCHMARKS
from verienv.evaluation.cells import DEFAULT_SPLITS, make_cells
from verienv.evaluation.report import FORMATS
from verienv.policies.by_name import SERVER


def evaluate(
    env_id: EnvIdOrAll = None,
    model: Model = None,
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
    rows: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl",
            help="In place of splits: ask each row of a file, such as `verienv convert` writes, as a question.",
        ),
    ] = None,
    benchmark: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(BENCHMARKS),
            help="In place of splits and settings: play this benchmark, in ENV_ID or, without one, in each of its "
            "environments, greedily, and write a results file to --out (.json or .json.gz); then `check-results`.",
        ),
    ] = None,
    episodes: Annotated[
        int | None, typer.Option(min=1, help="The number of episodes in each split, by default 200.")
    ] = None,
    seed: Seed = 0,
    attempts: Annotated[
        int | None, typer.Option(min=1, help="Responses allowed to one question, as -s attempts=...")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="The dialogues answered at once; but see --concurrency.")] = 64,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="The length of the longest response.")] = 256,
    temperature: Annotated[
        float | None, typer.Option(min=0.0, help="The temperature of sampling; 0, the default, is greedy.")
    ] = None,
    top_p: TopP = None,
    generation_config: Annotated[
        bool, typer.Option("--generation-config", help="Sample as the model's generation_config.json says.")
    ] = False,
    device: Device = None,
    dtype: Dtype = None,
    base_url: BaseUrl = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="With openai:NAME: requests under way at once, by default 8.")
    ] = None,
    prices: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="PROMPT RESPONSE",
            help="With openai:NAME: US dollars for a million tokens of prompts and of responses; the cost is printed.",
        ),
    ] = None,
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
    A model behind a server is asked about each episode by itself, and each is in the log as it ends: nothing that the
    log holds is paid for again.
    """
    if (model is None) == (baseline is None):
        raise ValueError("give either --model NAME_OR_PATH or --baseline " + "|".join(BASELINES))
    if baseline not in (None, *BASELINES):
        raise ValueError(f"--baseline {baseline}: expected {' or '.join(BASELINES)}")
    if generation_config and (temperature is not None or top_p is not None):
        raise ValueError(
            "--generation-config: the model's file says how to sample; leave out --temperature and --top-p"
        )
    if top_p is not None and not temperature:
        raise ValueError("--top-p is about sampling: give a --temperature above 0 with it")
    demand_one_process()
    import_all(modules)
    where: dict[str, Any] = {
        "here": {
            "batch_size": None if str(model).startswith(SERVER) else batch_size,
            "generation_config": generation_config or None,
            "device": device,
            "dtype": dtype,
        },
        "server": {"base_url": base_url, "concurrency": concurrency, "prices": prices},
    }
    if benchmark is not None:
        fixed = {"--splits": splits, "--rows": rows, "--episodes": episodes, "--seed": seed, "--attempts": attempts,
            "--temperature": temperature, "--top-p": top_p, "--generation-config": generation_config, "--log": log,
            "--against": against, "-s": setting}  # fmt: skip

        def made(temperature: float) -> Any:
            return baseline or model_policy(str(model), max_new_tokens=max_new_tokens, temperature=temperature, **where)

        about = policy_fields(baseline, model, max_new_tokens)
        with enough_memory():
            play_benchmark(benchmark, env_id, out, made, about, fixed, batch_size)
        return
    if env_id is None:
        raise ValueError("give ENV_ID, as `verienv envs` lists them, or --benchmark " + "|".join(BENCHMARKS))
    episodes = episodes or 200
    env_id, settings = full_id(env_id), settings_for(evaluate_policy, setting)
    if attempts is not None:
        if "attempts" in settings:
            raise ValueError("--attempts and -s attempts=...: give one of them")
        settings["attempts"] = attempts
    if rows and splits:
        raise ValueError("--rows and --splits: give one of them")
    cells, opened = _rows(rows) if rows else _cells(splits, env_id, settings)
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
        make_cells(cells, env_id, episodes, seed, settings)  # what is wrong with them is told before a model is loaded
        policy = model_policy(
            model,
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            top_p=top_p,
            **where,
        )
        name += f", at most {max_new_tokens} new tokens"
        name += f", temperature {temperature:g}" if temperature else ""
        name += f", top-p {top_p:g}" if top_p not in (None, 1) else ""
        name += f", {policy.sampling} by its generation_config.json" if generation_config else ""
    if book and book.is_file():
        note(f"going on with {book}")
    kept = f"finished episodes are in {book}: the same command goes on" if book else "nothing was kept: use --log"
    try:
        with _dropping_empty(book), enough_memory():
            result = evaluate_policy(policy, env_id, cells, episodes, seed, batch_size, log=book, name=name, **settings)
    except KeyboardInterrupt as error:
        error.add_note(kept)
        raise
    except ConnectionError as error:  # of a server: it may be there again
        raise ConnectionError(f"{error}; {kept}" if book and book.is_file() else str(error)) from None
    finally:
        usage = getattr(policy, "usage", None)
        if usage and usage.requests:
            note(f"used by this command: {usage}")
    if out:
        result.save(out)
        if book and not log:
            book.unlink(missing_ok=True)
    print(result)  # last, so that a reader that has had enough costs no file
    if before:
        print(f"\nDifferences to {against}, in percentage points:\n{compare(before, result)}")


def demand_one_process() -> None:
    """Raise ValueError where a launcher of several processes started this one, each of which would play it all."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ValueError(
            "verienv evaluate is one process, but a launcher started several (WORLD_SIZE); start it by itself, and "
            "evaluate other checkpoints on the other devices (--device cuda:1)"
        )


@contextmanager
def _dropping_empty(book: Path | None) -> Iterator[None]:
    """Delete the log if an error comes before its first episode: it would refuse the corrected command."""
    was_there = book is not None and book.is_file()
    try:
        yield
    except Exception:
        if book is not None and not was_there and book.is_file():
            with book.open("rb") as file:
                is_empty = len(list(islice(file, 2))) < 2
            if is_empty:
                book.unlink()
        raise


def _cells(splits: str | None, env_id: str, settings: dict[str, Any]) -> tuple[Any, dict[str, str]]:
    """Return the cells that ``--splits`` means, and the files that they are read from, by what names each.

    Raises:
        ValueError: for a setting that a named set of cells is about: its cells would not be what they are called.
    """
    task = tasks.of_env_id(env_id)
    if splits is None:
        return None, {}
    if splits in task.tables:
        known = task.environment_class(env_id).settings.splits
        for cell, own in task.tables[splits].items():
            if fixed := {**known.get(own.get("split", ""), {}), **own}.keys() & settings.keys():
                raise ValueError(
                    f"-s {min(fixed)}=...: {splits} is about it (its cell {cell!r} fixes {min(fixed)}); for cells of "
                    "your own: --splits FILE.json"
                )
        return task.tables[splits], {}
    if not splits.lower().endswith(".json"):
        return [split for split in splits.split(",") if split], {}
    cells, kind = read_cells(splits), task.environment_class(env_id)
    opened = {"--splits": splits}
    for name, own in cells.items():
        opened |= {f"cell {name!r}, {option}": path for option, path in paths_in(kind, own).items()}
    return cells, opened


def _rows(path: Path) -> tuple[Any, dict[str, str]]:
    """Return the cell of the rows of a file, and that file. Raises ValueError that names the row that is none."""
    found = []
    for number, row in read_table(path):
        try:
            if isinstance(row, ValueError):
                raise row
            read(row)
        except ValueError as error:
            raise ValueError(f"{shown_path(path)}, row {number}: {cut(error)}") from None
        found.append(row)
    if not found:
        raise ValueError(f"{shown_path(path)}: holds no rows")
    return {path.stem: {"rows": found}}, {"--rows": str(path)}


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
