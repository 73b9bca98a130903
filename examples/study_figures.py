"""The figures of a study, from study.json alone: each as PNG and PDF, to be printed at its own size.

OOD success against ID success, a line a run; start and end beside the numbers of a publication; recognition against
success. Colours are safe for the colour-blind: one for each learning rate, from the lowest (dark) to the highest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from study_comparisons import (
    Ends,
    arms_of,
    heading_of,
    label_of,
    mean_over_starts,
    plane_of,
    rate_name,
    rates_of,
    through,
)
from study_statistics import Effect
from verienv.core.files import atomic_write

Study = dict[str, Any]
Run = dict[str, Any]
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "h")
"""Shapes of the arms, in their order."""
DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
"""Lines of the arms' means, in their order."""
GREY, INK = "0.6", "0.15"
STYLE = {"font.size": 9, "axes.titlesize": 9, "axes.labelsize": 9, "xtick.labelsize": 8, "ytick.labelsize": 8,
         "legend.fontsize": 8, "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.7,
         "pdf.fonttype": 42, "text.parse_math": False}  # fmt: skip


def percents(run: Run, cell: str, metric: str = "success") -> np.ndarray[Any, Any]:
    """Return a metric of a run's points in a cell, in percent; NaN where there is none."""
    found = [point["cells"][cell]["metrics"].get(metric) for point in run["points"]]
    return 100 * np.array([np.nan if one is None else one for one in found], dtype=float)


def along(run: Run, cell: str) -> Any:
    """Return where a run's points lie from left to right: success in a cell, in percent, or "" for updates."""
    return percents(run, cell) if cell else np.array([point["update"] for point in run["points"]], dtype=float)


