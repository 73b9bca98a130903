"""Learning curves of examples/cleanrl_ppo.py: one figure, one JSON file, and a table to print.

    python tools/numeric_figure.py --out docs/results/numeric/generalpoints-tokens \
        --panels "three cards=runs/numeric/three-cards-seed-*" "four cards=runs/numeric/four-cards-seed-*"

A panel is a title and the folders of its runs, which differ in their seed alone. It writes <out>.png and <out>.json.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import tyro

mpl.use("Agg")
from matplotlib import pyplot as plt

COLORS = ("#2c5f8a", "#c8642b", "#4d8a4d", "#7a4d8a")


@dataclass
class Arguments:
    panels: tuple[str, ...]
    """Each "title=pattern of folders"."""
    out: Path
    """The figure and the data, without their endings."""
    height: float = 3.4
    """Of the figure, in inches."""


def runs_of(pattern: str) -> list[dict[str, Any]]:
    """The results in the folders of a pattern, sorted. Raises SystemExit if there is none."""
    found = [json.loads((folder / "result.json").read_text()) for folder in sorted(Path().glob(pattern))]
    if not found:
        raise SystemExit(f"{pattern}: no folder of that name; run examples/cleanrl_ppo.py first")
    return found


def draw(axes: Any, title: str, runs: list[dict[str, Any]]) -> None:
    """Success over steps: a thin line a seed, their mean thick, and what chance among the allowed actions gives."""
    steps = [point["step"] for point in runs[0]["curve"]]
    for split, color in zip(runs[0]["random"], COLORS, strict=False):
        curves = np.array([[point[split]["success"][0] for point in run["curve"]] for run in runs])
        axes.plot(steps, curves.T, color=color, linewidth=0.7, alpha=0.6)
        axes.plot(steps, curves.mean(axis=0), color=color, linewidth=2, label=f"{split} side")
        chance = np.mean([run["random"][split]["success"][0] for run in runs])
        axes.axhline(chance, color=color, linewidth=1, linestyle=":", label=f"{split} side, at random")
    axes.set(title=f"{title} ({len(runs)} seed{'s'[: len(runs) > 1]})", xlabel="steps (tokens)", ylim=(0, 1))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:.0f}k")
    axes.grid(alpha=0.25)


def rows(title: str, runs: list[dict[str, Any]]) -> list[str]:
    """Markdown: a row a seed and split, success in percent with its 95% interval."""

    def told(cell: dict[str, Any]) -> str:
        mean, low, high = (100 * value for value in cell["success"])
        return f"{mean:.1f} ({low:.1f} to {high:.1f})"

    return [
        f"| {title} | {run['arguments']['seed']} | {split} | {told(run['random'][split])} | {told(last)} | "
        f"{last['problems']} |"
        for run in runs
        for split, last in ((split, run["curve"][-1][split]) for split in run["random"])
    ]


def main(args: Arguments) -> None:
    panels = {title: runs_of(pattern) for title, _, pattern in (panel.partition("=") for panel in args.panels)}
    figure, axes = plt.subplots(1, len(panels), figsize=(4.2 * len(panels), args.height), sharey=True, squeeze=False)
    print("| run | seed | hands | random, % | trained, % | problems |\n|---|---|---|---|---|---|")
    for place, (title, runs) in zip(axes[0], panels.items(), strict=True):
        draw(place, title, runs)
        print(*rows(title, runs), sep="\n")
    axes[0][0].set_ylabel("success")
    axes[0][-1].legend(fontsize=8)
    figure.tight_layout()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out.with_suffix(".png"), dpi=130)
    args.out.with_suffix(".json").write_text(json.dumps(panels, indent=1) + "\n")


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
