"""Commands about benchmarks: play one as `evaluate --benchmark` asks, and check a results file."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from verienv.cli.common import note
from verienv.cli.places import check_name, check_places
from verienv.cli.streams import check_output
from verienv.core.files import short_name
from verienv.core.make import full_id
from verienv.core.provenance import provenance
from verienv.core.shown import shown, shown_path
from verienv.evaluation import evaluate
from verienv.evaluation.benchmark import (
    BenchmarkResults,
    PlayedPolicy,
    check_questions,
    load_benchmark,
    read_results,
    results_table,
)
from verienv.evaluation.benchmark import check_results as check_file
from verienv.policies.by_name import SERVER

ENDINGS = (".json",)
VERSIONS = ("verienv", "numpy", "gymnasium", "pillow", "torch", "transformers", "python")


def play_benchmark(
    name: str,
    env_id: str | None,
    out: Path | None,
    policy: Callable[[float], Any],
    about: Mapping[str, Any],
    given: Mapping[str, Any],
    batch_size: int,
) -> None:
    """Play a benchmark, or the part of it in one environment, and write its results file.

    Args:
        name: the benchmark.
        env_id: an environment, None for all.
        out: the results file. Beside it lies a log of each part until it is written.
        policy: makes the policy that samples at a temperature: a baseline's name, or a policy.
        about: the fields of ``PlayedPolicy``, temperature aside.
        given: options that the benchmark fixes itself, each with its value.
        batch_size: dialogues answered at once.
    """
    for option, value in given.items():
        if value:
            raise ValueError(f"{option}: benchmark {name} says what is asked and how; leave it out")
    benchmark = load_benchmark(name)
    wanted = list(benchmark.parts) if env_id is None else [full_id(env_id)]
    if out is None:
        raise ValueError("--benchmark writes a results file: give --out FILE.json, or FILE.json.gz")
    check_name("--out", out, ENDINGS, may_be_packed=True)
    logs = {part: _log_beside(out, part) for part in wanted}
    check_places({}, {"--out": out, **{f"log of {part}": path for part, path in logs.items()}})
    for part in wanted:
        benchmark.part(part)
        check_questions(name, part)
    temperature = None if about["kind"] == "baseline" else benchmark.temperature
    played = _policy(about, temperature)
    asked = policy(benchmark.temperature)
    found, evaluations = {}, []
    for part in wanted:
        if logs[part].is_file():
            note(f"going on with {logs[part]}")
        result = evaluate(
            asked, part, benchmark.cells(part), batch_size=batch_size, log=logs[part], name=_policy_name(played)
        )
        found[part] = logs[part], result.cells
        evaluations.append(result)
    command = (
        f"verienv evaluate --benchmark {name}" if env_id is None else f"verienv evaluate {env_id} --benchmark {name}"
    )
    command += f" --{'baseline' if played.kind == 'baseline' else 'model'} {played.name}"
    command += f" --max-new-tokens {played.max_new_tokens}" if played.max_new_tokens else ""
    about_run = _about_this_run(asked)
    BenchmarkResults.of(name, played, found, command=command, **about_run).save(out)
    for path in logs.values():
        path.unlink(missing_ok=True)
    print("\n\n".join(map(str, evaluations)))


def check_results(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Results files of `evaluate --benchmark`.")],
    table: Annotated[bool, typer.Option("--table", help="Print the table of all the files, as Markdown.")] = False,
) -> None:
    """Check results files: deal every instance again, judge every response again, estimate every cell again.

    What is wrong is named on stderr, and the exit status is then 1. Who wrote the responses cannot be checked.
    """
    check_output(needed=True)
    held, is_wrong = [], False
    for path in files:
        results = read_results(path)
        checked = check_file(results)
        for fault in checked.faults:
            note(f"{shown_path(path)}: {fault}")
        if checked.faults:
            is_wrong = True
            continue
        held.append(results)
        episodes = sum(len(cell.episodes) for part in results.parts.values() for cell in part.values())
        print(
            f"{shown_path(path)}: benchmark {results.benchmark}, {results.policy.name}, {episodes} episodes of "
            f"{', '.join(results.parts)}: all as it says"
        )
    if table and held:
        print(f"\n{results_table(held)}")
    if is_wrong:
        raise typer.Exit(1)


def policy_fields(baseline: str | None, model: str | None, max_new_tokens: int) -> dict[str, Any]:
    """Return the fields of ``PlayedPolicy``, temperature aside; a folder is known by its own name alone."""
    if baseline is not None:
        return {"name": baseline, "kind": "baseline"}
    told = Path(str(model)).name if Path(str(model)).is_dir() else str(model)
    return {"name": told, "kind": "server" if told.startswith(SERVER) else "model", "max_new_tokens": max_new_tokens}


def _policy(about: Mapping[str, Any], temperature: float | None) -> PlayedPolicy:
    """Return the policy's description. Raises ValueError for a name that is no plain one."""
    try:
        return PlayedPolicy(**about, temperature=temperature)
    except ValidationError:
        raise ValueError(
            f"policy name {shown(about['name'])}: a results file holds plain names alone, of at most 120 letters, "
            "digits and . _ : / + @ , = -; rename the model's folder"
        ) from None


def _policy_name(played: PlayedPolicy) -> str:
    length = f", at most {played.max_new_tokens} new tokens" if played.max_new_tokens else ""
    return played.name + length


def _about_this_run(policy: Any) -> dict[str, Any]:
    """Return commit, hardware and versions, as plain words."""
    found = provenance(Path(__file__).parent, tuple(name for name in VERSIONS if name != "python"))
    commit = str(found["revision"])
    commit += ", with changes" if found["uncommitted_changes"] is True else ""
    device = str(getattr(policy, "device", "") or "cpu").partition(":")[0]
    hardware = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, {device}"
    versions = {name: version for name, version in found["versions"].items() if version != "missing"}
    return {"commit": commit, "hardware": hardware, "versions": versions}


def _log_beside(out: Path, env_id: str) -> Path:
    return out.with_name(f"{short_name(out.name)}.{env_id.rpartition('/')[2]}.log.jsonl")