def colours_of(rates: Sequence[float]) -> dict[float, Any]:
    """Return a colour for each rate."""
    return dict(zip(rates, mpl.colormaps["plasma"](np.linspace(0.0, 0.8, max(len(rates), 2))), strict=False))


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG and as PDF, without the time at which it was drawn; ``path`` has no ending."""
    for ending in ("png", "pdf"):
        with atomic_write(f"{path}.{ending}") as part:
            figure.savefig(part, format=ending, dpi=150, metadata={"CreationDate": None} if ending == "pdf" else None)


def reach(effect: Effect) -> list[list[float]]:
    """Return how far an interval reaches below and above its mean, in points; 0 where that is not known."""
    mean, low, high = (100 * number for number in effect[:3])
    return [[0.0 if np.isnan(part) else max(part, 0.0)] for part in (mean - low, high - mean)]


def draw_plane(study: Study, ends: Ends, path: Path) -> None:
    """Draw OOD success against ID success, in percent: a pale line a run, a strong one the mean over starts.

    The mean at the end has its 95% interval both ways. More than two arms have a panel each.
    """
    study = through(study)
    arms = arms_of(study)
    panels = [[arm] for arm in arms] if len(arms) > 2 else [arms]
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    trained, held_out = plane_of(study)
    with mpl.rc_context(STYLE):
        size = (6.9, 4.4) if len(panels) == 1 else (7.2, 1.0 + 2.4 * rows)
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.05, h_pad=0.05))
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axis, shown in zip(axes.flat, panels, strict=False):
            draw_runs(axis, study, shown, ends)
            if len(panels) > 1:
                axis.set_title(label_of(study, shown[0]), loc="left")
        hide_rest(axes, len(panels))
        figure.supxlabel(f"success, {heading_of(study, trained)}, %" if trained else "update", fontsize=9)
        figure.supylabel(f"success, {heading_of(study, held_out)}, %", fontsize=9)
        add_legend(figure, study, arms if len(panels) == 1 else (), beside=len(panels) == 1)
        save(figure, path)


def hide_rest(axes: Any, count: int) -> None:
    """Hide the panels behind the first ``count``; those above them have the numbers of the axis that they share."""
    for place in range(count, axes.size):
        axes.flat[place].set_visible(False)
        axes.flat[place - axes.shape[1]].tick_params(labelbottom=True)


def draw_runs(axis: Axes, study: Study, arms: Sequence[str], ends: Ends) -> None:
    """Draw the runs of some arms, their means, and where they began."""
    trained, held_out = plane_of(study)
    colours, all_arms = colours_of(rates_of(study)), arms_of(study)
    runs = [run for run in study["runs"] if run["arm"] in arms]
    pale = {"lw": 0.5, "alpha": 0.2} if len(runs) > 30 else {"lw": 0.8, "alpha": 0.4}
    for run in runs:
        marker = MARKERS[all_arms.index(run["arm"]) % len(MARKERS)]
        axis.plot(along(run, trained), percents(run, held_out), color=colours[run["rate"]], zorder=2,
                  marker=marker, ms=2, mew=0, markevery=slice(1, None), **pale)  # fmt: skip
    starts = {run["start"]: (along(run, trained)[0], percents(run, held_out)[0]) for run in study["runs"]}
    middle = np.mean(list(starts.values()), axis=0)
    axis.axvline(middle[0], color="0.85", lw=0.7, zorder=0)
    axis.axhline(middle[1], color="0.85", lw=0.7, zorder=0)
    for index, arm in enumerate(all_arms):
        for rate in rates_of(study, arm) if arm in arms else ():
            own = [run for run in runs if (run["arm"], run["rate"]) == (arm, rate)]
            common = min(len(run["points"]) for run in own)
            found = [ends.get(((arm, rate), cell)) for cell in (trained, held_out)]
            lines = [
                mean_over_starts(own, [line(run)[:common] for run in own])
                for line in (lambda run: along(run, trained), lambda run: percents(run, held_out))
            ]
            last = [line[-1] if end is None else 100 * end.mean for line, end in zip(lines, found, strict=True)]
            across, up = ([*line, end] for line, end in zip(lines, last, strict=True))
            dashes = DASHES[index % len(DASHES)] if len(arms) > 1 else "-"
            axis.plot(across, up, color=colours[rate], lw=1.6, ls=dashes, zorder=4)
            wide, high = (None if end is None else reach(end) for end in found)
            axis.errorbar(*last, xerr=wide, yerr=high, fmt=MARKERS[index % len(MARKERS)], ms=6.5, color=colours[rate],
                          mec="white", mew=0.7, elinewidth=1.1, zorder=6)  # fmt: skip
    if len(starts) > 1:
        axis.plot(*zip(*starts.values(), strict=True), ls="", marker="+", ms=5, mew=0.9, color="0.45", zorder=3)
    axis.plot(*middle, ls="", marker="*", ms=10, color=INK, mec="white", mew=0.6, zorder=7)
    axis.margins(0.04)


def add_legend(figure: Figure, study: Study, arms: Sequence[str], beside: bool, each: bool = True) -> None:
    """Tell the shapes of some arms, the rates' colours, and the start or ``each``: beside the axes, or above them."""
    several = len({run["start"] for run in study["runs"]}) > 1
    handles = [Line2D([], [], ls="", marker="*", ms=9, color=INK, label="start, mean" if several else "start")]
    if several and each:
        handles.append(Line2D([], [], ls="", marker="+", ms=5, color="0.45", label="each start"))
    for arm in arms:
        index = arms_of(study).index(arm)
        dashes, marker = DASHES[index % len(DASHES)] if beside else "-", MARKERS[index % len(MARKERS)]
        handles.append(Line2D([], [], ls=dashes, lw=1.4, marker=marker, ms=5, color="0.4", label=label_of(study, arm)))
    for rate, colour in colours_of(rates_of(study)).items():
        handles.append(Line2D([], [], lw=4, color=colour, label=f"rate {rate_name(rate)}"))
    figure.legend(handles=handles, loc="outside right upper" if beside else "outside upper left",
                  ncols=1 if beside else 5, frameon=False, handlelength=2.4)  # fmt: skip


