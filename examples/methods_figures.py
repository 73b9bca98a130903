"""The figures of the comparison of methods, each as PNG and PDF."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from methods_claims import Costs, best, total
from methods_costs import ASKED
from study_comparisons import Ends, arms_of, heading_of, label_of
from study_figures import INK, MARKERS, STYLE, reach, save

Study = dict[str, Any]
FAMILIES = {
    "demonstrations": "#444444",
    "the program's verdicts": "#0072b2",
    "labels, without a reward model": "#d55e00",
    "a reward model": "#009e73",
}
"""Colours, safe for the colour-blind, by what a method learns from."""
STAGES = {"before": "#bbbbbb", "pairs": "#f0c05a", "judge": "#cc79a7", "reward": "#009e73", "training": "#0072b2"}


def family(study: Study, arm: str) -> str:
    """Return what an arm learns from."""
    found = study["study"]["arms"][arm]
    if found["options"].get("reward"):
        return "a reward model"
    if found["needs"]:
        return "labels, without a reward model"
    return "demonstrations" if found["script"] == "sft" else "the program's verdicts"


def marks(study: Study) -> dict[str, dict[str, Any]]:
    """Return colour and shape of every arm: a colour a family, a shape within it."""
    found: dict[str, dict[str, Any]] = {}
    counts = dict.fromkeys(FAMILIES, 0)
    for arm in arms_of(study):
        of = family(study, arm)
        found[arm] = {"color": FAMILIES[of], "marker": MARKERS[counts[of] % len(MARKERS)]}
        counts[of] += 1
    return found


def draw_gains(study: Study, changes: Ends, costs: Costs, path: Path) -> None:
    """Draw each arm's change where it was trained against its cost, and against its change elsewhere."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 5.2), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for arm, how in marks(study).items():
            side = best(study, arm)
            up = changes[side, "id"]
            dot = {"ls": "", "ms": 6, "mec": "white", "mew": 0.6, **how}
            left.errorbar(total(costs[side]) / 1e12, 100 * up.mean, yerr=reach(up), elinewidth=0.8, **dot)
            if "ood" in study["items"]:
                across = changes[side, "ood"]
                right.errorbar(100 * across.mean, 100 * up.mean, xerr=reach(across), yerr=reach(up), elinewidth=0.8,
                               label=label_of(study, arm), **dot)  # fmt: skip
        left.set_xlim(left=0)
        left.set_xlabel("10¹² floating-point operations, all stages")
        left.set_ylabel(f"change of success, {heading_of(study, 'id')}, points")
        right.set_xlabel(f"change of success, {heading_of(study, 'ood')}, points")
        for axis in (left, right):
            axis.axhline(0, color="0.85", lw=0.7, zorder=0)
        right.axvline(0, color="0.85", lw=0.7, zorder=0)
        figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
        save(figure, path)


