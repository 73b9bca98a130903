"""SFT against RL from one start: trained, evaluated at every checkpoint, tabulated and drawn.

    python examples/study.py --out runs/demo
    python examples/study.py --env verienv/GeneralPoints-L-v0 --model tiny-lm --out runs/demo-text
    python examples/study.py --env verienv/GeneralPoints-L-v0 --model tiny-lm --cells examples/cells/own_rule.json \
        -s target=36 -s cards=5 -s prompt=@template.txt --out runs/own
    python examples/study.py --rates 2e-5 6e-5 2e-4 --seeds 0 1 2 --flops 2e13 --episodes 400 --out runs/study

Both arms run over the same grid of learning rates and seeds with the same budget of floating-point operations (training
6 a parameter and token, generation 2). Every checkpoint plays the same hands in four cells: the training rule and the
out-of-distribution rule, on the hands of the train side and of the test side. With vision these are eight:
in black suits, as in training, and in red ones. With --cells they are the user's own. Interrupted, the same command
goes on where it stopped. Results: <out>/report.md, figure.png, with vision recognition.png, and study.json, from which
``--redraw`` makes the others.
"""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import torch
import tyro

import ppo
import sampling
import sft
from command_line import (
    Attempts,
    Budget,
    Count,
    Length,
    OrGreedy,
    OrNone,
    Rank,
    Rate,
    Seed,
    Settings,
    Size,
    Stop,
    Temperature,
    check,
    kind_endings,
    plain,
    settings_of,
)
from run import Run
from study_arms import played, without_nan
from study_report import write_report
from study_tasks import task_of
from verienv.core.dialogue import with_pictures
from verienv.core.make import full_id
from verienv.core.provenance import provenance
from verienv.core.run_folder import read_json, update_of, write_json
from verienv.core.settings import read_settings
from verienv.demos import demonstrations
from verienv.evaluation import Evaluation, compare, evaluate, read_cells
from verienv.policies import HuggingFacePolicy, Sampling
from verienv.policies.hugging_face.checkpoint import first_line
from verienv.policies.hugging_face.loading import Dtype, machine, usable_device

ARMS = ("sft", "ppo")


@dataclass
class Arguments:
    out: Path = Path("runs/demo")
    """Where runs, evaluations and the report go."""
    model: str = "tiny-vlm"
    """The start of both arms: the built-in tiny-vlm or, for words, tiny-lm; or any other model by name or path."""
    env: str = "verienv/GeneralPoints-VL-v0"
    """In words: verienv/GeneralPoints-L-v0; or verienv/VIRL-L-v0 and -VL-v0."""
    settings: Settings = ()
    """Settings of the environment, in training and in every cell: -s cards=5 -s prompt=diverse."""
    cells: Path | None = None
    """Cells of your own, from a JSON file: an object of names, each with its settings, which come before those of -s.
    Both arms are trained in the first, alone; all others are compared with it."""
    rates: tuple[Rate, ...] = (1e-4,)
    """Learning rates, the same in each arm. A finding that one rate shows and another does not is none."""
    seeds: tuple[Seed, ...] = (0,)
    """Of training, the same in each arm; evaluations deal the same hands under all."""
    flops: Budget = 7e12
    """The budget of each run, in floating-point operations: the default is for the built-in models."""
    checkpoints: Count = 1
    """Checkpoints of each run, evenly spaced in FLOPs."""
    probes: OrNone = 16
    """Questions of the test side on which each checkpoint's loss and KL are in its run's log; 0 for none."""
    attempts: Attempts = 3
    """Responses allowed to one question, in RL and in evaluation."""
    episodes: Size = 50
    """Episodes in each cell of an evaluation."""
    training_cell_episodes: Size = 700
    """Episodes in the cell that is trained on, where the smallest differences are asked for."""
    ppo_episodes: Size = 128
    """Episodes of a PPO update."""
    ppo_minibatch: Size = 64
    """Episodes of a PPO optimiser step."""
    sft_batch: Size = 64
    """Demonstrations of an SFT update."""
    micro_batch: Size | None = None
    """Episodes or demonstrations in memory at once when training; by default 32 in PPO and 64 in SFT."""
    warm_up: Count = 10
    """Updates of each run until the learning rate is at its height."""
    max_new_tokens: Length = 48
    """The longest response, in RL and in evaluation."""
    temperature: Temperature = 1.0
    """At which PPO samples, and at which every policy is evaluated."""
    evaluated_at: OrGreedy | None = None
    """Another temperature for the evaluations; 0 is greedy. What was trained is not trained again."""
    batch: Size = 300
    """Dialogues that are sampled together in evaluation."""
    dtype: Dtype = "float32"
    """In which both arms are trained; bfloat16 takes half the memory and wants --lora."""
    lora: Rank = 0
    """Rank of the adapter to train in place of the model; 0 trains the model, or goes on with a start's adapter."""
    gradient_checkpointing: bool = False
    """Compute activations twice in place of keeping them: less memory, a third more time."""
    device: str = "auto"
    """cpu, cuda, cuda:1, ...; auto takes a GPU if there is one."""
    redraw: bool = False
    """Only write the report and the figure again, from study.json."""


