"""The study's report: tables and a figure from study.json."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

Point = dict[str, Any]
COLOURS = {"sft": "#c44e52", "ppo": "#3b6fb6"}
LABELS = {"sft": "SFT", "ppo": "RL (PPO)"}
DASHES = ("-", "--", ":", "-.")
"""One for each learning rate, in their order."""
SEEN, SEEN_OOD, UNSEEN, UNSEEN_OOD = (
    "seen hands, J=Q=K=10",
    "seen hands, 11-12-13",
    "unseen hands, J=Q=K=10",
    "unseen hands, 11-12-13",
)
CELLS = (SEEN, SEEN_OOD, UNSEEN, UNSEEN_OOD)
GAUGES = {
    "success": "success within the attempts",
    "first_success": "success at the first attempt",
    "numbers_correct": "rule reading (numbers right under the stated rule)",
    "formula_valid": "validity (legal, with the right numbers)",
}


def write_report(study: dict[str, Any], out: Path) -> str:
    """Write report.md and figure.png into ``out``; the report's text."""
    draw(study["runs"], out / "figure.png")
    arguments, runs = study["arguments"], study["runs"]
    reading = [
        f"# SFT against RL on {arguments['env']}",
        f"Start: {arguments['model']}. Budget: {arguments['flops']:.3g} FLOPs a run, {len(arguments['rates'])} "
        f"learning rate(s), {len(arguments['seeds'])} seed(s); {arguments['episodes']} episodes a cell "
        f"({arguments['training_cell_episodes']} in the first), "
        f"{arguments['attempts']} attempts, {sampling(arguments)}. Trained on seen hands with J = Q = K = 10 alone. "
        f"{study['device']}, "
        f"{study['threads']} threads, torch {study['versions']['torch']}, revision {study['revision'][:10]}.",
        *(f"## {title[:1].upper() + title[1:]}, in percent\n\n{table(runs, gauge)}" for gauge, title in GAUGES.items()),
        "In brackets the paired difference from the start, with its 95% interval: a bootstrap clustered by the hand's "
        "numbers.",
        "## What came out\n\n" + "\n".join(findings(runs)),
        "## What may be concluded\n\n" + caveats(arguments),
        "![success over compute, and OOD against in-distribution gain and KL](figure.png)",
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
    """A Markdown table, policies by cells: the end of each run."""
    start = runs[0]["points"][0]["cells"]
    rows = [["policy", "KL", *CELLS]]
    rows.append(["start", "0", *(f"{100 * start[cell]['metrics'][gauge][0]:.1f}" for cell in CELLS)])
    for run in runs:
        last = run["points"][-1]
        values = [
            f"{100 * cell['metrics'][gauge][0]:.1f} ({interval(cell['difference'][gauge])})"
            for cell in (last["cells"][name] for name in CELLS)
        ]
        rows.append([name_of(run), f"{last['kl']:.2f}", *values])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"| {' | '.join(map(str.ljust, row, widths))} |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def name_of(run: dict[str, Any]) -> str:
    return f"{LABELS[run['arm']]}, rate {run['rate']:g}, seed {run['seed']}"


def interval(difference: list[float | None]) -> str:
    mean, low, high = (None if value is None or isnan(value) else 100 * value for value in difference)
    if mean is None:
        return "?"
    return f"{mean:+.1f}, {'too few hands for an interval' if low is None else f'{low:+.1f} to {high:+.1f}'}"


def findings(runs: list[dict[str, Any]]) -> list[str]:
    """For each run and rule, whether success on seen hands rose or fell."""
    lines = []
    for run in runs:
        for cell in (SEEN, SEEN_OOD):
            difference = run["points"][-1]["cells"][cell]["difference"]["success"]
            low, high = difference[1], difference[2]
            verdict = "no difference shown"
            if low is not None and low > 0:
                verdict = "improves"
            elif high is not None and high < 0:
                verdict = "worsens"
            lines.append(f"- {name_of(run)}, {cell}: {verdict} ({interval(difference)} points).")
    return lines


def caveats(arguments: dict[str, Any]) -> str:
    """What this setting can and cannot show."""
    few = len(arguments["rates"]) < 3 or len(arguments["seeds"]) < 3
    lines = [
        "- Fewer than 3 rates and 3 seeds an arm are a demonstration, not a comparison of SFT with RL (`--rates`, "
        "`--seeds`)."
        if few
        else "- Both arms ran the same grid of rates and seeds; no rate was chosen by an out-of-distribution number.",
        "- The paper (arXiv 2501.17161, Llama-3.2-Vision-11B) reports rule-OOD success of 11.5 at the start, 3.4 after "
        "SFT and 15.0 after RL. Our numbers are of another model, another start and unlike amounts of compute.",
        "- At a temperature above 0 a policy also gains by becoming surer of what it knows. How much of a gain is left "
        "with greedy answers: the same command with `--evaluated-at 0`.",
        "- Claims about in-distribution learning are about seen hands; unseen hands stand beside them as they are.",
    ]
    if arguments["model"] == "tiny-lm":
        lines.append(
            "- tiny-lm was trained under many J/Q/K mappings (never 11-12-13): what is measured under 11-12-13 is the "
            "*retention* of an ability that the start had, not its emergence. It mostly recalls hands, and hardly "
            "solves hands whose numbers it never met; there rule reading and validity are the gauges."
        )
    return "\n".join(lines)


def draw(runs: list[dict[str, Any]], path: Path) -> None:
    """Success over compute in each cell; OOD gain against in-distribution gain and KL; rule reading."""
    figure, axes = plt.subplots(2, 4, figsize=(16, 7.2), layout="constrained")
    for axis, cell in zip(axes[0], CELLS, strict=True):
        over_compute(axis, runs, cell, "success")
        axis.set_title(cell, fontsize=11)
    axes[0, 0].set_ylabel("success within the attempts, %")
    trail(axes[1, 0], runs, lambda point: gain(point, SEEN))
    axes[1, 0].set(xlabel="in-distribution gain (seen, J=Q=K=10), points", ylabel="OOD gain (seen, 11-12-13), points")
    axes[1, 0].axvline(0, color="0.7", lw=0.8, zorder=0)
    trail(axes[1, 1], runs, lambda point: point["kl"])
    axes[1, 1].set(xlabel="KL from the start, nats a response", ylabel="OOD gain (seen, 11-12-13), points")
    over_compute(axes[1, 2], runs, SEEN_OOD, "numbers_correct")
    axes[1, 2].set_ylabel("rule reading (seen, 11-12-13), %")
    over_compute(axes[1, 3], runs, SEEN_OOD, "formula_valid")
    axes[1, 3].set_ylabel("validity (seen, 11-12-13), %")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(*unique(handles, labels), loc="outside lower center", ncols=6, frameon=False)
    figure.suptitle("SFT against RL from one start, GeneralPoints in words", x=0.01, ha="left", fontsize=13)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def over_compute(axis: Axes, runs: list[dict[str, Any]], cell: str, gauge: str) -> None:
    for run in runs:
        points = run["points"]
        values = [[100 * (part or 0) for part in point["cells"][cell]["metrics"][gauge]] for point in points]
        compute = [point["flops"] for point in points]
        means = [value[0] for value in values]
        colour = COLOURS[run["arm"]]
        label = f"{LABELS[run['arm']]}, rate {run['rate']:g}"
        axis.plot(compute, means, marker="o", ms=4, ls=dashes(run, runs), color=colour, label=label)
        low, high = [value[1] for value in values], [value[2] for value in values]
        axis.fill_between(compute, low, high, color=colour, alpha=0.12)
    axis.set(ylim=(-2, 102), xlabel="training compute, FLOPs")
    axis.grid(alpha=0.25)


def dashes(run: dict[str, Any], runs: list[dict[str, Any]]) -> str:
    rates = sorted({each["rate"] for each in runs})
    return DASHES[rates.index(run["rate"]) % len(DASHES)]


def gain(point: Point, cell: str) -> float:
    return 100 * point["cells"][cell]["difference"]["success"][0]


def trail(axis: Axes, runs: list[dict[str, Any]], along: Any) -> None:
    """OOD gain of the checkpoints of each run, joined in order; the last is the large mark, with its interval."""
    for run in runs:
        across = [along(point) for point in run["points"]]
        up = [gain(point, SEEN_OOD) for point in run["points"]]
        axis.plot(across, up, marker="o", ms=4, ls=dashes(run, runs), color=COLOURS[run["arm"]], alpha=0.8)
        low, high = (100 * (part or 0) for part in run["points"][-1]["cells"][SEEN_OOD]["difference"]["success"][1:])
        ends = [[max(up[-1] - low, 0)], [max(high - up[-1], 0)]]
        axis.errorbar(across[-1], up[-1], yerr=ends, marker="o", ms=9, lw=1, capsize=3, color=COLOURS[run["arm"]])
    axis.axhline(0, color="0.7", lw=0.8, zorder=0)
    axis.grid(alpha=0.25)


def unique(handles: list[Any], labels: list[str]) -> tuple[list[Any], list[str]]:
    by_label = dict(zip(labels, handles, strict=True))
    return list(by_label.values()), list(by_label)
