"""The tables of a study's report: success, other gauges, divergence, failures, a publication's numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import isnan, nan
from typing import Any

import numpy as np

from study_comparisons import (
    Ends,
    Judgement,
    compare,
    counted,
    ended,
    headed,
    heading_of,
    interval,
    label_of,
    mean_over_starts,
    over_rates,
    plane_of,
    published_changes,
    rate_name,
    side_name,
    sides_of,
)
from study_figures import percents
from study_judgement import holm, spearman
from study_statistics import Effect, Side, success
from verienv.evaluation.tables import markdown_table

Study = dict[str, Any]
Run = dict[str, Any]
RECOGNITION = "cards_correct"
"""The metric that says whether a picture was read right."""
MOST_FAILURES = 6
DIRECTIONS = {"policy_to_start": "KL(policy, start)", "start_to_policy": "KL(start, policy)"}


def runs_of(study: Study, side: Side) -> list[Run]:
    return [run for run in study["runs"] if (run["arm"], run["rate"]) == side]


def is_measured(study: Study, metric: str) -> bool:
    """Return whether a metric is a gauge of the study that every cell of every run holds."""
    cells = [cell for run in study["runs"] for point in run["points"] for cell in point["cells"].values()]
    return metric in study["study"]["gauges"] and all(cell["metrics"].get(metric) is not None for cell in cells)


def success_tables(study: Study, ends: Ends, changes: Ends) -> Iterator[str]:
    """Yield success at the end and its change from the start: two cells a table."""
    cells = [cell for cell in study["items"] if cell != "matching"] or list(study["items"])
    starts = len({run["start"] for run in study["runs"]})
    yield headed(study, "Success at the end, in percent")
    yield (
        f"In brackets 95% intervals, Student's over {starts} starts and their items."
        if starts > 1
        else "One start: in brackets 95% intervals over other items of it, clustered; of other starts they say nothing."
    )
    for few in (cells[place : place + 2] for place in range(0, len(cells), 2)):
        head = ["", *(f"{told}{heading_of(study, cell)}" for cell in few for told in ("", "change, "))]
        rows = [["start", *(told for cell in few for told in (interval(start_of(study, cell), signed=False), ""))]]
        for side in sides_of(study):
            found = [(ends[side, cell], changes[side, cell]) for cell in few]
            told = [text for end, change in found for text in (interval(end, signed=False), interval(change))]
            rows.append([side_name(study, side), *told])
        yield markdown_table(head, rows)


def start_of(study: Study, cell: str) -> Effect:
    """Return the success of the starts in a cell."""
    once = {run["start"]: {**run, "arm": "start", "rate": 0.0} for run in study["runs"]}
    return success({**study, "runs": list(once.values())}, cell, 0)["start", 0.0]


def gauges(study: Study) -> Iterator[str]:
    """Yield a table of the other metrics at start and end, means alone."""
    names = [name for name in study["study"]["gauges"] if name != "success"]
    cells = [cell for cell in study["items"] if cell != "matching"] or list(study["items"])
    names = [name for name in names if any(name in point_cells(study)[cell]["metrics"] for cell in cells)]
    if not names:
        return
    yield headed(study, "Other gauges, in percent")
    yield "Means over starts, from the start to the end, without intervals."
    for name in names:
        rows = []
        for side in sides_of(study):
            own = runs_of(study, side)
            found = [mean_over_starts(own, [percents(run, cell, name)[[0, -1]] for run in own]) for cell in cells]
            rows.append([side_name(study, side), *(f"{number(a)} to {number(b)}" for a, b in found)])
        title = str(study["study"]["gauges"][name])
        yield markdown_table([title, *(heading_of(study, cell) for cell in cells)], rows)


def point_cells(study: Study) -> dict[str, Any]:
    return dict(study["runs"][0]["points"][0]["cells"])


def number(value: float, digits: int = 1) -> str:
    return "?" if isnan(value) else f"{value:.{digits}f}"


def distances(study: Study) -> Iterator[str]:
    """Yield the divergence of each arm and rate from its starts at the end, both ways and by field."""
    fields = list(
        dict.fromkeys(
            name for run in study["runs"] for nats in run["points"][-1]["kl"].values() for name in nats if name != "all"
        )
    )
    if not any(run["points"][-1]["kl"] for run in study["runs"]):
        return
    rows = []
    for side in sides_of(study):
        own = [run for run in runs_of(study, side) if run["points"][-1]["kl"]]
        told = []
        for field in ("all", *fields):
            both = [
                mean_over_starts(own, [run["points"][-1]["kl"].get(way, {}).get(field, 0.0) for run in own])
                if own
                else nan
                for way in DIRECTIONS
            ]
            told.append(" / ".join(number(float(value), 2) for value in both))
        rows.append([side_name(study, side), *told])
    yield headed(study, "Divergence from the start, in nats a response")
    yield f"{' / '.join(DIRECTIONS.values())} at the end, means over starts: a description, without intervals."
    yield markdown_table(["", "all", *fields], rows)
    yield ranks_of(study)


def fitted(study: Study) -> Iterator[str]:
    """Yield the loss of each arm and rate on the expert's answers by field, from its starts to the end."""
    fields = list(dict.fromkeys(name for run in study["runs"] for name in run.get("loss_of_start", ())))
    if not fields:
        return
    rows = []
    for side in sides_of(study):
        own = [run for run in runs_of(study, side) if "loss_of_start" in run]
        ways = [[run["loss_of_start"] for run in own], [run["points"][-1]["loss"] for run in own]]
        told = [
            [mean_over_starts(own, [one.get(field, 0.0) for one in way]) if own else nan for way in ways]
            for field in fields
        ]
        rows.append([side_name(study, side), *(" to ".join(number(float(each), 2) for each in both) for both in told)])
    yield headed(study, "Loss on the expert's answers, in nats an answer")
    yield "Under the training rule, from the start to the end, means over starts: a description, without intervals."
    yield markdown_table(["", *fields], rows)


