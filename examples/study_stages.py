"""The stages of a study: pairs, labels of them and reward models, each made once for a start and shared by its arms.

<out>/stages/<start>/<stage>           the folder of pairs, or of a reward model
<out>/stages/<start>/<stage>.jsonl     labels, or the demonstrations of a stage "chosen"
<out>/stages/<start>/<stage>.json      what it counted and cost, when it is done
<out>/stages/<start>/<stage>-verdicts.jsonl  of pairs: what the program says of them

Only those who sample the pairs, and simulated annotators, open the verdicts. A judge and a reward model are made by a
process of its own.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import fields
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import torch

from command_line import check
from model import parameters_of
from study_plan import Stage, Study, as_pairs, script_of, stages_of, written
from verienv.core.files import atomic_text
from verienv.core.run_folder import RunFolder, numbers_in, read_json, write_json
from verienv.policies import HuggingFacePolicy
from verienv.preferences import labelled, read_judgements, read_labels


def needed(study: Study) -> dict[str, Stage]:
    """Return the stages that the arms are made of."""
    found: dict[str, Stage] = {}

    def add(names: tuple[str, ...]) -> None:
        for name in names:
            add(study.stages[name].needs)
            found[name] = study.stages[name]

    for arm in study.arms.values():
        add(arm.needs)
    return found


def record_of(out: Path, start: str, name: str) -> Path:
    """Return the file of what a stage counted and cost, which is there when it is done."""
    return stages_of(out, start) / f"{name}.json"


def labels_of(out: Path, start: str, name: str) -> Path:
    """Return the file of a stage's labels."""
    return stages_of(out, start) / f"{name}.jsonl"


def missing(study: Study, out: Path) -> dict[str, str]:
    """Return the arms that cannot be trained, as labels are missing that only people can give, each with the reason."""
    reasons = {}
    for name, arm in study.arms.items():
        of_it = needed(study.model_copy(update={"arms": {name: arm}}))
        for stage in (stage for stage, made in of_it.items() if made.script == "human"):
            if any(not labels_of(out, start, stage).exists() for start in study.starts):
                reasons[name] = "no person has labelled its pairs"
    return reasons


def make_stage(study: Study, out: Path, start: str, name: str, device: str) -> None:
    """Make a stage, from where an earlier call was broken off, and write its record."""
    stage = study.stages[name]
    if stage.script == "human":
        record = {"labels": len(read_labels(labels_of(out, start, name)))}
    elif stage.script == "chosen":
        record = {"rows": write_chosen(labels_of(out, start, name), **plain_options(stage, out, start))}
    else:
        arguments = stage_arguments(study, stage, out, start, name, device)
        truth = stage.script == "pairs" or bool(getattr(arguments, "simulated", ()))
        told = record_of(out, start, name).with_suffix(".txt")
        record = called(stage.script, arguments) if truth else apart(stage.script, arguments, called, told)
    write_json(record_of(out, start, name), {**record, "made_of": stage.model_dump(mode="json")})


def demand_same(study: Study, out: Path) -> None:
    """Raise ValueError for a stage that is there, but was made of something else than the study says."""
    for start in study.starts:
        for name, stage in needed(study).items():
            path, now = record_of(out, start, name), stage.model_dump(mode="json")
            made = read_json(path).get("made_of", now) if path.exists() else now
            if made != now:
                old, new = made["options"], now["options"]
                which = [option for option in {**old, **new} if old.get(option) != new.get(option)]
                raise ValueError(
                    f"{path}: stage {name!r} was made with other options ({', '.join(which)}); choose another --out"
                )


def plain_options(stage: Stage, out: Path, start: str) -> dict[str, Any]:
    return dict(written(object, stage.options, stages_of(out, start), start))


