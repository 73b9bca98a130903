"""The runs of a study: each trained, and each of its checkpoints played in every cell; several side by side.

<out>/runs/<run>/             the training run, and points.json, what its checkpoints did, when all is measured
<out>/evaluations/<run>/      the logs of its evaluations, a file a checkpoint and seed of a cell
<out>/starts/<start>.json     what a start did

Whatever is there already is not done again. A run lives in a process of its own, with its share of the threads.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from command_line import Stop
from study_plan import SCRIPTS, Job, Study, arguments_of, before, jobs_of, start_name
from study_statistics import packed
from verienv.core.dialogue import with_pictures
from verienv.core.run_folder import RunFolder, name_of, read_json, update_of, write_json
from verienv.demos import demonstrations
from verienv.evaluation import Evaluation, evaluate
from verienv.policies import HuggingFacePolicy, Sampling
from verienv.policies.hugging_face.batch import Batch, Rollout, read
from verienv.policies.hugging_face.policy import evaluating
from verienv.policies.hugging_face.tokens import Tokens

Point = dict[str, Any]
FIELD = re.compile(r'"([a-z][a-z _]{0,40})" {0,4}:')
"""The beginning of a field in an answer as JSON."""


@dataclass(frozen=True)
class Place:
    """Where a study's runs are made, and by what.

    Attributes:
        out: folder of the study.
        device: of every run.
        temperature: at which policies are evaluated.
        threads: of torch, in each process.
    """

    out: Path
    device: str
    temperature: float
    threads: int

    @property
    def measured(self) -> str:
        """The file of a run's points: one for each temperature."""
        return f"points-temperature{self.temperature:g}.json"

    def run(self, job: Job) -> Path:
        return self.out / "runs" / job.name


def run_all(study: Study, place: Place, at_once: int) -> dict[str, Any]:
    """Do every run that is not done yet, so many at once; return the starts, runs and items of study.json.

    Raises Stop where a run cannot be done, with what it told.
    """
    starts = {start: place.out / "starts" / start_name(start) / place.measured for start in study.starts}
    jobs = list(jobs_of(study))
    missing = [start for start, path in starts.items() if not path.exists()]
    left = [job for job in jobs if not (place.run(job) / place.measured).exists()]
    with tqdm(total=len(starts) + len(jobs), initial=len(starts) - len(missing) + len(jobs) - len(left), unit="run") as bar:
        if missing or left:
            with workers(min(at_once, len(missing) + len(left)), place.threads) as submit:
                tasks: dict[Any, tuple[Any, ...]] = {start: (measure_start, study, place, start) for start in missing}
                in_order(tasks, lambda task: (), submit, bar)
                tasks = {job: (do, study, place, job) for job in left}
                in_order(tasks, lambda job: [one] if (one := before(study, job)) in left else [], submit, bar)
    found = {start: read_json(path) for start, path in starts.items()}
    runs = []
    for job in jobs:
        done = read_json(place.run(job) / place.measured)
        own = {"arm": job.arm, "rate": job.rate, "seed": job.seed, "start": start_name(job.start)}
        runs.append({**own, **done, "points": [found[job.start]["point"], *done["points"]]})
    return {"items": next(iter(found.values()))["items"], "runs": runs}


def in_order(
    tasks: dict[Any, tuple[Any, ...]], needs: Callable[[Any], Sequence[Any]], submit: Callable[..., Future[str]], bar: Any
) -> None:
    """Do tasks, each after those that it needs. Raises Stop where one fails."""
    waiting, running, done = dict(tasks), dict[Future[str], Any](), set[Any]()
    while waiting or running:
        for name in [name for name in waiting if all(need in done for need in needs(name))]:
            running[submit(*waiting.pop(name))] = name
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            if fault := future.result():
                raise Stop(fault)
            done.add(running.pop(future))
            bar.update()


@contextmanager
def workers(count: int, threads: int) -> Iterator[Callable[..., Future[str]]]:
    """Processes that call functions side by side; they end with this one, and at Ctrl-C."""
    pool = ProcessPoolExecutor(count, get_context("spawn"), initializer=begin, initargs=(threads,))
    try:
        yield pool.submit
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()  # what a run had saved stays, and it goes on from there
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def begin(threads: int) -> None:
    """Begin a process of a study's runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)


@contextmanager
def told_in(path: Path) -> Iterator[None]:
    """Write what is printed to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file, redirect_stdout(file), redirect_stderr(file):
        yield


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
        names: dict[str, int] = {}
        items = {
            cell: {"clusters": [names.setdefault(one.cluster, len(names)) for one in records(evaluation, cell)]}
            for cell, evaluation in evaluations.items()
        }
        write_json(folder / place.measured, {"point": point, "items": items})

    return ending(task, folder / "output.txt")


def do(study: Study, place: Place, job: Job) -> str:
    """Train one run and measure its checkpoints; write its points."""
    folder = place.run(job)

    def task() -> None:
        began = time.process_time()
        model, earlier = job.start, before(study, job)
        if earlier:
            model = str(RunFolder(place.run(earlier)).checkpoint(study.arms[job.arm].at))
        script = SCRIPTS[study.arms[job.arm].script]
        stopped = ""
        try:
            script.train(arguments_of(study, job, model, folder, place.device))
        except SystemExit:
            if not (folder / "not_finite.json").exists():
                raise
            stopped = "a number was not finite"  # what it did until then counts
        run = RunFolder(folder)
        log = {line["update"]: line for line in run.lines()}
        start = loaded(study, place, job.start)
        points = []
        for checkpoint in run.checkpoints():
            update = update_of(checkpoint)
            policy = loaded(study, place, str(checkpoint))
            evaluations = played(study, place, policy, job.name, name_of(update))
            kl = divergences(study, job, policy, start)
            cells = cells_of(study, evaluations)
            points.append({"update": update, "flops": log[update]["flops"], "kl": kl, "cells": cells})
        seconds = round(time.process_time() - began, 1)  # of this sitting
        write_json(folder / place.measured, {"points": points, "stopped": stopped, "cpu_seconds": seconds})

    return ending(task, folder / "output.txt")


