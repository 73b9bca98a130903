"""The runs of a study: each trained, and each of its checkpoints played in every cell; several side by side.

<out>/runs/<run>/             the training run, and points.json, what its checkpoints did, when all is measured
<out>/evaluations/<run>/      the logs of its evaluations, a file a checkpoint and seed of a cell
<out>/starts/<start>.json     what a start did
<out>/stages/<start>/         what its arms are made of beside it (study_stages.py)

Whatever is there already is not done again. A run lives in a process of its own, with its share of the threads.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import replace
from math import inf, log
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from asking import BestOf
from command_line import Stop
from scoring import Scorer
from study_exploring import best_of, explored, truth
from study_measures import Place, cells_of, divergences, loaded, losses, played, records, weights_of
from study_plan import Job, Study, arguments_of, before, jobs_of, script_of, start_name
from study_stages import apart, demand_same, make_stage, needed, record_of, told_in
from verienv.core.policy import Policy
from verienv.core.run_folder import RunFolder, name_of, numbers_in, read_json, update_of, write_json


def run_all(study: Study, place: Place, at_once: int, seconds: float = inf) -> dict[str, Any]:
    """Do every run that is not done yet, so many at once; return the items, runs and what is left of study.json.

    After so many ``seconds`` it breaks off: what was begun goes on when it is called again. Raises Stop where a run
    cannot be done, with what it told.
    """
    end = time.monotonic() + seconds
    starts = {start: place.out / "starts" / start_name(start) / place.measured for start in study.starts}
    jobs = list(jobs_of(study))
    for start, path in starts.items():
        known = read_json(path).get("weights") if path.exists() else None
        if known is not None and known != weights_of(start):
            raise Stop(
                f"{start} has other weights than when {place.out} was begun; put them back, or choose another --out"
            )
    tasks: dict[Any, tuple[Any, ...]] = {
        start: (measure_start, study, place, start) for start, path in starts.items() if not path.exists()
    }
    demand_same(study, place.out)
    stages = {(start, name): stage for start in study.starts for name, stage in needed(study).items()}
    for start, name in stages:
        if not record_of(place.out, start, name).exists():
            tasks[start, name] = (stage_made, study, place, start, name)
    tasks |= {job: (do, study, place, job) for job in jobs if not place.points(job).exists()}
    needs: dict[Any, list[Any]] = {
        job: [job.start, before(study, job), *((job.start, name) for name in study.arms[job.arm].needs)] for job in jobs
    }
    needs |= {(start, name): [(start, each) for each in stage.needs] for (start, name), stage in stages.items()}
    needs = {name: [need for need in these if need in tasks] for name, these in needs.items()}
    total = len(starts) + len(stages) + len(jobs)
    bar = tqdm(total=total, initial=total - len(tasks), unit="run")
    with bar, suppress(TimeoutError), workers(min(at_once, len(tasks)), place.threads) as submit:
        in_order(tasks, needs, submit, bar, at_once, end)
    found = {start: read_json(path) for start, path in starts.items() if path.exists()}
    weights = {start_name(start): one.get("weights", "") for start, one in found.items()}
    runs = []
    for job in (job for job in jobs if place.points(job).exists() and job.start in found):
        own = {"arm": job.arm, "rate": job.rate, "seed": job.seed, "start": start_name(job.start)}
        done = read_json(place.points(job))
        runs.append({**own, **done, "points": [found[job.start]["point"], *done["points"]]})
    if not runs:
        raise Stop(f"no run was finished within {seconds:.0f} seconds; the same command goes on")
    left = [job.name for job in jobs if not place.points(job).exists()]
    made: dict[str, Any] = {}
    for start, name in stages:
        if (path := record_of(place.out, start, name)).exists():
            made.setdefault(start_name(start), {})[name] = read_json(path)
    return {
        "items": next(iter(found.values()))["items"],
        "runs": runs,
        "left": left,
        "stages": made,
        "weights": weights,
    }


def in_order(
    tasks: dict[Any, tuple[Any, ...]],
    needs: Mapping[Any, Sequence[Any]],
    submit: Callable[..., Future[str]],
    bar: Any,
    at_once: int,
    end: float = inf,
) -> None:
    """Do tasks, each after those of them that it needs, so many at once.

    Raises:
        Stop: one failed; it says how.
        TimeoutError: it was not done at ``end``, by the monotonic clock.
    """
    waiting, running, done = dict(tasks), dict[Future[str], Any](), set[Any]()
    while waiting or running:
        if time.monotonic() > end:
            raise TimeoutError
        ready = [name for name in waiting if all(need in done for need in needs.get(name, ()))]
        for name in ready[: at_once - len(running)]:
            running[submit(*waiting.pop(name))] = name
        limit = None if end == inf else max(0.0, end - time.monotonic())
        for future in wait(running, limit, FIRST_COMPLETED).done:
            if fault := future.result():
                raise Stop(fault)
            done.add(running.pop(future))
            bar.update()


@contextmanager
def workers(count: int, threads: int) -> Iterator[Callable[..., Future[str]]]:
    """Processes that call functions side by side; one alone is this process. They end with it, whatever they do."""
    if count < 2:
        yield here
        return
    pool = ProcessPoolExecutor(count, get_context("spawn"), initializer=begin, initargs=(threads,))
    try:
        yield pool.submit
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()  # what a run had saved stays, and it goes on from there
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def here(function: Callable[..., str], *given: Any) -> Future[str]:
    """Call a function in this process, as a pool's ``submit`` calls it in another."""
    future = Future[str]()
    future.set_result(function(*given))
    return future


