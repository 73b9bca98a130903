"""Part 3: the main study's grid on one card: a study of examples/studies, as far as the time goes.

Runs of models of a million parameters are bound by launches, so several are trained and measured at once, each in a
process of its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import study
from gpu.results import Measurement, Results, Setup
from verienv.core.run_folder import read_json

REPORT_SECONDS = 60.0
"""Kept free at the end, for the report."""


def arguments_of(setup: Setup) -> study.Arguments:
    """The main study from the start that is shipped; or one run of each arm, minute."""
    kept_free = REPORT_SECONDS if setup.real else 0.0
    shared: dict[str, Any] = {
        "study": "words", "starts": ("gp-arithmetic",), "device": setup.device, "out": setup.work / "study",
        "minutes": max(1e-4, (setup.left() - kept_free) / 60),
    }  # fmt: skip
    if setup.real:
        return study.Arguments(**shared, jobs=max(1, (os.cpu_count() or 1) - 1))
    return study.Arguments(**shared, rates=(3e-4,), seeds=(0,), updates=1, episodes=4, jobs=1)


def grid(setup: Setup, out: Path) -> dict[str, Any]:
    """Run the study and copy its report; its runs, and those that are left."""
    arguments, began = arguments_of(setup), time.monotonic()
    folder = setup.work / "study"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "report.log").open("w") as log, contextlib.redirect_stdout(log), contextlib.suppress(SystemExit):
        study.main(arguments)
    seconds = time.monotonic() - began
    told: dict[str, Any] = {"runs": [], "left": ["all"]}
    if (folder / "study.json").exists():  # else no run was finished
        told = read_json(folder / "study.json")
        (out / "grid").mkdir(parents=True, exist_ok=True)
        for path in (*folder.glob("*.md"), *folder.glob("*.png"), folder / "study.json"):
            shutil.copy(path, out / "grid" / path.name)
    spent = sum(run["points"][-1]["flops"] for run in told["runs"])
    return {
        "processes": arguments.jobs, "seconds_all_runs": seconds, "flops_a_second": spent / seconds,
        "runs": [ends(run) for run in told["runs"]],
        **({"left": told["left"]} if told["left"] else {}),
    }  # fmt: skip


def ends(run: dict[str, Any]) -> dict[str, Any]:
    """Return a run's names, updates, FLOPs and CPU seconds, and by cell its success at its start and at its end."""
    first, last = run["points"][0], run["points"][-1]
    cells = {name: [at["cells"][name]["metrics"]["success"] for at in (first, last)] for name in last["cells"]}
    names = {name: run[name] for name in ("start", "arm", "rate", "seed", "cpu_seconds")}
    return {**names, "updates": last["update"], "flops": last["flops"], "success": cells}


def measurements(setup: Setup, results: Results) -> Iterator[Measurement]:
    """Yield the one that there is."""
    yield "the study's grid", partial(grid, setup, results.path.parent)
