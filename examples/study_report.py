"""The study's report: tables and a figure from study.json."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from study_arms import at_rate, difference
from study_tasks import Task, measured, task_of
from verienv.evaluation import CellResult, Evaluation, Setup, recognition_figure

Point = dict[str, Any]
COLOURS = {"sft": "#c44e52", "ppo": "#3b6fb6"}
LABELS = {"sft": "SFT", "ppo": "RL (PPO)"}
DASHES = ("-", "--", ":", "-.")
"""One for each learning rate, in their order."""


def make_cells(runs: list[dict[str, Any]]) -> list[str]:
    """Every cell, the one that was trained on first."""
    return list(runs[0]["points"][0]["cells"])


def write_report(study: dict[str, Any], out: Path) -> str:
    """Write report.md and figure.png into ``out``, with vision recognition.png too; the report's text."""
    arguments, runs = study["arguments"], study["runs"]
    start = runs[0]["points"][0]["cells"].values()
    task = task_of(arguments["env"], arguments.get("cells"))
    task = measured(task, set.intersection(*(set(cell["metrics"]) for cell in start)))
    pictures = ["![results over compute, and OOD against in-distribution gain and KL](figure.png)"]
    draw(runs, task, out / "figure.png")
    if task.recognition:
        draw_recognition(runs, task, out / "recognition.png")
        pictures.append("![recognition against success, at the start and at the end of each run](recognition.png)")
    reading = [
        f"# SFT against RL on {arguments['env']}",
        *([f"**{study['note']}**"] if study.get("note") else []),
        f"Start: {arguments['model']}. Budget: {arguments['flops']:.3g} FLOPs a run, {len(arguments['rates'])} "
        f"learning rate(s), {len(arguments['seeds'])} seed(s); {arguments['episodes']} episodes a cell "
        f"({arguments['training_cell_episodes']} in the first), "
        f"{arguments['attempts']} attempts, {sampling(arguments)}. Trained on {make_cells(runs)[0]}, alone. "
        f"{study['device']}, "
        f"{study['threads']} thread(s), torch {study['versions']['torch']}, revision {study['revision'][:10]}.",
        *(
            f"## {title[:1].upper() + title[1:]}, in percent\n\n{table(runs, gauge)}"
            for gauge, title in task.gauges.items()
        ),
        "In brackets the paired difference from the start, with its 95% interval, clustered by "
        f"{task.cluster}; how it is made: docs/statistics.md.",
        f"## SFT against RL, in points\n\n{arms_table(runs, task)}\n\n{arms_note(runs, task)}",
        "## What came out\n\n" + "\n".join([*findings(runs, task), *arms_findings(runs, task)]),
        "## Beside the paper\n\n" + task.paper,
        "## What may be concluded\n\n" + caveats(arguments, task),
        *pictures,
    ]
    text = "\n\n".join(reading)
    (out / "report.md").write_text(text + "\n")
    return text


def sampling(arguments: dict[str, Any]) -> str:
    """How the policies answered in evaluation."""
    at = arguments["temperature"] if arguments["evaluated_at"] is None else arguments["evaluated_at"]
    trained = "as in PPO's rollouts" if at == arguments["temperature"] else "unlike PPO's rollouts"
    return f"answers sampled at temperature {at:g} ({trained})" if at else "greedy answers"


def table(runs: list[dict[str, Any]], gauge: str) -> str:
    """A Markdown table of the end of each run: cells by policies, or the other way round where these are many."""
    start = runs[0]["points"][0]["cells"]
    last = [run["points"][-1] for run in runs]
    rows = [["", "start", *map(name_of, runs)], ["KL from the start", "0", *(f"{point['kl']:.2f}" for point in last)]]
    for name in make_cells(runs):
        values = [
            f"{percent(cell, gauge)} ({interval(cell['difference'][gauge])})"
            for cell in (point["cells"][name] for point in last)
        ]
        rows.append([name, percent(start[name], gauge), *values])
    if len(runs) > 3:
        rows = list(map(list, zip(*rows, strict=True)))
    return aligned(rows)