def ranks_of(study: Study) -> str:
    """Say how well the divergence orders what is held out, over the checkpoints of each arm and of all."""
    cell = plane_of(study)[1]
    found: dict[str, list[tuple[float, float]]] = {}
    for run in study["runs"]:
        for point, solved in zip(run["points"], percents(run, cell), strict=True):
            if nats := point["kl"].get("policy_to_start"):
                found.setdefault(label_of(study, run["arm"]), []).append((nats["all"], float(solved)))
    every = {**found, "all arms together": [pair for pairs in found.values() for pair in pairs]}
    told = ", ".join(
        f"{number(spearman(*zip(*pairs, strict=True)), 2)} in {name}" for name, pairs in every.items() if pairs
    )
    return (
        f"Spearman's rank correlation of {DIRECTIONS['policy_to_start']} with success under {heading_of(study, cell)} "
        f"over the checkpoints, which are not independent: {told}."
    )


def failures(study: Study) -> Iterator[str]:
    """Yield how answers failed at start and end where the rule is held out, in failures a hundred episodes."""
    cell = "ood" if "ood" in study["items"] else list(study["items"])[-1]
    total: Counter[str] = Counter()
    for run in study["runs"]:
        total.update(run["points"][-1]["cells"][cell]["failures"])
        total.update(run["points"][0]["cells"][cell]["failures"])
    if not total:
        return
    kinds = [kind for kind, _ in total.most_common(MOST_FAILURES)]
    others = len(total) > len(kinds)

    def row(name: str, runs: Sequence[Run], place: int) -> list[str]:
        shares = []
        for run in runs:
            found = run["points"][place]["cells"][cell]
            known = [found["failures"].get(kind, 0) for kind in kinds]
            rest = [sum(found["failures"].values()) - sum(known)] if others else []
            shares.append(100 * np.array(known + rest) / found["episodes"])
        return [name, *(number(float(share)) for share in mean_over_starts(runs, shares))]

    rows = [row("start", study["runs"], 0)]
    rows += [row(side_name(study, side), runs_of(study, side), -1) for side in sides_of(study)]
    yield headed(study, f"Failures under {heading_of(study, cell)}, of 100 episodes")
    yield markdown_table(["", *(kind.replace("_", " ") for kind in kinds), *(["other"] if others else [])], rows)