def begin(threads: int) -> None:
    """Begin a process of a study's runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)


def ending(task: Callable[[], None], told: Path) -> str:
    """Do a task in a process of its own; return its fault in one line, "" for none."""
    try:
        with told_in(told):
            task()
    except (Exception, SystemExit) as error:
        text = str(error) if not isinstance(error, SystemExit) else (told.read_text().strip().splitlines() or ["?"])[-1]
        return f"{text.removeprefix('error: ')} (its output: {told})"
    return ""


def measure_start(study: Study, place: Place, start: str) -> str:
    """Play every cell with a start; write its point, and the cluster of every item."""
    folder = place.out / "starts" / start_name(start)

    def task() -> None:
        policy = loaded(study, place, start)
        evaluations = played(study, place, policy, folder.name, "start")
        point = {"update": 0, "flops": 0.0, "kl": {}, "cells": cells_of(study, evaluations)}
        point |= asked_again(study, policy)
        names: dict[str, int] = {}
        items = {
            cell: {"clusters": [names.setdefault(one.cluster, len(names)) for one in records(evaluation, cell)]}
            for cell, evaluation in evaluations.items()
        }
        write_json(folder / place.measured, {"point": point, "items": items, "weights": weights_of(start)})

    return ending(task, folder / "output.txt")


def asked_again(study: Study, policy: Policy) -> dict[str, Any]:
    """Return what a point holds where a study explores: nothing of a greedy policy, whose answers are all alike."""
    warm = study.explored and study.temperature
    cells = [cell for cell in study.cells if cell != "matching"] if warm else []
    return {"explored": {cell: explored(study, policy, cell) for cell in cells}} if cells else {}


def told_by(log: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Return the numbers of the first and the last line of a log, and the sum of those of attempts an episode."""
    lines = list(log.values())
    attempts = sum(line.get("attempts", 0.0) for line in lines)
    return {"first": dict(numbers_in(lines[0])), "last": dict(numbers_in(lines[-1])), "attempts": attempts}


def stage_made(study: Study, place: Place, start: str, name: str) -> str:
    """Make a stage of a start."""
    record = record_of(place.out, start, name)
    return ending(lambda: make_stage(study, place.out, start, name, place.device), record.with_suffix(".txt"))


