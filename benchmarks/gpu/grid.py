"""Part 3: the main study's grid (SFT against PPO by sight, over learning rates and seeds) on one card.

Runs of one model of a million parameters are bound by launches, so several are trained and measured at once, each in a
process of its own; the study then finds them on disk, and tabulates and draws them as ever.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch

import study
from gpu.results import Measurement, Results, Setup
from verienv.core.run_folder import read_json
from verienv.policies import HuggingFacePolicy

Task = tuple[str, float, int]
"""Arm, learning rate, seed."""
REPORT_SECONDS = 60.0
KEPT = ("report.md", "study.json", "figure.png", "recognition.png")


def arguments_of(setup: Setup) -> study.Arguments:
    """The grid: the demonstration's budget a run, three rates and three seeds; or one run of each arm, minute."""
    shared: dict[str, Any] = {"out": setup.work / "study", "device": setup.device}
    if setup.real:
        return study.Arguments(
            **shared, rates=(1e-4, 3e-5, 3e-4), seeds=(0, 1, 2), episodes=100, training_cell_episodes=400, batch=1200,
            micro_batch=128,
        )  # fmt: skip
    return study.Arguments(
        **shared, rates=(1e-4,), flops=1e9, episodes=1, training_cell_episodes=2, ppo_episodes=4, ppo_minibatch=4,
        sft_batch=4, attempts=1, max_new_tokens=6,
    )  # fmt: skip


def begin(log: Path) -> None:
    """Begin a process of the pool: one thread, and what it prints into a file."""
    torch.set_num_threads(1)
    sys.stdout = sys.stderr = (log / f"process-{os.getpid()}.log").open("w", buffering=1)


def trained(task: Task, arguments: study.Arguments) -> dict[str, Any]:
    """Train a run and measure its checkpoints, as the study would; how long both took."""
    arm, rate, seed = task
    began = time.monotonic()
    run = study.train_arm(arm, rate, seed, arguments)
    between, kept = time.monotonic(), run.lines()
    loading: dict[str, Any] = {"device": arguments.device, "max_new_tokens": arguments.max_new_tokens}
    start = HuggingFacePolicy.load(arguments.model, dtype=arguments.dtype, **loading)
    for folder in run.checkpoints():
        policy = HuggingFacePolicy.load(str(folder), **loading)
        study.measure(f"{folder.parent.name}-{folder.name}", policy, start, arguments)
    return {
        "arm": arm, "rate": rate, "seed": seed, "updates": len(kept), "flops": kept[-1]["flops"],
        "training_seconds": between - began, "measuring_seconds": time.monotonic() - between,
    }  # fmt: skip


def started(_: Task, arguments: study.Arguments) -> None:
    """Measure the start, which all runs are compared with."""
    start = HuggingFacePolicy.load(
        arguments.model, dtype=arguments.dtype, device=arguments.device, max_new_tokens=arguments.max_new_tokens
    )
    study.measure("start", start, start, arguments)


def work(task: Task, arguments: study.Arguments) -> dict[str, Any] | None:
    return started(task, arguments) if task[0] == "start" else trained(task, arguments)


def grid(setup: Setup, out: Path) -> dict[str, Any]:
    """Train and measure all runs side by side until the time is nearly up, then report the seeds that are whole."""
    arguments = arguments_of(setup)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / f"evaluations-temperature{study.temperature_of(arguments):g}").mkdir(exist_ok=True)
    tasks: list[Task] = [("start", 0.0, 0)]
    tasks += [(arm, rate, seed) for seed, rate, arm in product(arguments.seeds, arguments.rates, study.ARMS)]
    processes = min(len(tasks), max(1, (os.cpu_count() or 1) - 1)) if setup.real else 1
    began, runs = time.monotonic(), list[dict[str, Any]]()
    report = REPORT_SECONDS if setup.real else 0.0
    finished = 0
    with multiprocessing.get_context("spawn").Pool(processes, begin, (arguments.out,)) as pool:
        results = pool.imap_unordered(partial(work, arguments=arguments), tasks)
        while finished < len(tasks) and setup.left() > report:
            try:
                told = results.next(timeout=max(0.0, setup.left() - report))
            except multiprocessing.TimeoutError:
                break
            finished += 1
            runs += [told] if told else []
        if finished == len(tasks):
            pool.close()
            pool.join()
    value = {
        "processes": processes, "seconds_all_runs": time.monotonic() - began, "runs": sorted(runs, key=run_key),
        "flops_a_second": sum(run["flops"] for run in runs) / (time.monotonic() - began),
    }  # fmt: skip
    done = {(run["arm"], run["rate"], run["seed"]) for run in runs}
    whole = [s for s in arguments.seeds if done >= set(product(study.ARMS, arguments.rates, (s,)))]
    if finished < len(tasks):
        value["left"] = [
            f"{arm}, rate {rate:g}, seed {seed}" for arm, rate, seed in tasks[1:] if (arm, rate, seed) not in done
        ]
    if whole:
        arguments.seeds = tuple(whole)
        with (arguments.out / "report.log").open("w") as log, contextlib.redirect_stdout(log):
            study.main(arguments)
        value["report"] = reported(arguments.out, out / "grid")
    return value


def run_key(run: dict[str, Any]) -> Any:
    return run["seed"], run["rate"], run["arm"]


def reported(folder: Path, out: Path) -> dict[str, Any]:
    """Copy the study's report and figures to where results go; by run and cell, success at its start and end."""
    out.mkdir(parents=True, exist_ok=True)
    for name in KEPT:
        if (folder / name).exists():
            shutil.copy(folder / name, out / name)
    told = read_json(folder / "study.json")
    return {
        f"{run['arm']}, rate {run['rate']:g}, seed {run['seed']}": {
            cell: [at["cells"][cell]["metrics"]["success"][0] for at in (run["points"][0], run["points"][-1])]
            for cell in run["points"][-1]["cells"]
        }
        for run in told["runs"]
    }


def measurements(setup: Setup, results: Results) -> Iterator[Measurement]:
    """Yield the one that there is."""
    yield "the study's grid", partial(grid, setup, results.path.parent)