def aligned(rows: list[list[str]]) -> str:
    """Rows as a Markdown table, the first as its head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"| {' | '.join(map(str.ljust, row, widths))} |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def arms_table(runs: list[dict[str, Any]], task: Task) -> str:
    """RL less SFT at the end, by learning rate and cell, in every gauge; seeds pooled."""
    rows = [["RL - SFT", *(short(task, gauge) for gauge in task.gauges)]]
    for rate in rates_of(runs):
        for cell in make_cells(runs):
            found = (difference(runs, rate, ("ppo", "sft"), cell, gauge) for gauge in task.gauges)
            rows.append([f"rate {rate:g}, {cell}", *map(interval, found)])
    return aligned(rows)


def arms_note(runs: list[dict[str, Any]], task: Task) -> str:
    """What the intervals of ``arms_table`` cover."""
    seeds = max(len(at_rate(runs, "sft", rate)) for rate in rates_of(runs))
    paired = all("played" in cell for run in runs for point in run["points"] for cell in point["cells"].values())
    pairing = (
        f"Both arms played the same {task.unit}, which are paired, clustered by {task.cluster}"
        if paired
        else "This study.json holds no episodes: the arms count as measured apart, which is wider than need be"
    )
    if seeds > 1:
        covered = (
            f"{seeds} seeds are pooled, the same {task.unit} under all of them being one cluster: the intervals are "
        )
        covered += f"about other {task.unit} and other seeds"
    else:
        covered = (
            f"The intervals are about other {task.unit} and these runs: of other seeds of training they say nothing"
        )
    return f"{pairing}. {covered}."


def arms_findings(runs: list[dict[str, Any]], task: Task) -> list[str]:
    """For each learning rate, which arm ended higher where it was trained and shifted."""
    lines = []
    for rate in rates_of(runs):
        seeds = len(at_rate(runs, "sft", rate))
        for cell in (make_cells(runs)[0], *task.shifts.values()):
            found = difference(runs, rate, ("ppo", "sft"), cell, task.headline)
            verdict = "RL higher" if found.low > 0 else "SFT higher" if found.high < 0 else "no difference shown"
            told = f"RL - SFT, rate {rate:g}, {seeds} seed{'s' * (seeds > 1)}, {cell}"
            lines.append(f"- {told}: {verdict} ({interval(found)} points).")
    return lines


def rates_of(runs: list[dict[str, Any]]) -> list[float]:
    return sorted({run["rate"] for run in runs})


def name_of(run: dict[str, Any]) -> str:
    return f"{LABELS[run['arm']]}, rate {run['rate']:g}, seed {run['seed']}"


def percent(cell: Point, gauge: str) -> str:
    """A metric of a cell, "-" where it had no occasion."""
    mean = cell["metrics"][gauge][0]
    return "-" if mean is None or isnan(mean) else f"{100 * mean:.1f}"


def interval(difference: Sequence[float | None]) -> str:
    # Rounded before they are written, + 0.0: rounding leaves no -0.0.
    mean, low, high = (None if value is None or isnan(value) else round(100 * value, 1) + 0.0 for value in difference)
    if mean is None:
        return "?"
    return f"{mean:+.1f}, {'no interval' if low is None else f'{low:+.1f} to {high:+.1f}'}"


def findings(runs: list[dict[str, Any]], task: Task) -> list[str]:
    """For each run, whether the headline rose or fell where it was trained and shifted; another gauge where it is 0."""
    lines = []
    for run in runs:
        for cell in (make_cells(runs)[0], *task.shifts.values()):
            ends = [run["points"][end]["cells"][cell] for end in (0, -1)]
            unsolved = not any(end["metrics"][task.headline][0] for end in ends)
            difference = ends[1]["difference"][task.unsolved if unsolved else task.headline]
            low, high = difference[1], difference[2]
            verdict = "no difference shown"
            if low is not None and low > 0:
                verdict = "improves"
            elif high is not None and high < 0:
                verdict = "worsens"
            told = f"nothing solved before or after; {short(task, task.unsolved)}: {verdict}" if unsolved else verdict
            lines.append(f"- {name_of(run)}, {cell}: {told} ({interval(difference)} points).")
    return lines


def short(task: Task, gauge: str) -> str:
    """What a gauge is called in few words."""
    return task.gauges[gauge].partition(" (")[0]


def caveats(arguments: dict[str, Any], task: Task) -> str:
    """What this setting can and cannot show."""
    few = len(arguments["rates"]) < 3 or len(arguments["seeds"]) < 3
    lines = [
        "- Fewer than 3 rates and 3 seeds an arm are a demonstration, not a comparison of SFT with RL (`--rates`, "
        "`--seeds`)."
        if few
        else "- Both arms ran the same grid of rates and seeds; no rate was chosen by an out-of-distribution number.",
        f"- The paper's numbers are of Llama-3.2-Vision-11B on {task.paper_setting}; ours are of another "
        "model, another start and unlike amounts of compute. What can be compared is the direction of a change.",
        "- At a temperature above 0 a policy also gains by becoming surer of what it knows. How much of a gain is left "
        "with greedy answers: the same command with `--evaluated-at 0`.",
        "- Each interval is meant for itself: of twenty differences that are none, one may be expected to exclude 0.",
        f"- Claims about in-distribution learning are about {task.unit} of the train side; other {task.unit} stand "
        "beside them as they are.",
    ]
    lines += [f"- {caveat}" for caveat in task.caveats.get(arguments["model"], ())]
    return "\n".join(lines)


def draw(runs: list[dict[str, Any]], task: Task, path: Path) -> None:
    """The headline over compute in each cell; OOD gain against in-distribution gain and KL; further gauges."""
    cells, shifts, headline = make_cells(runs), task.shifts, task.headline
    trained, shifted = cells[0], cells[min(1, len(cells) - 1)]
    columns = 3 if len(cells) % 4 else 4
    rows = -(-len(cells) // columns)
    figure, axes = plt.subplots(rows + 1, columns, figsize=(4 * columns, 3.6 * (rows + 1)), layout="constrained")
    for axis in [*axes[:rows].flat][len(cells) :]:
        axis.set_visible(False)
    for axis, cell in zip(axes[:rows].flat, cells, strict=False):
        over_compute(axis, runs, cell, headline)
        axis.set_title(cell, fontsize=11)
    for axis in axes[:rows, 0]:
        axis.set_ylabel(f"{short(task, headline)}, %")
    last, trails = list(axes[rows]), columns - 1 - len(task.corners)
    for axis in last[len(shifts) : trails]:
        axis.set_visible(False)
    for cell, axis in zip(list(shifts.values())[:trails], last, strict=False):
        trail(axis, runs, cell, headline, lambda point: gain(point, trained, headline))
        axis.set(xlabel=f"gain in {trained}, points", ylabel=f"gain {where(task, cell)}, points")
        axis.axvline(0, color="0.7", lw=0.8, zorder=0)
    left = last[trails:]
    trail(left[0], runs, shifted, headline, lambda point: point["kl"])
    left[0].set(xlabel="KL from the start, nats a response", ylabel=f"gain {where(task, shifted)}, points")
    for axis, gauge in zip(left[1:], task.corners, strict=True):
        over_compute(axis, runs, shifted, gauge)
        axis.set_ylabel(f"{short(task, gauge)}, %")
        axis.set_title(shifted, fontsize=11)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(*unique(handles, labels), loc="outside lower center", ncols=6, frameon=False)
    figure.suptitle(f"SFT against RL from one start, {task.title}", x=0.01, ha="left", fontsize=13)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def where(task: Task, cell: str) -> str:
    """Return the words that tell a cell from training; of a cell of one's own, its name."""
    shift = next((shift for shift, shifted in task.shifts.items() if shifted == cell), cell)
    return f"in {cell}" if shift == cell else f"under another {shift}"


