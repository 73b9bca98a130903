"""Needs and costs of a method, from study.json: data, labels, verdicts, models, scripts, operations, seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from study_statistics import Side

Study = dict[str, Any]
ROOMS = {
    "pairs": ("pairs",),
    "judge": ("judge", "judging"),
    "reward": ("reward", "scoring"),
    "chosen": (),
    "human": ("label",),
    "sft": ("sft",),
    "ppo": ("ppo", "episodes"),
    "dpo": ("dpo", "trl_runs"),
    "grpo": ("grpo", "trl_runs"),
    "best_of_n": ("best_of_n", "asking"),
}
"""The files of a script, beside those that all share."""
ASKED = {"human": "people", "judge": "a judge", "simulated": "a simulation", "program": "the program"}


@dataclass(frozen=True)
class Cost:
    """Data and costs of an arm at a rate, in the mean over its runs.

    Attributes:
        demonstrations: of the expert, that it was trained on.
        shown, kept: pairs that were labelled, and those that are no tie.
        asked: who labelled them.
        accuracy: of the labels, against the program's verdicts, with its interval.
        minutes: that people spent.
        judge_tokens: read by a judge.
        verdicts: of the program, in sampling, labelling and training.
        models: in memory in its last stage.
        lines: of its scripts.
        settings: that the study's file gives its scripts, which a user has to choose.
        flops: by stage.
        seconds: of one core, by stage; evaluations are not counted.
    """

    demonstrations: float
    shown: float
    kept: float
    asked: str
    accuracy: tuple[float, float, float] | None
    minutes: float
    judge_tokens: float
    verdicts: float
    models: tuple[str, ...]
    lines: int
    settings: int
    flops: dict[str, float]
    seconds: dict[str, float]


def stages_of_arm(study: Study, arm: str) -> list[str]:
    """Return the stages that an arm is made of, each after those that it needs."""
    stages = study["study"]["stages"]

    def add(names: list[str]) -> Iterator[str]:
        for name in names:
            yield from add(stages[name]["needs"])
            yield name

    return list(dict.fromkeys(add(study["study"]["arms"][arm]["needs"])))


def cost_of(study: Study, side: Side) -> Cost:
    """Add up what an arm needs and costs, with the arm that it goes on from."""
    arm = study["study"]["arms"][side[0]]
    options = {**study["study"]["options"], **arm["options"]}
    runs = [run for run in study["runs"] if (run["arm"], run["rate"]) == side]
    names, stages = stages_of_arm(study, side[0]), study["study"]["stages"]
    made = [[study["stages"][run["start"]][name] for name in names] for run in runs]
    labelled = [name for name in names if stages[name]["script"] in ("judge", "human")]
    quality = [study["labels"][run["start"]][name] for run in runs for name in labelled]
    flops: dict[str, float] = {}
    seconds: dict[str, float] = {}
    for records in made:
        for name, record in zip(names, records, strict=True):
            kind = stages[name]["script"]
            flops[kind] = flops.get(kind, 0.0) + record.get("flops", 0.0) / len(runs)
            seconds[kind] = seconds.get(kind, 0.0) + record.get("seconds", 0.0) / len(runs)
    flops["training"] = mean([run["points"][-1]["flops"] for run in runs])
    seconds["training"] = mean([run["training_seconds"] for run in runs])
    updates = mean([run["points"][-1]["update"] for run in runs])
    verdicts = 0.0
    if arm["script"] in ("ppo", "grpo") and not options.get("reward"):
        verdicts += mean([run["log"]["attempts"] for run in runs]) * options["episodes"]
    if any(set(each["kinds"]) & {"program", "simulated"} for each in quality):
        verdicts += 2 * mean([each["shown"] for each in quality])
    demonstrations = updates * options["batch"] if arm["script"] == "sft" and "data" not in options else 0.0
    scripts = [*(stages[name]["script"] for name in names), arm["script"]]
    settings = sum(chosen(stages[name]["options"]) for name in names) + chosen(arm["options"]) + 1  # the rate
    if arm["after"]:
        before = cost_of(study, (arm["after"], arm["rate_before"] or side[1]))
        demonstrations += before.demonstrations
        settings += before.settings
        scripts = [study["study"]["arms"][arm["after"]]["script"], *scripts]
        flops = {"before": before.flops["training"], **flops}
        seconds = {"before": before.seconds["training"], **seconds}
    accuracies = [each["accuracy"] for each in quality if each["accuracy"][0] is not None]
    return Cost(
        demonstrations=demonstrations,
        shown=mean([each["shown"] for each in quality]),
        kept=mean([each["kept"] for each in quality]),
        asked=", ".join(dict.fromkeys(ASKED[kind] for each in quality for kind in each["kinds"])),
        accuracy=tuple(mean([each[at] or np.nan for each in accuracies]) for at in range(3)) if accuracies else None,
        minutes=mean([each["minutes"] for each in quality]),
        judge_tokens=mean([sum(record.get("judge_tokens", 0) for record in records) for records in made]),
        verdicts=verdicts,
        models=models_of(arm["script"], options),
        lines=lines_of(tuple(dict.fromkeys(scripts))),
        settings=settings,
        flops=flops,
        seconds=seconds,
    )


def chosen(options: dict[str, Any]) -> int:
    """Count the options that are choices: neither files that another stage makes, nor what is logged where."""
    return sum("{" not in f"{value}" and name != "log_with" for name, value in options.items())


def models_of(script: str, options: dict[str, Any]) -> tuple[str, ...]:
    """Return the models that lie in memory while an arm is trained."""
    found = ["policy"]
    if script == "dpo" or options.get("kl_coef") or (script == "ppo" and options.get("advantage") != "group"):
        found.append("start")  # the price of the divergence, or its log
    if script == "ppo" and options.get("advantage") != "group":
        found.append("critic")
    if options.get("reward"):
        found.append("reward model")
    return tuple(found)


@cache
def lines_of(scripts: tuple[str, ...]) -> int:
    """Count the lines of scripts and of the rooms that they alone have."""
    rooms = dict.fromkeys(room for script in scripts for room in ROOMS.get(script, ()))
    found = [Path(__file__).with_name(f"{room}.py") for room in rooms]
    return sum(len(path.read_text().splitlines()) for path in found if path.exists())


def mean(numbers: list[float]) -> float:
    return float(np.mean(numbers)) if numbers else 0.0