def train_arm(arm: str, rate: float, seed: int, arguments: Arguments) -> Run:
    """One run of an arm, to its end."""
    shared: dict[str, Any] = {
        "model": arguments.model, "env": arguments.env, "out": arguments.out / f"{arm}-rate{rate:g}-seed{seed}",
        "flops": arguments.flops, "checkpoints": arguments.checkpoints, "learning_rate": rate, "seed": seed,
        "device": arguments.device, "warm_up": arguments.warm_up, "dtype": arguments.dtype, "lora": arguments.lora,
        "gradient_checkpointing": arguments.gradient_checkpointing, "probes": arguments.probes,
        **({"micro_batch": arguments.micro_batch} if arguments.micro_batch else {}),
    }  # fmt: skip
    settings = training_settings(arguments)
    shared["split"] = settings.pop("split", "train")
    if arm == "sft":
        return sft.train(sft.Arguments(**shared, settings=as_pairs(settings), batch=arguments.sft_batch))
    rollouts: dict[str, Any] = {  # of rewards and attempts ppo.py has options
        "rewards": settings.pop("rewards", ppo.Arguments.rewards),
        "attempts": settings.pop("attempts", arguments.attempts), "episodes": arguments.ppo_episodes,
        "minibatch": arguments.ppo_minibatch, "max_new_tokens": arguments.max_new_tokens,
        "temperature": arguments.temperature,
    }  # fmt: skip
    return ppo.train(ppo.Arguments(**shared, **rollouts, settings=as_pairs(settings)))


def training_settings(arguments: Arguments) -> dict[str, Any]:
    """The settings in which both arms are trained: those of ``--setting`` and, of cells of one's own, the first's."""
    first = next(iter(read_cells(arguments.cells).values())) if arguments.cells else {}
    settings = {**read_settings(arguments.settings), **first}
    return {name: value for name, value in settings.items() if name not in ("instances", "episodes")}


def as_pairs(settings: dict[str, Any]) -> tuple[str, ...]:
    """Settings as the other scripts take them."""
    return tuple(f"{name}={json.dumps(value)}" for name, value in settings.items())


def measure(
    name: str, policy: HuggingFacePolicy, start: HuggingFacePolicy, arguments: Arguments
) -> tuple[Evaluation, float]:
    """How a policy plays in every cell, and how far it is from the start; kept on disk, measured once."""
    policy.sampling = Sampling(temperature_of(arguments))
    folder = arguments.out / f"evaluations-temperature{policy.sampling.temperature:g}"
    folder.mkdir(exist_ok=True)
    training_cell, *others = cells_of(arguments).items()
    first = training_cell[1].get("episodes", arguments.training_cell_episodes)
    cells = {training_cell[0]: {**training_cell[1], "episodes": first}, **dict(others)}
    evaluation = evaluate(
        policy, arguments.env, cells, arguments.episodes, seed=2026, batch_size=arguments.batch,
        log=folder / f"{name}.jsonl", name=name, attempts=arguments.attempts, **read_settings(arguments.settings),
    )  # fmt: skip
    path = folder / f"{name}.kl.json"
    if not path.exists():
        write_json(path, {"kl": divergence(policy, start, arguments)})
    try:
        return evaluation, float(read_json(path)["kl"])
    except (KeyError, TypeError, ValueError):
        raise Stop(f"{path} is damaged; delete it, and it is measured again") from None