def draw_recognition(runs: list[dict[str, Any]], task: Task, path: Path) -> None:
    """Recognition against success where it was trained and shifted, of the start and of the end of up to six runs."""
    cells = [make_cells(runs)[0], *task.shifts.values()]
    ends = {"start": runs[0]["points"][0]} | {name_of(run): run["points"][-1] for run in runs[:6]}
    setup = Setup(env_id="", cells={}, episodes=0, seed=0, recognition=task.recognition)
    evaluations = {
        name: Evaluation(setup=setup, cells={cell: result_of(point["cells"][cell]) for cell in cells}, episodes=())
        for name, point in ends.items()
    }
    recognition_figure(evaluations, path)


def result_of(cell: dict[str, Any]) -> CellResult:
    """A cell of study.json as it was evaluated."""
    fields = ("episodes", "clusters", "metrics", "failures", "recognition")
    return CellResult(**{field: cell[field] for field in fields}, first_failures={})


def over_compute(axis: Axes, runs: list[dict[str, Any]], cell: str, gauge: str) -> None:
    for run in runs:
        points = run["points"]
        values = [percents(point["cells"][cell]["metrics"][gauge]) for point in points]
        compute = [point["flops"] for point in points]
        means = [value[0] for value in values]
        colour = COLOURS[run["arm"]]
        label = f"{LABELS[run['arm']]}, rate {run['rate']:g}"
        axis.plot(compute, means, marker="o", ms=4, ls=dashes(run, runs), color=colour, label=label)
        low, high = [value[1] for value in values], [value[2] for value in values]
        if len(runs) <= 4:  # the bands of more would hide each other
            axis.fill_between(compute, low, high, color=colour, alpha=0.12)
    axis.set(ylim=(-2, 102), xlabel="training compute, FLOPs")
    axis.grid(alpha=0.25)


