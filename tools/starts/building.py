"""Building of a start: training, judgement of cooled copies, and the folder of the one that is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import rmtree
from time import process_time
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel
from transformers.utils import logging as transformers_logging

from starts.kinds import Plan
from starts.material import Judged, Log, Material, Pool
from starts.training import cooled, train
from verienv.policies.hugging_face.policy import keep_freed_memory

LOGGED_EVERY = 20


@dataclass
class Check:
    """A cooled copy and how it was judged.

    Attributes:
        steps: steps of training before it was cooled.
        judged: percentages by cell ("ID", "proxy") and metric.
        model: the copy.
    """

    steps: int
    judged: Judged
    model: PreTrainedModel

    def gauge(self, kind: Plan) -> float:
        """Return the percentage by which starts of a kind are stopped."""
        return self.judged["proxy"][kind.gauge]

    def distance(self, kind: Plan) -> float:
        """Return how far that percentage lies from the kind's band, 0 inside."""
        low, high = kind.band
        return max(low - self.gauge(kind), self.gauge(kind) - high, 0.0)


def search(
    kind: Plan, model: PreTrainedModel, pool: Pool, judge: Callable[[PreTrainedModel], Judged], seed: int, log: Log
) -> Check:  # fmt: skip
    """Train, and return the first cooled copy that is in the band or, once one is above it or at the end, the nearest.

    All that it learns of a copy is what ``judge`` says.
    """
    best: Check | None = None
    losses: list[float] = []
    for done, loss in train(kind, model, pool, np.random.default_rng([seed, 1])):
        losses.append(loss)
        if done % LOGGED_EVERY == 0:
            log(step=done, loss=round(float(np.mean(losses[-LOGGED_EVERY:])), 4))
        if done >= kind.first and (done - kind.first) % kind.every == 0:
            copy = rounded(cooled(kind, model, pool, np.random.default_rng([seed, 2, done])))
            check = Check(done, judge(copy), copy)
            log(check=done, cooled=kind.cooling, **check.judged)
            if best is None or check.distance(kind) < best.distance(kind):
                best = check
            if check.gauge(kind) >= kind.band[0]:
                break
        if done >= kind.last:
            break
    assert best is not None
    return best


@torch.no_grad()
def rounded(model: PreTrainedModel) -> PreTrainedModel:
    """Round the weights of a model to float16, so that it is the same model in a file of half the size."""
    for weight in model.parameters():
        weight.copy_(weight.half().float())
    return model


def build(kind: Plan, seed: int, out: Path, prepare: Callable[[Any, int, Path], Material]) -> str:
    """Build a start in a folder, which appears whole or not at all; return in a line what came of it.

    ``prepare`` is given the folder of all starts too: some are made of others.
    """
    keep_freed_memory()
    torch.set_num_threads(1)
    began = process_time()
    partial = out.with_name(f"{out.name}.partial")
    rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    with (partial / "training.jsonl").open("w") as file:

        def log(**line: Any) -> None:
            file.write(json.dumps(line | {"cpu_seconds": round(process_time() - began, 1)}) + "\n")
            file.flush()

        made = prepare(kind, seed, out.parent)
        log(kind=asdict(kind), seed=seed, **made.about)
        log(pool=made.pool.described(), judged_on=made.judged_on)
        torch.manual_seed(seed)
        check = search(kind, made.model(log), made.pool, made.judge, seed, log)
        stop = {
            "stopped_after": check.steps, "in_band": not check.distance(kind), "gauge": check.gauge(kind),
            "ID": check.judged["ID"], "proxy": check.judged["proxy"],
        }  # fmt: skip
        log(**stop)
    transformers_logging.disable_progress_bar()
    check.model.save_pretrained(partial)
    made.reader.save_pretrained(partial)
    (partial / "README.md").write_text(made.card(partial / "training.jsonl", check.model.num_parameters()))
    partial.rename(out)
    return told(kind, out.name, stop, process_time() - began)


def told(kind: Plan, name: str, stop: Mapping[str, Any], seconds: float) -> str:
    """Return what came of a start in a line."""
    low, high = kind.band
    band = "" if stop["in_band"] else f" (NOT within {low:g} to {high:g}: the nearest)"
    judged = ", ".join(
        f"{cell} " + ", ".join(f"{value:.1f} {measure}" for measure, value in stop[cell].items())
        for cell in ("ID", "proxy")
    )
    return f"{name}: {stop['stopped_after']} steps, {judged}{band}, {seconds:.0f} CPU s"
