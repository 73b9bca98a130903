"""SFT against RL: a study from a file, run, measured and told.

    python examples/study.py demo
    python examples/study.py words --starts runs/starts/gp-arithmetic-* --jobs 2
    python examples/study.py words --rates 3e-4 --seeds 0 --out runs/look
    python examples/study.py claims/kim-small --device cuda
    python examples/study.py my_study.toml

``examples/studies/`` holds the studies of this project, and study_plan.py says how one is written. Interrupted, the
same command goes on where it stopped. Results: <out>/report.md, its figures, and study.json, from which ``--redraw``
makes the others. Copied into a new <out>, a study.json is gone on from: its runs are not done again, where the starts
have the weights that they had.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Annotated, Any

import tyro

from command_line import Bounds, Count, OrGreedy, Rate, Seed, Size, Stop, check, kind_endings
from study_files import read_study
from study_held import take_over
from study_plan import PlayedCell, Study, jobs_of
from study_report import write_report
from study_runs import Place, run_all, threads_for
from verienv.core.provenance import provenance
from verienv.core.run_folder import hold, read_json, write_json
from verienv.policies.hugging_face.loading import machine, usable_device

Jobs = Annotated[int, Bounds(1, 256)]
Minutes = Annotated[float, Bounds(1e-4, 1e6)]


@dataclass
class Arguments:
    study: tyro.conf.Positional[str] = "demo"
    """A study by its name, as in examples/studies/, or a TOML file."""
    out: Path | None = None
    """Folder of runs, evaluations and the report; by default runs/ and the study's name."""
    starts: tuple[str, ...] | None = None
    """Starts in place of the study's: checkpoints by name or path."""
    arms: tuple[str, ...] | None = None
    """Some of the study's arms, in place of all."""
    rates: tuple[Rate, ...] | None = None
    """Learning rates in place of the study's, in all arms."""
    seeds: tuple[Seed, ...] | None = None
    """Seeds of training in place of the study's."""
    updates: Count | None = None
    """Updates of every run, in place of the study's: few, to see that all works."""
    episodes: Size | None = None
    """Episodes in every cell, in place of the study's."""
    temperature: OrGreedy | None = None
    """Temperature of the evaluations in place of the study's; 0 is greedy. What was trained is not trained again."""
    minutes: Minutes | None = None
    """Break off after so many minutes, and tell of the runs that are done; the same command goes on."""
    jobs: Jobs | None = None
    """Runs side by side, each in a process of its own; by default as many as there are CPUs, on a GPU one."""
    device: str = "auto"
    """cpu, cuda, cuda:1, ...; auto takes a GPU if there is one."""
    redraw: bool = False
    """Only write report and figures again, from study.json."""


def chosen(arguments: Arguments) -> Study:
    """Return the study with what the command line changes of it."""
    fields = ("starts", "rates", "seeds", "episodes", "temperature")
    changed = {name: value for name in fields if (value := getattr(arguments, name)) is not None}
    study = read_study(arguments.study, **changed)
    names = arguments.arms or tuple(study.arms)
    for name in names:
        if name not in study.arms:
            raise ValueError(f"--arms {name}: expected arms of the study: {', '.join(study.arms)}")
        if (after := study.arms[name].after) not in ("", *names):
            raise ValueError(f"--arms {name}: it goes on from {after}; name that too")
    arms = {name: study.arms[name] for name in names}
    if arguments.rates:
        arms = {name: arm.model_copy(update={"rates": ()}) for name, arm in arms.items()}
    if arguments.updates:
        few = arguments.updates
        own = {name: {"options": {**arm.options, "updates": few}, "at": min(arm.at, few)} for name, arm in arms.items()}
        arms = {name: arm.model_copy(update=own[name]) for name, arm in arms.items()}
    cells = {name: shortened(cell, arguments.episodes) for name, cell in study.cells.items()}
    contrast = study.contrast if set(study.contrast or ()) <= set(names) else None
    return study.model_copy(update={"arms": arms, "cells": cells, "contrast": contrast})


def shortened(cell: PlayedCell, episodes: int | None) -> PlayedCell:
    """Return a cell with so many episodes; None leaves it as it is."""
    if episodes is None:
        return cell
    instances = cell.settings.get("instances")
    return cell.model_copy(update={"episodes": None, **({"instances": instances[:episodes]} if instances else {})})


def taken_over(study: Study, place: Place, path: Path) -> int:
    """Take the runs of a study.json over whose folders are not here; return how many."""
    try:
        return take_over(study, place, read_json(path)) if path.exists() else 0
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise Stop(f"{path} is damaged ({error!r}); move it away, and what runs/ holds is read anew") from None


def main(arguments: Arguments) -> None:
    path = file_of(arguments)
    if not arguments.redraw:
        begin(arguments, path.parent)
        run(arguments, chosen(arguments), path)
    tell(path, write_report)


def file_of(arguments: Arguments) -> Path:
    """Return the file of a study's results: one of its own for each temperature that the command line names."""
    out, warm = arguments.out or Path("runs") / Path(arguments.study).stem, arguments.temperature
    return out / ("study.json" if warm is None else f"study-temperature{warm:g}.json")


def begin(arguments: Arguments, out: Path) -> None:
    """Find the arguments in order, and have the folder for this process alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ValueError(
            "study.py starts its own processes (--jobs), but a launcher started several: start it with python"
        )
    check(arguments)
    usable_device(arguments.device)
    hold(out)


def run(arguments: Arguments, study: Study, path: Path, more: Callable[[Study], dict[str, Any]] | None = None) -> None:
    """Do what is not done of a study, and write its study.json, with what ``more`` finds when all is done."""
    device = usable_device(arguments.device)
    at_once = arguments.jobs or ((os.cpu_count() or 1) if device == "cpu" else 1)
    place = Place(path.parent, device, study.temperature, threads_for(at_once))
    taken = taken_over(study, place, path)
    told = f", {taken} of them from {path}" if taken else ""
    print(f"{study.title}: {len(list(jobs_of(study)))} runs{told}, {len(study.starts)} start(s), {at_once} at once")
    found = run_all(study, place, at_once, 60 * (arguments.minutes or inf))
    described = {"study": study.model_dump(mode="json"), **provenance(Path(__file__).parent), **machine()}
    write_json(path, {**described, **found, **(more(study) if more else {})})


def tell(path: Path, report: Callable[[dict[str, Any], Path, str], str]) -> None:
    """Write and print the report of a study.json."""
    try:
        text = report(read_json(path), path.parent, path.name)
    except (KeyError, TypeError, AttributeError, IndexError) as error:  # what JSON can be without being a study
        raise Stop(f"{path} is damaged ({error!r}); the study without --redraw writes it anew") from None
    print(text)
    print(f"\n{path.with_name(path.stem.replace('study', 'report', 1) + '.md')}  {path}")


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with kind_endings(given.out or Path("runs") / Path(given.study).stem):
        main(given)
