"""A study as data: the arms, rates, seeds, starts and cells of a comparison.

An arm is a training script with its arguments. It may go on from a checkpoint of another arm (``after`` and ``at``), as
RL does from SFT. Every run of an arm begins from every start, at every rate, with every seed; every checkpoint plays
every cell. What an arm is made of beside a start (pairs, labels of them, a reward model) is made in stages, once for
each start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, Field

from command_line import check

OF_THE_STUDY = ("model", "out", "env", "settings", "learning_rate", "seed", "device")
"""Arguments of the scripts that the study gives."""
Script = Literal["sft", "ppo", "dpo", "grpo", "best_of_n"]
"""The scripts that train; those of TRL are imported where a study names them."""
Making = Literal["pairs", "judge", "reward", "chosen", "human"]
"""The kinds of stages (study_stages.py)."""

Rate = Annotated[float, Field(ge=1e-12, le=1e3)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Count = Annotated[int, Field(ge=1, le=10**7)]


class Table(BaseModel):
    """A table of a study's file: a name that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Stage(Table):
    """A thing that arms are made of beside a start, made once for each start: pairs, labels of them, a reward model.

    Attributes:
        script: pairs, judge or reward, of that name; chosen, the better responses as demonstrations; human, labels by
            people, which no script makes.
        options: arguments of the script, where {stages} is the folder of the start's stages, and {start} the start.
        needs: the stages that it is made of.
    """

    script: Making
    options: dict[str, Any] = {}
    needs: tuple[str, ...] = ()


class Arm(Table):
    """One way to train: a script, its arguments, and where it begins.

    Attributes:
        label: its name in figures and tables.
        script: the script that trains it.
        options: arguments of the script, by their names there (``{updates = 60, batch = 64}``), with {stages} and
            {start} as in a stage's.
        needs: the stages that it is made of. Such an arm is trained by a process of its own, which measures nothing.
        settings: settings of the environment it is trained in, before those of the study.
        rates: learning rates; by default those of the study.
        after: the arm that it goes on from, at the same start, rate and seed; none goes on from the start.
        at: the update of that arm whose checkpoint it goes on from.
        rate_before: the learning rate of the arm before, where that is one rate alone.
    """

    label: str
    script: Script
    options: dict[str, Any] = {}
    needs: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
    rates: tuple[Rate, ...] = ()
    after: str = ""
    at: int = Field(0, ge=0)
    rate_before: Rate | None = None