def cells_of(arguments: Arguments) -> dict[str, dict[str, Any]]:
    """The cells of every evaluation, the one that is trained on first."""
    return read_cells(arguments.cells) if arguments.cells else task_of(arguments.env).cells


def temperature_of(arguments: Arguments) -> float:
    return arguments.temperature if arguments.evaluated_at is None else arguments.evaluated_at


@torch.inference_mode()
def divergence(policy: HuggingFacePolicy, start: HuggingFacePolicy, arguments: Arguments, questions: int = 64) -> float:
    """KL(policy || start) in nats a response, exact at every token of responses that the policy samples."""
    settings = {"split": "train", **training_settings(arguments)}
    rows = demonstrations(arguments.env, n=questions, seed=7, **settings)
    prompts = [policy.opening(with_pictures(row["prompt"], row.get("images", ()))) for row in rows]
    torch.manual_seed(0)
    said, _ = policy.sample(prompts, 1.0)
    return sampling.divergence(
        policy, lambda: nullcontext(start.model), prompts, said, arguments.micro_batch or questions
    )


def point(evaluation: Evaluation, before: Evaluation, kl: float, flops: float) -> dict[str, Any]:
    """One checkpoint in study.json: by cell metrics, their paired differences from the start, and the episodes."""
    differences = compare(before, evaluation).cells
    episodes = played(evaluation, task_of(evaluation.setup.env_id).gauges)
    cells = {
        name: {
            "episodes": cell.episodes,
            "clusters": cell.clusters,
            "metrics": {metric: list(value) for metric, value in cell.metrics.items()},
            "difference": {metric: list(value) for metric, value in differences[name].metrics.items()},
            "failures": cell.failures,
            "played": episodes[name],
            **({"recognition": cell.recognition.model_dump()} if cell.recognition else {}),
        }
        for name, cell in evaluation.cells.items()
    }
    return {"flops": flops, "kl": kl, "cells": cells}


def run_study(arguments: Arguments) -> dict[str, Any]:
    """Train and measure everything that is not on disk yet; what study.json holds."""
    loading: dict[str, Any] = {"device": arguments.device, "max_new_tokens": arguments.max_new_tokens}
    start = HuggingFacePolicy.load(arguments.model, dtype=arguments.dtype, **loading)
    before, _ = measure("start", start, start, arguments)
    results: list[dict[str, Any]] = []
    for rate, seed, arm in product(arguments.rates, arguments.seeds, ARMS):
        run = train_arm(arm, rate, seed, arguments)
        log, checkpoints = run.lines(), run.checkpoints()
        spent = {line["update"]: line["flops"] for line in log}
        points = [point(before, before, 0.0, 0.0)]
        for folder in checkpoints:
            policy = HuggingFacePolicy.load(str(folder), **loading)
            name = f"{folder.parent.name}-{folder.name}"
            evaluation, kl = measure(name, policy, start, arguments)
            points.append(point(evaluation, before, kl, spent[update_of(folder)]))
        results.append({"arm": arm, "rate": rate, "seed": seed, "points": points, "log": log})
    return {"arguments": plain(arguments), **provenance(Path(__file__).parent), **machine(), "runs": results}


def main(arguments: Arguments) -> None:
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ValueError(
            "study.py runs as one process, but a launcher started several: start it with python, or launch sft.py and "
            "ppo.py, and `verienv evaluate` on their checkpoints without the launcher"
        )
    check(arguments)
    arguments = replace(arguments, env=full_id(arguments.env))
    usable_device(arguments.device)
    settings_of(arguments, {"attempts": arguments.attempts}, cells_of(arguments), are_own=bool(arguments.cells))
    path = arguments.out / "study.json"
    if not arguments.redraw:
        Run(arguments.out, arguments, free=("out", "device", "rates", "seeds", "evaluated_at", "redraw"))
        write_json(path, without_nan(run_study(arguments)))
    try:
        report = write_report(read_json(path), arguments.out)
    except (KeyError, TypeError, AttributeError, IndexError) as error:  # what JSON can be without being a study
        raise Stop(f"{path} is damaged ({first_line(error)}); the study without --redraw writes it anew") from None
    print(report)
    print(f"\n{arguments.out / 'report.md'}  {arguments.out / 'figure.png'}  {path}")


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with kind_endings(given.out):
        main(given)