def trained(script: str, arguments: Any) -> dict[str, Any]:
    """Train a run; return the CPU seconds that it took."""
    began = time.process_time()
    script_of(script).train(arguments)
    return {"cpu_seconds": time.process_time() - began}


def picked(study: Study, place: Place, job: Job) -> dict[str, Any]:
    """Play every cell with the best of n answers of a start, which trains nothing; return the run.

    In a greedy evaluation they are sampled all the same, at temperature 1: n alike answers leave nothing to pick from.
    """
    began, given = time.process_time(), arguments_of(study, job, job.start, place.run(job), place.device)
    drawn = replace(place, temperature=place.temperature or 1.0)
    policy = BestOf(loaded(study, drawn, job.start), Scorer.load(given.reward, place.device), given.n)
    cells = cells_of(study, played(study, place, policy, job.name, f"best-of-{given.n}"))
    more = {"best_of": best_of(study, policy, "id")} if study.explored and "id" in study.cells else {}
    kl = {"policy_to_start": {"all": log(given.n) - (given.n - 1) / given.n}}  # at most (arXiv 2210.10760)
    own = {"stopped": "", "log": {"first": {}, "last": {}, "attempts": 0.0}, "training_seconds": 0.0}
    seconds = round(time.process_time() - began, 1)
    return {"points": [{"update": 1, "flops": 0.0, "kl": kl, "cells": cells}], **own, **more, "cpu_seconds": seconds}


def do(study: Study, place: Place, job: Job) -> str:
    """Train one run and measure its checkpoints; write its points."""
    folder = place.run(job)

    def task() -> None:
        if study.arms[job.arm].script == "best_of_n":
            write_json(place.points(job), picked(study, place, job))
            return
        began = time.process_time()
        others = [read_json(path) for path in folder.glob("points-temperature*.json")]  # of other measures
        model, earlier = job.start, before(study, job)
        if earlier:
            model = str(RunFolder(place.run(earlier)).checkpoint(study.arms[job.arm].at))
        arm, stopped, training = study.arms[job.arm], "", 0.0
        try:
            arguments = arguments_of(study, job, model, folder, place.device)
            if arm.needs:
                training = apart(arm.script, arguments, trained, folder / "output.txt")["cpu_seconds"]
                began -= training
            else:
                training = trained(arm.script, arguments)["cpu_seconds"]
        except SystemExit:
            if not (folder / "not_finite.json").exists():
                raise
            stopped = "a number was not finite"  # what it did until then counts
        except ValueError as error:  # as of a teacher that is never right any more
            if not RunFolder(folder).lines():
                raise
            stopped = str(error)
        run = RunFolder(folder)
        log = {line["update"]: line for line in run.lines()}
        start = loaded(study, place, job.start)
        points = []
        for checkpoint in run.checkpoints():
            update = update_of(checkpoint)
            policy = loaded(study, place, str(checkpoint))
            evaluations = played(study, place, policy, job.name, name_of(update))
            measured = {"kl": divergences(study, job, policy, start), "loss": losses(study, job, policy)}
            cells = cells_of(study, evaluations)
            points.append({"update": update, "flops": log[update]["flops"], **measured, "cells": cells})
        if points:
            points[-1] |= asked_again(study, policy)
        own = {"stopped": stopped, "loss_of_start": losses(study, job, start), "log": told_by(log)}
        own |= {"truth": judged} if (judged := truth(run)) else {}
        training = max([training, *(one.get("training_seconds", 0.0) for one in others)])
        seconds = {"cpu_seconds": time.process_time() - began, "training_seconds": training}  # of this sitting
        write_json(place.points(job), {"points": points, **own, **{name: round(n, 1) for name, n in seconds.items()}})

    return ending(task, folder / "output.txt")


def threads_for(at_once: int) -> int:
    """Return the threads of each of so many processes on this machine."""
    return max(1, (os.cpu_count() or 1) // at_once)
