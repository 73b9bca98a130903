"""Ways to train after SFT, side by side: what each needs, where its reward comes from, what it costs and what it does.

    python examples/methods.py
    python examples/methods.py --starts runs/starts/gp-arithmetic-* --seeds 0 1 --out runs/methods-grid
    python examples/methods.py --human runs/methods/stages/gp-arithmetic/pairs/labels.jsonl
    python examples/methods.py --judge openai:NAME --base-url http://127.0.0.1:8000/v1

It is a study as study.py runs it, of examples/studies/methods.toml, with a report of its own: SFT, PPO, ReFT and GRPO
on the program's verdicts; DPO, and PPO on a reward model, from labels of the program, of simulated annotators, of a
judge and of people. Arms from people's labels are named as missing until --human gives a file, as examples/label.py
writes it of the pairs that lie in the study's folder. Interrupted, the same command goes on. Results: <out>/report.md,
its figures, and study.json, from which --redraw makes the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

import study
from command_line import File, kind_endings
from methods_report import write_methods
from study_plan import Study, stages_of, start_name
from study_stages import labels_of, missing, needed, record_of
from verienv.core.files import atomic_text
from verienv.evaluation import Estimate
from verienv.preferences import accuracy, aggregate, read_labels, read_pairs, read_verdicts
from verienv.preferences.measures import BASELINES, choices_of, flips, reliability


@dataclass
class Arguments(study.Arguments):
    study: tyro.conf.Positional[str] = "methods"
    """A study by its name, as in examples/studies/, or a TOML file."""
    human: File = None
    """Labels that people gave of the study's pairs; the arms that learn from them are trained then."""
    judge: str = ""
    """Judge in place of the study's: a model by name or path, or openai:NAME of a server."""
    base_url: str = ""
    """Server of an openai: judge."""


def planned(arguments: Arguments) -> Study:
    """Return the study with the judge that the command line names."""
    found = study.chosen(arguments)
    if not arguments.judge:
        if arguments.base_url:
            raise ValueError("--base-url is of a judge behind a server: give --judge openai:NAME too")
        return found
    options = {"model": arguments.judge} | ({"base_url": arguments.base_url} if arguments.base_url else {})
    stages = {
        name: stage.model_copy(update={"options": {**stage.options, **options}})
        if stage.script == "judge" and "model" in stage.options
        else stage
        for name, stage in found.stages.items()
    }
    return found.model_copy(update={"stages": stages})


def take_labels(plan: Study, out: Path, given: Path) -> int:
    """Copy the labels that people gave of a start's pairs to where the study reads them; return how many.

    Raises:
        ValueError: for a label that no person gave, or of a pair that is none of the study's, and for other labels
            than those that were trained on.
    """
    if len(plan.starts) != 1:
        raise ValueError("--human: labels are of the pairs of one start; give that with --starts")
    start = plan.starts[0]
    names = [name for name, stage in plan.stages.items() if stage.script == "human"]
    if len(names) != 1:
        raise ValueError(
            f"--human: {plan.title!r} has {len(names)} stages of labels by people; expected a study with one"
        )
    [name] = names
    [of] = plan.stages[name].needs
    pairs = stages_of(out, start) / of / "pairs.jsonl"
    if not pairs.exists():
        raise ValueError(f"--human {given}: {pairs} is not there yet; make the study once, then label its pairs")
    labels = list(read_labels(given, read_pairs(pairs)))
    if others := [label for label in labels if label.kind != "human"]:
        raise ValueError(f"--human {given}: {others[0].annotator} is {others[0].kind}; expected labels by people alone")
    text, target = "".join(label.model_dump_json() + "\n" for label in labels), labels_of(out, start, name)
    if record_of(out, start, name).exists() and target.read_text() != text:
        raise ValueError(
            f"--human {given}: {out} was trained on other labels by people; choose another --out for these"
        )
    with atomic_text(target) as file:
        file.write(text)
    return len(labels)


def label_quality(plan: Study, out: Path) -> dict[str, Any]:
    """Hold the labels of each start's stages against the verdicts, now that nothing is trained any more."""
    found: dict[str, Any] = {}
    for start in plan.starts:
        folder = stages_of(out, start)
        for name, stage in needed(plan).items():
            if stage.script not in ("judge", "human"):
                continue
            [of] = stage.needs
            pairs, verdicts = read_pairs(folder / of / "pairs.jsonl"), read_verdicts(folder / f"{of}-verdicts.jsonl")
            labels = list(read_labels(labels_of(out, start, name), pairs))
            said = [(pair, one.choice) for pair, one in aggregate(labels).items()]
            found.setdefault(start_name(start), {})[name] = {
                "kinds": sorted({label.kind for label in labels}),
                "annotators": len({label.annotator for label in labels}),
                "shown": len(choices_of(labels)),
                "kept": sum(choice != "tie" for _, choice in said),
                "minutes": sum(label.seconds for label in labels if label.kind == "human") / 60,
                "accuracy": plain(accuracy(said, verdicts)),
                "flips": plain(flips(labels, {pair: one.cluster for pair, one in pairs.items()})),
                "reliability": [[sure, count, *plain(right)] for sure, count, right in reliability(labels, verdicts)],
                **{name: plain(accuracy([(pair, choose(pairs[pair])) for pair, _ in said], verdicts))
                   for name, choose in BASELINES.items()},
            }  # fmt: skip
    return found


def plain(found: Estimate) -> list[float | None]:
    return [None if number != number else float(number) for number in found]


def main(arguments: Arguments) -> None:
    path = study.file_of(arguments)
    out = path.parent
    if not arguments.redraw:
        study.begin(arguments, out)
        plan = planned(arguments)
        if arguments.human:
            print(f"{take_labels(plan, out, arguments.human)} labels by people")
        lacking = missing(plan, out)
        kept = plan.model_copy(update={"arms": {name: arm for name, arm in plan.arms.items() if name not in lacking}})
        told = {plan.arms[name].label: reason for name, reason in lacking.items()}
        study.run(arguments, kept, path, lambda done: {"missing": told, "labels": label_quality(done, out)})
    study.tell(path, write_methods)


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with kind_endings(given.out or Path("runs") / Path(given.study).stem):
        main(given)
