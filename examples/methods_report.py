"""The report of the comparison of methods, from study.json alone: the answer, the tables, the claims."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan, sqrt
from pathlib import Path
from statistics import variance
from typing import Any

from methods_claims import Costs, best, cell_of, claims, core_seconds, estimate, total
from methods_costs import Cost, cost_of
from methods_figures import draw_costs, draw_gains, draw_labels, draw_reliability, draw_truth
from study_comparisons import (
    Ends,
    all_changes,
    arms_of,
    counted,
    ends_of,
    heading_of,
    interval,
    label_of,
    points,
    rates_of,
    side_name,
    sides_of,
)
from study_tables import conditions, success_tables
from verienv.core.files import atomic_text
from verienv.evaluation.tables import markdown_table, percent

Study = dict[str, Any]
EXPLORED = {
    "pass_1": "pass at 1",
    "pass_4": "pass at 4",
    "pass_16": "pass at 16",
    "solutions": "solutions found",
    "repaired": "repaired",
}
"""Measures of study_exploring.py, by name: the last in the cell where more answers are wrong."""


def write_methods(study: Study, out: Path, name: str = "study.json") -> str:
    """Write the report and its figures into ``out``, under names like that of the study's file; return the text.

    Raises:
        KeyError, TypeError, AttributeError, IndexError, ValueError: for what is no such study.
    """
    if not study["runs"]:
        raise ValueError(f"{out / name} holds no run that is done, so that there is nothing to tell")
    suffix = Path(name).stem.removeprefix("study")
    ends, changes = ends_of(study), all_changes(study)
    costs = {side: cost_of(study, side) for side in sides_of(study)}
    draw_gains(study, changes, costs, out / f"figure{suffix}")
    draw_costs(study, costs, out / f"costs{suffix}")
    parts = [*answer(study, ends, changes, costs, suffix), *claimed(study, costs), *needs(study, costs)]
    parts.append(f"![Seconds of a core, by stage](costs{suffix}.png)")
    parts += [*did(study, changes), *success_tables(study, ends, changes), *exploring(study)]
    if draw_truth(study, out / f"truth{suffix}"):
        parts += [
            "## Score and truth, while training on a learned reward",
            f"![Score and success over the root of the divergence](truth{suffix}.png)",
            "A dot is an update: its responses' mean score, and how many of them the program finds right, which no "
            "process that trains asked. Lines are running means. Of the best of n a dot is an n: the score of what is "
            "picked, and how often that is right; its divergence is log n - (n - 1) / n at most.",
        ]
    if draw_labels(study, changes, costs, out / f"labels{suffix}"):
        parts += ["## Labels, and what they are worth", *labels_table(study)]
        parts.append(f"![Change of success against the accuracy and the number of labels](labels{suffix}.png)")
    if draw_reliability(study, out / f"reliability{suffix}"):
        parts.append(f"![Share of labels that are right over how sure their givers were](reliability{suffix}.png)")
    text = "\n\n".join([*parts, *conditions(study, name)])
    with atomic_text(out / f"report{suffix}.md") as file:
        file.write(text + "\n")
    return text


def answer(study: Study, ends: Ends, changes: Ends, costs: Costs, suffix: str = "") -> Iterator[str]:
    """Yield the title, the answer and the figure."""
    yield f"# {study['study']['title']}"
    yield " ".join(study["study"]["about"].split())
    yield "## Answer"
    arms = arms_of(study)
    ranked = sorted(arms, key=lambda arm: -changes[best(study, arm), "id"].mean)
    first, last = ranked[0], ranked[-1]
    starts = {run["start"] for run in study["runs"]}
    told = [
        f"In this setting, from {counted(len(starts), 'start')}, {label_of(study, first)} gains most where it is "
        f"trained ({interval(changes[best(study, first), 'id'])} points), and {label_of(study, last)} least "
        f"({interval(changes[best(study, last), 'id'])})."
    ]
    if "ood" in study["items"]:
        kept = max(arms, key=lambda arm: changes[best(study, arm), "ood"].mean)
        lost = min(arms, key=lambda arm: changes[best(study, arm), "ood"].mean)
        told.append(
            f"Under {heading_of(study, 'ood')}, {label_of(study, kept)} changes by "
            f"{interval(changes[best(study, kept), 'ood'])} points, {label_of(study, lost)} by "
            f"{interval(changes[best(study, lost), 'ood'])}."
        )
    found = [one.judged for one in claims(study, costs)]
    smallest = points(study["study"]["smallest_effect"])
    told.append(
        f"Of {len(found)} claims about the methods {found.count('shown')} are shown, {found.count('contrary')} are "
        f"contrary and {found.count('not shown')} are not shown; {smallest} are the smallest effect of interest."
    )
    dear = max(arms, key=lambda arm: core_seconds(costs[best(study, arm)]))
    told.append(
        f"The dearest is {label_of(study, dear)}, {core_seconds(costs[best(study, dear)]):.0f} seconds of a core."
    )
    if missing := study.get("missing"):
        told.append(f"Missing: {'; '.join(f'{name} ({reason})' for name, reason in missing.items())}.")
    yield "\n".join(told)
    yield f"![Change of success against operations, and against the change under the other rule](figure{suffix}.png)"
    yield (
        "Each method at the rate at which it does best on other items, which no table reports; bars are 95% intervals. "
        "Grey learns from demonstrations, blue from the program's verdicts, orange from labels, green from a reward "
        "model."
    )


def claimed(study: Study, costs: Costs) -> Iterator[str]:
    """Yield the claims, each with what became of it."""
    yield "## What is said of the methods, in this setting"
    yield "\n".join(f"- {one.claim}: **{one.judged}**. {one.grounds}." for one in claims(study, costs))


def needs(study: Study, costs: Costs) -> Iterator[str]:
    """Yield the table of data, rewards and costs."""
    yield "## Data, reward, complexity and cost"
    rows = []
    for arm in arms_of(study):
        cost = costs[best(study, arm)]
        rows.append([
            label_of(study, arm), number(cost.demonstrations), labelled(cost), accuracy(cost), number(cost.verdicts),
            ", ".join(cost.models), f"{cost.lines}", f"{cost.settings}", f"{total(cost):.2g}",
            f"{core_seconds(cost):.0f}",
        ])  # fmt: skip
    of_costs = ("models held", "lines", "settings", "operations", "seconds")
    yield markdown_table(["", "demonstrations", "labels, by whom", "right, %", "verdicts", *of_costs], rows)
    yield (
        "labels: pairs that were labelled, ties left out of training in brackets; right: of those where the rewards "
        "differ (95% interval). verdicts: how often the program judged, in labelling and in training; evaluations are "
        "not counted. lines: of the method's scripts, beside what all share. settings: that the study's file gives "
        "these scripts, beside those of all; a user has to choose them. operations: 6 a parameter and token "
        "trained on, 2 read or sampled, in all stages. seconds: of one core, all stages, without evaluations."
    )


def number(value: float) -> str:
    return f"{value:,.0f}" if value else "none"


def labelled(cost: Cost) -> str:
    if not cost.shown:
        return "none"
    spent = f", {cost.judge_tokens:,.0f} tokens" if cost.judge_tokens else ""
    spent += f", {cost.minutes:.0f} minutes" if cost.minutes else ""
    return f"{cost.shown:,.0f} ({cost.shown - cost.kept:,.0f}), {cost.asked}{spent}"


def accuracy(cost: Cost) -> str:
    if not cost.accuracy:
        return ""
    mean, low, high = (100 * one for one in cost.accuracy)
    return f"{mean:.1f}" + ("" if isnan(low) else f" ({low:.1f} to {high:.1f})")


def did(study: Study, changes: Ends) -> Iterator[str]:
    """Yield the table of what each method did to the model, at every rate."""
    cells = [cell for cell in ("id", "ood") if cell in study["items"]]
    yield "## What it does to the model"
    rows = []
    for side in sides_of(study):
        own = [run for run in study["runs"] if (run["arm"], run["rate"]) == side]
        kl = [run["points"][-1]["kl"]["policy_to_start"]["all"] for run in own]
        logs = [run["log"] for run in own if "logp_chosen" in run["log"]["last"]]
        moved = [each["last"]["logp_chosen"] - each["first"]["logp_chosen"] for each in logs]
        several = len(rates_of(study, side[0])) > 1
        name = side_name(study, side) if several else label_of(study, side[0])
        rows.append([
            name, *(interval(changes[side, cell]) for cell in cells), spread(own), f"{sum(kl) / len(kl):.2f}",
            f"{sum(moved) / len(moved):+.2f}" if moved else "",
        ])  # fmt: skip
    headings = [heading_of(study, cell) for cell in cells]
    yield markdown_table(["", *headings, "spread over seeds", "KL", "logp of chosen"], rows)
    yield (
        "Change of success from the start, in points; spread: standard deviation over the seeds of a start, of the "
        "first of these cells, where there are several; KL(policy, start) in nats a response at the end; in DPO how "
        "much likelier the preferred responses became, in nats."
    )


def spread(runs: list[dict[str, Any]]) -> str:
    """Return the standard deviation of success over seeds, in the mean over starts; "" for one seed."""
    found: dict[str, list[float]] = {}
    for run in runs:
        found.setdefault(run["start"], []).append(run["points"][-1]["cells"]["id"]["metrics"]["success"])
    several = [variance(each) for each in found.values() if len(each) > 1]
    return f"{100 * sqrt(sum(several) / len(several)):.1f}" if several else ""


def exploring(study: Study) -> Iterator[str]:
    """Yield what 16 answers to a question hold, and what feedback repairs."""
    rows = []
    for arm in ("", *arms_of(study)):
        found = [estimate(study, arm, measure, cell_of(study, measure)) for measure in EXPLORED]
        if any(found):
            rows.append([label_of(study, arm) if arm else "start", *(percent(one) if one else "" for one in found)])
    if rows:
        yield "## Exploring, diversity, and correcting oneself"
        yield markdown_table(["", *EXPLORED.values()], rows)
        yield (
            f"Percent under {heading_of(study, 'id')}, with 95% intervals over items. 16 answers are sampled to a "
            "question: pass at k is the chance that one of k is right; solutions found is the share of the hand's "
            "different solutions among them. repaired, of questions answered wrong at first, is the share right within "
            f"3 attempts with the program's feedback, under {heading_of(study, cell_of(study, 'repaired'))}."
        )


def labels_table(study: Study) -> Iterator[str]:
    """Yield how good the labels of each stage are."""
    rows = []
    for start, stages in study["labels"].items():
        for name, found in stages.items():
            told = [found.get(which, [None]) for which in ("accuracy", "flips", "longer", "valid JSON")]
            rows.append([
                f"{name}, {start}", f"{found['shown']:,}", f"{found['kept']:,}",
                *("" if one[0] is None else f"{100 * one[0]:.1f}" for one in told),
            ])  # fmt: skip
    told_of = ["shown", "no tie", "right, %", "other in the other order, %"]
    yield markdown_table(["labels", *told_of, "right, had it been the longer", "or valid JSON"], rows)