def stage_arguments(study: Study, stage: Stage, out: Path, start: str, name: str, device: str) -> Any:
    """Return the arguments with which a stage's script is called. Raises ValueError for one that it refuses."""
    known = script_of(stage.script).Arguments
    own = {field.name for field in fields(known)}
    if unknown := [option for option in stage.options if option not in own]:
        raise ValueError(f"stage {name!r}: options has {unknown[0]!r}; expected arguments of {stage.script}.py")
    folder = stages_of(out, start)
    target = {"labels": f"{folder / name}.jsonl"} if stage.script == "judge" else {"out": str(folder / name)}
    given = {"device": device, **target, **({} if stage.script == "judge" else {"model": start})}
    if stage.script == "pairs":
        settings = {"split": "train", **study.settings, **study.trained_on, "attempts": 1}
        given |= {"env": study.env, "split": settings.pop("split"), "settings": as_pairs(settings)}
    options = {**{key: value for key, value in given.items() if key in own}, **stage.options}
    arguments = known(**dict(written(known, options, folder, start)))
    check(arguments)
    return arguments


def called(script: str, arguments: Any) -> dict[str, Any]:
    """Call a stage's script; return what it counted and cost, in seconds of the CPU."""
    module, began, found = script_of(script), time.process_time(), dict[str, Any]()
    if script == "pairs":
        found = {**module.make(arguments), "flops": sum(line["flops"] for line in RunFolder(arguments.out).lines())}
    elif script == "judge":
        found = {"labels": module.judge(arguments), **read_by_judge(arguments)}
    else:
        module.train(arguments)
        lines = RunFolder(arguments.out).lines()
        found = {"updates": len(lines), "flops": lines[-1]["flops"], "last": dict(numbers_in(lines[-1]))}
    return {**found, "seconds": round(time.process_time() - began, 1)}


def read_by_judge(arguments: Any) -> dict[str, float]:
    """Return the tokens that a judge has read and, of one on this machine, their cost."""
    if not arguments.model:
        return {}
    answers = read_judgements(arguments.cache or arguments.folder / "judgements.jsonl").values()
    tokens = sum(answer.prompt_tokens for answer in answers)
    if arguments.model.startswith("openai:"):
        return {"judge_tokens": tokens}
    model = HuggingFacePolicy.load(arguments.model, device="cpu").model
    return {"judge_tokens": tokens, "flops": 2.0 * parameters_of(model) * tokens}


def apart(script: str, arguments: Any, function: Callable[[str, Any], dict[str, Any]], told: Path) -> dict[str, Any]:
    """Call a script in a process of its own, with as many threads; return what it returned.

    What it prints is added to the file ``told``.

    Raises:
        ValueError: with the words of what it raised.
    """
    context = get_context("spawn")
    answer, answers = context.Pipe(duplex=False)
    how = (function, script, arguments, torch.get_num_threads(), told, answers)
    process = context.Process(target=in_process, args=how)
    process.start()
    answers.close()
    try:
        found, fault = answer.recv()
    except EOFError:
        found, fault = {}, f"{script}.py was ended from outside"
    except BaseException:
        process.terminate()
        raise
    process.join()
    if fault:
        raise ValueError(fault)
    return dict(found)


def in_process(
    function: Callable[..., Any], script: str, arguments: Any, threads: int, told: Path, answers: Any
) -> None:
    """Do what ``apart`` asks for, send what came of it, and end with the process that asked."""
    Thread(target=end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    with told_in(told):
        try:
            answers.send((function(script, arguments), ""))
        except (Exception, SystemExit) as error:
            answers.send(({}, str(error) or type(error).__name__))


@contextmanager
def told_in(path: Path) -> Iterator[None]:
    """Write what is printed to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file, redirect_stdout(file), redirect_stderr(file):
        yield


def end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def write_chosen(path: Path, folder: str, labels: tuple[str, ...], **how: Any) -> int:
    """Write the better responses of labelled pairs as demonstrations; return how many."""
    rows = labelled(folder, labels, **how)
    with atomic_text(path) as file:
        for row in rows:
            kept = {"prompt": row["prompt"], "completion": row["chosen"]}
            if row.get("images"):
                kept["images"] = [str(Path(image).relative_to(path.parent)) for image in row["images"]]
            file.write(json.dumps(kept) + "\n")
    return len(rows)