def published(study: Study, suffix: str) -> Iterator[str]:
    """Yield the publication's numbers beside ours: figure, verdict and table."""
    about = study["study"]
    metric = str(about["gauges"].get(about["headline"], about["headline"])).partition(" (")[0]
    found = published_changes(study)
    p = holm({str(place): change.p for place, (*_, change) in enumerate(found)})
    yield headed(study, "Beside the publication")
    yield f"![Start and end, the publication's numbers in grey](published{suffix}.png)"
    yield (
        f"In grey are the numbers of {about['source'] or 'a source that the study does not name'}, of another model "
        f"and never pooled with ours: {metric}, in percent. Shown is a change in the same direction, contrary one in "
        "the other, after Holm's correction; the rest is not shown."
    )
    yield from (told for told in [published_contrast(study)] if told)
    rows = []
    for place, (one, side, change) in enumerate(found):
        theirs = (one["end"] - one["start"]) / 100
        told = verdict(change, theirs, about["smallest_effect"], p[str(place)])
        rows.append(
            [heading_of(study, one["cell"]), side_name(study, side), f"{one['start']:g} to {one['end']:g}",
             f"{100 * theirs:+.1f}", interval(change), told]
        )  # fmt: skip
    yield markdown_table(["", "arm, rate", "publication", "its change", "our change", "in this setting"], rows)


def verdict(found: Effect, theirs: float, smallest: float, p: float | None = None) -> str:
    """Say whether a publication's effect is shown, contrary or not shown here; one of 0 is shown by no difference."""
    judged = Judgement.of(found, smallest, p)
    if theirs == 0:
        return "shown" if judged.kind.startswith("no difference") else "not shown"
    if judged.kind != "shown":
        return "not shown"
    return "shown" if (found.mean > 0) == (theirs > 0) else "contrary"


def published_contrast(study: Study) -> str:
    """Return one line on the publication's contrast of the two arms, in the held-out cell or else its first."""
    about = study["study"]
    numbers = {(one["cell"], one["arm"]): one["end"] - one["start"] for one in about["published"]}
    arms = about["contrast"] or ()
    cells = [cell for cell in study["items"] if arms and all((cell, arm) in numbers for arm in arms)]
    if not cells or about["headline"] != "success":
        return ""
    cell = "ood" if "ood" in cells else cells[0]
    one, other = arms
    theirs = (numbers[cell, one] - numbers[cell, other]) / 100
    name = f"{label_of(study, one)} less {label_of(study, other)} under {heading_of(study, cell)}"
    ours = compare(over_rates(ended(study), one, other), name, one, other, cell, "update")
    if ours.reason:
        return f"**{name}: not shown in this setting**, as {ours.reason}."
    said = verdict(ours.found, theirs, about["smallest_effect"])
    return (
        f"**{name}: {said} in this setting**, {100 * theirs:+.1f} points from start to end in the publication, ours "
        f"{interval(ours.found)}."
    )


def conditions(study: Study, name: str) -> Iterator[str]:
    """Yield how the numbers were made."""
    about, runs = study["study"], study["runs"]
    starts, seeds = ({run[key] for run in runs} for key in ("start", "seed"))
    rates = ", ".join(rate_name(rate) for rate in sorted({run["rate"] for run in runs}))
    sampled = f"sampled at temperature {about['temperature']:g}" if about["temperature"] else "greedy"
    cells = point_cells(study)
    episodes = "; ".join(
        f"{found['episodes']} of {heading_of(study, cell)}, in {found['clusters']} clusters"
        for cell, found in cells.items()
    )
    yield headed(study, "How it was run")
    yield (
        f"{about['env']}: {counted(len(runs), 'run')} from {counted(len(starts), 'start')} with "
        f"{counted(len(seeds), 'seed')}, rates {rates}; {counted(len(runs[0]['points']) - 1, 'checkpoint')} in the "
        f"first run. Answers were {sampled}. Episodes: {episodes}. {study['device']}, "
        f"{counted(study['threads'], 'thread')}, torch {study['versions']['torch']}, "
        f"revision {study['revision'][:10]}. All numbers are in {name}."
    )