def draw_published(study: Study, ends: Ends, path: Path) -> None:
    """Draw success at the start and the end in each cell with a publication's numbers, and those in grey.

    A panel a cell, and in it a line for each arm and rate; the publication's are never pooled with ours.
    """
    published = study["study"]["published"]
    cells = list(dict.fromkeys(one["cell"] for one in published))
    headline, colours = study["study"]["headline"], colours_of(rates_of(study))
    with mpl.rc_context(STYLE):
        many = len({(one["cell"], one["arm"]) for one in published})
        figure = Figure(
            figsize=(min(1.6 + 1.2 * max(many, len(cells) + 1), 7.2), 3.4), layout=ConstrainedLayoutEngine(w_pad=0.05)
        )
        axes = figure.subplots(1, len(cells), sharey=True, squeeze=False)[0]
        for axis, cell in zip(axes, cells, strict=True):
            arms = [arm for arm in arms_of(study) if arm in {one["arm"] for one in published if one["cell"] == cell}]
            for place, arm in enumerate(arms):
                marker = MARKERS[arms_of(study).index(arm) % len(MARKERS)]
                for one in published:
                    if (one["cell"], one["arm"]) == (cell, arm):
                        axis.plot([place - 0.3, place + 0.3], [one["start"], one["end"]], color=GREY, lw=1.5,
                                  marker=marker, ms=6, mfc="white", clip_on=False, zorder=2)  # fmt: skip
                for step, rate in enumerate(rates_of(study, arm)):
                    own = [run for run in study["runs"] if (run["arm"], run["rate"]) == (arm, rate)]
                    before, after = mean_over_starts(own, [percents(run, cell, headline)[[0, -1]] for run in own])
                    shift = 0.05 * step
                    axis.plot([place - 0.3 + shift, place + 0.3 + shift], [before, after], color=colours[rate], lw=1.5,
                              marker=marker, ms=5, zorder=3)  # fmt: skip
                    end = ends.get(((arm, rate), cell))
                    if end is not None and headline == "success":
                        axis.errorbar(place + 0.3 + shift, 100 * end.mean, yerr=reach(end), fmt="none",
                                      ecolor=colours[rate], elinewidth=1.1, zorder=4)  # fmt: skip
            axis.set_xticks(range(len(arms)), [f"{fill(label_of(study, arm), 14)}\nstart, end" for arm in arms])
            axis.set_title(fill(heading_of(study, cell), 26), loc="left")
            axis.margins(x=0.12, y=0.06)
        axes[0].set_ylim(bottom=max(0.0, axes[0].get_ylim()[0]))
        axes[0].set_ylabel(f"{study['study']['gauges'].get(headline, headline).partition(' (')[0]}, %")
        handles = [Line2D([], [], color=GREY, lw=1.5, marker="o", mfc="white", ms=6, label="publication")]
        handles += [
            Line2D([], [], color=colour, lw=1.5, label=f"ours, rate {rate_name(rate)}")
            for rate, colour in colours.items()
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)), frameon=False)
        save(figure, path)


def draw_recognition(study: Study, metric: str, path: Path) -> None:
    """Draw success against recognition, in percent, from start to end: a panel a cell, a line for each arm and rate."""
    cells = [cell for cell in study["items"] if cell != "matching"]
    columns = min(len(cells), 3)
    rows, colours = -(-len(cells) // columns), colours_of(rates_of(study))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.9 + 2.4 * rows), layout=ConstrainedLayoutEngine(w_pad=0.05, h_pad=0.05))
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axis, cell in zip(axes.flat, cells, strict=False):
            axis.set_title(fill(heading_of(study, cell), 32), loc="left")
            axis.margins(0.08)
            for index, arm in enumerate(arms_of(study)):
                for rate in rates_of(study, arm):
                    own = [run for run in study["runs"] if (run["arm"], run["rate"]) == (arm, rate)]
                    x, y = (
                        mean_over_starts(own, [percents(run, cell, name)[[0, -1]] for run in own])
                        for name in (metric, "success")
                    )
                    marker = MARKERS[index % len(MARKERS)]
                    axis.plot(x, y, color=colours[rate], lw=1.4, marker=marker, ms=6, mec="white", mew=0.6,
                              markevery=[1], zorder=3)  # fmt: skip
                    axis.plot(x[0], y[0], marker="*", ms=10, color=INK, mec="white", mew=0.6, zorder=4)
        hide_rest(axes, len(cells))
        figure.supxlabel(f"{study['study']['gauges'][metric]}, %", fontsize=9)
        figure.supylabel("success, %", fontsize=9)
        add_legend(figure, study, arms_of(study), beside=False, each=False)
        save(figure, path)