def dashes(run: dict[str, Any], runs: list[dict[str, Any]]) -> str:
    return DASHES[rates_of(runs).index(run["rate"]) % len(DASHES)]


def percents(estimate: Sequence[float | None]) -> list[float]:
    """Mean, low and high in percent; NaN, which is not drawn, where unknown."""
    return [nan if part is None else 100 * part for part in estimate]


def gain(point: Point, cell: str, gauge: str) -> float:
    return percents(point["cells"][cell]["difference"][gauge])[0]


def trail(axis: Axes, runs: list[dict[str, Any]], cell: str, gauge: str, along: Any) -> None:
    """Gain in a cell at the checkpoints of each run, joined in order; the last is the large mark, with its interval."""
    for run in runs:
        across = [along(point) for point in run["points"]]
        up = [gain(point, cell, gauge) for point in run["points"]]
        axis.plot(across, up, marker="o", ms=4, ls=dashes(run, runs), color=COLOURS[run["arm"]], alpha=0.8)
        _, low, high = percents(run["points"][-1]["cells"][cell]["difference"][gauge])
        ends = [[max(up[-1] - low, 0)], [max(high - up[-1], 0)]]
        axis.errorbar(across[-1], up[-1], yerr=ends, marker="o", ms=9, lw=1, capsize=3, color=COLOURS[run["arm"]])
    low, high = axis.get_ylim()
    axis.set_ylim(min(low, -5), max(high, 5))  # where nothing changed it shall look so
    axis.axhline(0, color="0.7", lw=0.8, zorder=0)
    axis.grid(alpha=0.25)


def unique(handles: list[Any], labels: list[str]) -> tuple[list[Any], list[str]]:
    by_label = dict(zip(labels, handles, strict=True))
    return list(by_label.values()), list(by_label)