def loaded(study: Study, place: Place, name: str) -> HuggingFacePolicy:
    how: dict[str, Any] = {"device": place.device, "max_new_tokens": study.max_new_tokens, "batch_size": study.batch}
    return HuggingFacePolicy.load(name, sampling=Sampling(place.temperature), **how)


def played(study: Study, place: Place, policy: HuggingFacePolicy, run: str, name: str) -> dict[str, Evaluation]:
    """Return a policy's evaluation by cell; cells of one seed are played, and logged, together."""
    folder = place.out / "evaluations" / run
    found: dict[str, Evaluation] = {}
    for seed in sorted({cell.seed for cell in study.cells.values()}):
        cells = {
            name: {**study.settings, **cell.settings, "episodes": cell.episodes or study.episodes}
            for name, cell in study.cells.items()
            if cell.seed == seed
        }
        log = folder / f"{name}-temperature{place.temperature:g}-seed{seed}.jsonl"
        evaluation = evaluate(
            policy, study.env, cells, seed=seed, batch_size=study.batch, log=log, name=f"{run} {name}", progress=False
        )
        found |= dict.fromkeys(cells, evaluation)
    return {name: found[name] for name in study.cells}


def records(evaluation: Evaluation, cell: str) -> list[Any]:
    return sorted((one for one in evaluation.episodes if one.cell == cell), key=lambda one: one.episode)


def cells_of(study: Study, evaluations: dict[str, Evaluation]) -> dict[str, Any]:
    """Return what study.json holds of a checkpoint's cells: means, failures, and each item's success as a bit."""
    found = {}
    for name, evaluation in evaluations.items():
        cell = evaluation.cells[name]
        metrics = {gauge: cell.metrics[gauge].mean for gauge in study.gauges if gauge in cell.metrics}
        successes = np.array([one.success for one in records(evaluation, name)])
        found[name] = {
            "episodes": cell.episodes, "clusters": cell.clusters, "metrics": metrics, "failures": cell.failures,
            "successes": packed(successes),
        }  # fmt: skip
    return found


@torch.inference_mode()
def divergences(study: Study, job: Job, policy: HuggingFacePolicy, start: HuggingFacePolicy) -> dict[str, Any]:
    """Return KL(policy || start) and KL(start || policy) in nats a response, also by field of the answer.

    Each is exact at every token of responses that its first model samples at temperature 1, to questions of the
    training rule.
    """
    settings = {**study.settings, **study.trained_on, **study.arms[job.arm].settings}
    settings = {"split": "train", **{name: value for name, value in settings.items() if name != "rewards"}}
    rows = demonstrations(study.env, n=study.kl_questions, seed=7, **settings)
    prompts = [policy.opening(with_pictures(row["prompt"], row.get("images", ()))) for row in rows]
    pair = {"policy_to_start": (policy, start), "start_to_policy": (start, policy)}
    return {name: divergence(*sides, prompts) for name, sides in pair.items()}


def divergence(one: HuggingFacePolicy, other: HuggingFacePolicy, prompts: Sequence[Tokens]) -> dict[str, float]:
    """Return KL(one || other) in nats a response, in all and by field."""
    with evaluating(one.model), evaluating(other.model), torch.random.fork_rng(one.chances):
        torch.manual_seed(0)
        said, _ = one.sample(prompts, 1.0)
        rollouts = [Rollout(Tokens(prompt, prompt.vision)) for prompt in prompts]
        for rollout, response in zip(rollouts, said, strict=True):
            rollout.respond(response, [0.0] * len(response), 0.0, "")
        totals: dict[str, float] = {"all": 0.0}
        for index, few in Batch.of(rollouts, one).parts(64):
            ours, theirs = (read(each, each.model, few).scores.log_softmax(-1) for each in (one, other))
            acted = few.acted[:, -ours.shape[1] :]
            nats = (ours.exp() * (ours - theirs)).sum(-1) * acted
            for row, own, was in zip(index.tolist(), nats, acted, strict=True):
                spread_over_fields(totals, own[was > 0], said[row], one)
    return {name: total / len(rollouts) for name, total in totals.items()}


def spread_over_fields(totals: dict[str, float], nats: Tensor, response: list[int], policy: HuggingFacePolicy) -> None:
    """Add the nats of each token to the field that it stands in; what comes before the first field is the first's."""
    pieces = [policy.tokenizer.decode([token]) for token in response]
    text = "".join(pieces)
    fields = [(match.start(), match[1]) for match in FIELD.finditer(text[:4096])] or [(0, "no field")]
    place = 0
    for piece, value in zip(pieces, nats.tolist(), strict=True):
        name = next((name for begin, name in reversed(fields) if begin < place + len(piece)), fields[0][1])
        totals["all"] += value
        totals[name] = totals.get(name, 0.0) + value
        place += len(piece)


def threads_for(at_once: int) -> int:
    """Return the threads of each of so many processes on this machine."""
    return max(1, (os.cpu_count() or 1) // at_once)