class PlayedCell(BaseModel):
    """A cell that every checkpoint plays: further fields are settings of its environment, such as split or rule.

    Attributes:
        heading: its name in tables and figures.
        episodes: how many; by default those of the study. A cell of "instances" has one for each.
        seed: fixes its episodes, so that cells of one rule can hold others.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    heading: str
    episodes: Count | None = None
    seed: Seed = 2026

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Published(Table):
    """A number of a publication, in percent, drawn beside ours and never pooled with them."""

    cell: str
    arm: str
    start: float
    end: float


class Study(Table):
    """A whole study.

    Attributes:
        title: for report and figures.
        about: what is measured, in a sentence or two.
        measures: whether the starts have never met what is held out (generalisation), or a little of it (retention).
        env: environment, by its whole id.
        starts: checkpoints by name or path; a path with * is all that there are.
        settings: settings of the environment, in training and in every cell.
        trained_on: settings of training alone.
        options: arguments of the scripts that have them.
        stages: by their names; what arms need.
        arms: by their names.
        rates: learning rates of every arm without rates of its own.
        seeds: of training.
        cells: by their names. "matching" and "id" are of the rule that is trained on, each with episodes of its own;
            "ood" is held out; a "proxy" is of its kind, and the one that choices may be made by.
        episodes: in a cell.
        contrast: the primary comparison, of the first arm less the second.
        contrast_rates: the learning rates of the two that it is about, each its own, chosen on starts that are not
            reported; without them it is the mean over the rates that both have.
        smallest_effect: of interest in that comparison, as a share.
        headline: the metric that is compared.
        gauges: headings of the metrics in the tables.
        temperature: at which every policy is evaluated; 0 is greedy.
        max_new_tokens: the longest response in evaluations.
        batch: dialogues that are sampled together in evaluations.
        kl_questions: questions at which the divergence from the start is measured.
        explored: items of each cell at which starts and last checkpoints are asked again and again
            (study_exploring.py).
        published: numbers of a publication.
        source: where those are from.
    """

    title: str
    about: str
    measures: Literal["generalisation", "retention"] = "generalisation"
    env: str
    starts: tuple[str, ...] = Field(min_length=1)
    settings: dict[str, Any] = {}
    trained_on: dict[str, Any] = {}
    options: dict[str, Any] = {}
    stages: dict[str, Stage] = {}
    arms: dict[str, Arm] = Field(min_length=1)
    rates: tuple[Rate, ...] = Field(min_length=1)
    seeds: tuple[Seed, ...] = Field(min_length=1)
    cells: dict[str, PlayedCell] = Field(min_length=1)
    episodes: Count = 1024
    contrast: tuple[str, str] | None = None
    contrast_rates: tuple[Rate, Rate] | None = None
    smallest_effect: float = Field(0.05, gt=0, lt=1)
    headline: str = "success"
    gauges: dict[str, str] = {"success": "success"}
    temperature: float = Field(1.0, ge=0, le=1e4)
    max_new_tokens: Count = 48
    batch: Count = 512
    kl_questions: Count = 128
    explored: int = Field(0, ge=0, le=10**5)
    published: tuple[Published, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Job:
    """One run of a study: an arm from a start, at a rate, with a seed."""

    start: str
    arm: str
    rate: float
    seed: int

    @property
    def name(self) -> str:
        return f"{start_name(self.start)}-{self.arm}-rate{self.rate:g}-seed{self.seed}"


def start_name(start: str) -> str:
    """Return the name of a start in reports: of a path its last part."""
    return Path(start).name


def jobs_of(study: Study) -> Iterator[Job]:
    """Yield all runs, an arm that another goes on from before that one, start by start."""
    for start in study.starts:
        for seed in study.seeds:
            for name, arm in ordered(study):
                for rate in arm.rates or study.rates:
                    yield Job(start, name, rate, seed)


def ordered(study: Study) -> list[tuple[str, Arm]]:
    """Return the arms, each behind the one that it goes on from."""

    def depth(name: str) -> int:
        before, steps = study.arms[name].after, 0
        while before:
            before, steps = study.arms[before].after, steps + 1
        return steps

    return sorted(study.arms.items(), key=lambda each: depth(each[0]))


def before(study: Study, job: Job) -> Job | None:
    """Return the run whose checkpoint a run goes on from; None for a run from a start."""
    arm = study.arms[job.arm]
    return Job(job.start, arm.after, arm.rate_before or job.rate, job.seed) if arm.after else None


def script_of(name: str) -> Any:
    """Return the module of a script."""
    return import_module(name)


def stages_of(out: Path, start: str) -> Path:
    """Return the folder of a start's stages, in that of a study."""
    return out / "stages" / start_name(start)


def arguments_of(study: Study, job: Job, model: str, out: Path, device: str) -> Any:
    """Return the arguments with which a run's script is called. Raises ValueError for one that it refuses."""
    arm = study.arms[job.arm]
    known = script_of(arm.script).Arguments
    own = {field.name for field in fields(known)}
    options = {name: value for name, value in study.options.items() if arm.script in ("sft", "ppo") or name in own}
    options |= arm.options
    for name in options:
        if name not in own or name in OF_THE_STUDY:
            raise ValueError(
                f"arm {job.arm!r}: options has {name!r}; expected arguments of {arm.script}.py that the study does not "
                f"give itself ({', '.join(OF_THE_STUDY)})"
            )
    settings = {**study.settings, **study.trained_on, **arm.settings}
    options = {"split": settings.pop("split", "train"), **options}
    options |= {name: settings.pop(name) for name in ("attempts", "rewards") if name in settings and name in own}
    options |= {
        "model": model, "out": out, "env": study.env, "settings": as_pairs(settings), "learning_rate": job.rate,
        "seed": job.seed, "device": device,
    }  # fmt: skip
    options = {name: value for name, value in options.items() if name in own}
    arguments = known(**dict(written(known, options, stages_of(out.parent.parent, job.start), job.start)))
    check(arguments)
    return arguments


def written(known: Any, options: dict[str, Any], stages: Path, start: str) -> Iterator[tuple[str, Any]]:
    """Yield options as a script's arguments hold them: paths, tuples, and with the start and its stages named."""
    hints = get_type_hints(known)

    def one(value: Any, kinds: tuple[Any, ...]) -> Any:
        if not isinstance(value, str):
            return value
        value = value.replace("{stages}", str(stages)).replace("{start}", start)
        return Path(value) if Path in kinds else value

    for name, value in options.items():
        kinds = (hints.get(name), *get_args(hints.get(name)))
        yield name, tuple(one(each, kinds) for each in value) if isinstance(value, list) else one(value, kinds)


def as_pairs(settings: dict[str, Any]) -> tuple[str, ...]:
    """Return settings as the scripts take them."""
    return tuple(f"{name}={json.dumps(value)}" for name, value in settings.items())