def draw_truth(study: Study, path: Path) -> bool:
    """Draw score and success over the divergence from the start, of arms with a learned reward; False for none.

    A dot of an arm that is trained is an update; of the best of n it is an n, with its divergence at most.
    """
    told = {True: "best_of", False: "truth"}
    picks = {arm for arm, one in study["study"]["arms"].items() if one["script"] == "best_of_n"}
    runs = [run for run in study["runs"] if len(run.get(told[run["arm"] in picks]) or []) > 1]
    arms = list(dict.fromkeys(run["arm"] for run in runs))
    if not arms:
        return False
    with mpl.rc_context(STYLE):
        columns = min(len(arms), 4)
        rows = ceil(len(arms) / columns)
        figure = Figure(figsize=(7.2, 0.4 + 2.5 * rows), layout="constrained")
        every = figure.subplots(rows, columns, squeeze=False, sharey=True)
        panels = list(every.flat)[: len(arms)]
        for axis in list(every.flat)[len(arms) :]:
            axis.set_axis_off()
        twins: list[Axes] = []
        for axis, arm in zip(panels, arms, strict=True):
            twin = axis.twinx()
            twins.append(twin)
            for run in (run for run in runs if run["arm"] == arm):
                truth = run[told[arm in picks]]
                across = [sqrt(max(one["kl"], 0.0)) for one in truth]
                order = np.argsort(across)
                for where, name, colour in ((axis, "success", FAMILIES["the program's verdicts"]),
                                            (twin, "score", FAMILIES["a reward model"])):  # fmt: skip
                    values = np.array([one[name] for one in truth]) * (100 if name == "success" else 1)
                    where.plot(across, values, ls="", marker=".", ms=4, alpha=0.35, color=colour)
                    line = values[order] if arm in picks else smoothed(values[order])
                    where.plot(np.array(across)[order], line, color=colour, lw=1.4,
                               ls="-" if name == "success" else "--")  # fmt: skip
            axis.set_title(fill(label_of(study, arm), 84 // columns), loc="left")
            twin.spines["right"].set_visible(True)
        low = min(twin.get_ylim()[0] for twin in twins)
        high = max(twin.get_ylim()[1] for twin in twins)
        for twin in twins:
            twin.set_ylim(low, high)
            twin.tick_params(labelright=False)
        for axis in panels[::columns]:
            axis.set_ylabel("success, % (solid)", color=FAMILIES["the program's verdicts"])
        for twin in (*twins[columns - 1 :: columns], twins[-1]):
            twin.tick_params(labelright=True)
            twin.set_ylabel("score (dashed)", color=FAMILIES["a reward model"])
        figure.supxlabel("√KL from the start, nats", fontsize="medium")
        save(figure, path)
    return True


def smoothed(values: Any) -> Any:
    """Return running means over a fifth of the values."""
    width = max(1, len(values) // 5)
    return np.array([values[max(0, at - width) : at + width + 1].mean() for at in range(len(values))])


def draw_costs(study: Study, costs: Costs, path: Path) -> None:
    """Draw the seconds of every arm, by stage."""
    arms = arms_of(study)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.9 + 0.26 * len(arms)), layout="constrained")
        axis = figure.subplots()
        for place, arm in enumerate(reversed(arms)):
            begin = 0.0
            for stage, colour in STAGES.items():
                seconds = costs[best(study, arm)].seconds.get(stage, 0.0)
                axis.barh(place, seconds, left=begin, color=colour, height=0.7)
                begin += seconds
        axis.set_yticks(range(len(arms)), [label_of(study, arm) for arm in reversed(arms)])
        axis.set_xlabel("seconds of a core, without evaluations")
        names = {"before": "the arm that it goes on from", "pairs": "sampling of pairs", "judge": "labelling",
                 "reward": "reward model", "training": "training"}  # fmt: skip
        handles = [Patch(color=colour, label=names[stage]) for stage, colour in STAGES.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
        save(figure, path)


def draw_labels(study: Study, changes: Ends, costs: Costs, path: Path) -> bool:
    """Draw the change of success against the labels' accuracy, and against their number; False where no arm has any.

    The accuracy is of arms with as many labels as any, the number of arms whose labels are the program's.
    """
    sides: Sequence[Any] = [best(study, arm) for arm in arms_of(study) if costs[best(study, arm)].accuracy]
    if not sides:
        return False
    how, most = marks(study), max(costs[side].shown for side in sides)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 4.6), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for side in sides:
            cost, up = costs[side], changes[side, "id"]
            dot = {"ls": "", "ms": 6, "mec": "white", "mew": 0.6, "elinewidth": 0.8, **how[side[0]]}
            assert cost.accuracy is not None
            if cost.shown == most:
                left.errorbar(100 * cost.accuracy[0], 100 * up.mean, yerr=reach(up), **dot)
            if cost.asked == ASKED["program"]:
                right.errorbar(cost.kept, 100 * up.mean, yerr=reach(up), **dot)
        for axis in (left, right):
            axis.axhline(0, color="0.85", lw=0.7, zorder=0)
        left.axvline(50, color="0.85", lw=0.7, zorder=0)
        left.set_xlabel("labels that prefer the response of the higher reward, %", color=INK)
        left.set_ylabel(f"change of success,\n{heading_of(study, 'id')}, points")
        right.set_xscale("log")
        right.set_xlabel("labels of the program's trained on", color=INK)
        right.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        right.xaxis.set_minor_formatter(NullFormatter())
        handles = [Line2D([], [], ls="", ms=6, label=label_of(study, side[0]), **how[side[0]]) for side in sides]
        figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
        save(figure, path)
    return True


def draw_reliability(study: Study, path: Path) -> bool:
    """Draw how often labels are right over how sure whoever gave them was; False where nobody told."""
    told = [
        (stage if len(study["labels"]) == 1 else f"{stage}, {start}", found["reliability"])
        for start, stages in study["labels"].items()
        for stage, found in stages.items()
        if found.get("reliability")
    ]
    if not told:
        return False
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 3.6), layout="constrained")
        axis = figure.subplots()
        axis.plot([50, 100], [50, 100], color="0.75", lw=0.8, ls=":")
        for number, (name, bins) in enumerate(told):
            sure, _, mean, low, high = (np.array([np.nan if one is None else one for one in row], dtype=float)
                                        for row in zip(*bins, strict=True))  # fmt: skip
            spread = 100 * np.nan_to_num(np.clip([mean - low, high - mean], 0, None))
            axis.errorbar(100 * sure, 100 * mean, yerr=spread, marker=MARKERS[number % len(MARKERS)], lw=1.2, ms=5,
                          elinewidth=0.8, label=name)  # fmt: skip
        axis.set_xlabel("probability of the response that is preferred, %", color=INK)
        axis.set_ylabel("right by the program, %")
        axis.set_ylim(0, 102)
        axis.legend(frameon=False)
        save(figure, path)
    return True
