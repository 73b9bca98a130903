"""Tables and figures of each part, from what its JSON holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

COMPARED = {
    "sampled_together_read_together": "sampling against training",
    "sampled_together_read_alone": "sampling against each read alone",
    "read_together_read_alone": "read together against alone",
    "read_here_read_in_float32_eager": "so against float32 eager",
    "read_here_read_on_cpu": "device against CPU",
}
RANDOM = (
    "Weights are random, so lengths are set and not learned: a token that ends a response is one in some 150,000, and "
    "responses run to the longest allowed (*at longest* is the share of episodes that did so throughout). MFU counts "
    "6 N a token trained on (4 N with LoRA) and 2 N a token read or sampled, N being all parameters, over the rate of "
    "bfloat16 matrix products."
)


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return a Markdown table and an empty line."""
    lines = [heads, ["---"] * len(heads), *rows]
    return [*("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines), ""]


def parity(measured: dict[str, Any], out: Path) -> list[str]:
    rows = [
        [name, one["tokens"], COMPARED[kind], f"{at['max']:.1e}", f"{at['mean']:.1e}",
         f"{100 * at['beyond_1_percent']:.2g}", f"{100 * at['beyond_clip']:.2g}"]
        for name, one in measured.items() for kind, at in one.items() if kind in COMPARED
    ]  # fmt: skip
    names = [name for name in measured if "sampled_together_read_together" in measured[name]]
    if names:
        figure = Figure(figsize=(8, 0.34 * len(names) + 1.2), layout="constrained")
        axis, least = figure.subplots(), 1e-9
        for kind, color, marker in (
            ("sampled_together_read_together", "#3b6fb6", "o"),
            ("read_here_read_in_float32_eager", "#c44e52", "s"),
        ):
            largest = [max(measured[name][kind]["max"], least) for name in names]
            axis.plot(largest, range(len(names)), marker, color=color, label=COMPARED[kind])
        axis.axvline(0.182, color="#777777", linestyle=":", label="PPO's clip, 0.2 as a ratio")
        axis.set(
            xscale="log", xlim=(least / 2, 20), xlabel="largest difference of log-probabilities, nats (1e-9: none)"
        )
        axis.set_yticks(range(len(names)), names)
        axis.invert_yaxis()
        axis.grid(axis="x", color="#dddddd")
        axis.legend(loc="upper left", bbox_to_anchor=(0, -0.12), ncols=3, frameon=False, fontsize=8)
        figure.savefig(out / "parity.png", dpi=110)
    heads = ["model, precision, attention", "tokens", "compared", "largest, nats", "mean, nats",
             "% of ratios beyond 1 %", "% beyond the clip"]  # fmt: skip
    return [*(["![largest differences](parity.png)", ""] if names else []), *table(heads, rows)]


def throughput(measured: dict[str, Any], out: Path) -> list[str]:
    card, lines = measured.get("card", {}), []
    if card:
        known = f"{card['datasheet'] / 1e12:.0f} by its datasheet" if card["datasheet"] else "no datasheet known"
        lines += [
            f"bfloat16 matrix products of {card['side']}: {card['measured'] / 1e12:.4g} TFLOP/s measured, {known}.",
            "",
        ]

    def share(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.1f} %"

    updates = {
        name: one for name, one in measured.items() if "tokens_a_second" in one and "first_token_seconds" not in one
    }
    rows = [
        [name, f"{one['parameters'] / 1e9:.2f} B" if "parameters" in one else "-", f"{one['tokens_a_second']:.0f}",
         f"{one['rows_a_second']:.2f}", *(share(one.get("mfu", {}).get(kind)) for kind in ("measured", "datasheet")),
         *(f"{one[kind] / 1e9:.1f}" if kind in one else "-" for kind in ("peak", "planned")),
         share(one["peak_over_planned"]) if "peak_over_planned" in one else "-",
         share(one.get("share_at_longest")),
         ", ".join(f"{part} {seconds:.1f} s" for part, seconds in one.get("spent", {}).items()) or "-"]
        for name, one in updates.items()
    ]  # fmt: skip
    heads = ["update", "parameters", "tokens/s", "rows/s", "MFU, measured rate", "MFU, datasheet", "peak, GB",
             "planned, GB", "peak / planned", "at longest", "time"]  # fmt: skip
    lines += [RANDOM, "", *table(heads, rows)] if rows else []
    if updates:
        figure = Figure(figsize=(8, 0.34 * len(updates) + 1.2), layout="constrained")
        axis = figure.subplots()
        speeds = [one["tokens_a_second"] for one in updates.values()]
        axis.barh(range(len(updates)), speeds, color=["#c44e52" if "TRL" in name else "#3b6fb6" for name in updates])
        axis.set_yticks(range(len(updates)), updates)
        axis.invert_yaxis()
        axis.set(xlabel="tokens of dialogues a second, those of pictures among them (red: TRL)")
        figure.savefig(out / "throughput.png", dpi=110)
        lines += ["![tokens a second](throughput.png)", ""]
    sampled = [
        [name, one["dialogues"], f"{one['first_token_seconds']:.3f}", f"{1e3 * one['step_seconds']:.1f}",
         f"{one['tokens_a_second']:.0f}", share(one.get("gpu_share_of_a_step"))]
        for name, one in measured.items() if "first_token_seconds" in one
    ]  # fmt: skip
    heads = ["sampling", "dialogues", "first token, s", "each later one, ms", "tokens/s", "of that the GPU computes"]
    return [*lines, *(table(heads, sampled) if sampled else [])]


def grid(measured: dict[str, Any], out: Path) -> list[str]:
    (one,) = measured.values()
    lines = [
        f"{len(one['runs'])} runs in {one['processes']} processes: {one['seconds_all_runs']:.0f} s in all, "
        f"{one['flops_a_second']:.2g} FLOP/s of the budget's counting.", "",
    ]  # fmt: skip
    rows = [
        [run["start"], run["arm"], f"{run['rate']:g}", run["seed"], run["updates"], f"{run['cpu_seconds']:.0f}"]
        for run in one["runs"]
    ]
    lines += table(["start", "arm", "rate", "seed", "updates", "CPU seconds"], rows)
    if "left" in one:
        lines += [f"Not done in the time: {', '.join(one['left'])}.", ""]
    for picture in sorted((out / "grid").glob("*.png")):
        lines += [f"![{picture.stem}](grid/{picture.name})", ""]
    if (out / "grid" / "report.md").exists():
        lines += [
            "The whole report: [grid/report.md](grid/report.md), numbers in [grid/study.json](grid/study.json).",
            "",
        ]
    return lines


def scratch(measured: dict[str, Any], out: Path) -> list[str]:
    lines: list[str] = []
    if one := measured.get("training"):
        rows = [
            [
                stage,
                at["steps"],
                f"{at['seconds']:.0f}",
                f"{at['rows_a_second']:.0f}",
                f"{100 * at['waiting_for_rows']:.0f}",
            ]
            for stage, at in one["stages"].items()
        ]
        lines += [f"{one['parameters'] / 1e6:.1f} M parameters, batches of {one['batch']}, playing at "
                  f"{one['flops_a_second']:.2g} FLOP/s.", ""]  # fmt: skip
        lines += table(["stage", "steps", "s", "rows/s", "% of it waiting for rows"], rows)
        figure = Figure(figsize=(8, 2.8), layout="constrained")
        for axis, stage in zip(figure.subplots(1, 2), one["stages"], strict=True):
            log = [line for line in one["log"] if line["stage"] == stage]
            seconds, losses, right = ([line[name] for line in log] for name in ("seconds", "loss", "right"))
            axis.plot(seconds, losses, color="#c44e52")
            axis.set(xlabel=f"seconds of stage {stage!r}", ylabel="loss", ylim=(0, None))
            shares = axis.twinx()
            shares.plot(seconds, right, color="#3b6fb6")
            shares.set(ylabel="ranks read" if stage == "read" else "answers said whole", ylim=(-0.02, 1.02))
            axis.legend([*axis.lines, *shares.lines], ["loss", "share right"], loc="center right", frameon=False)
        figure.savefig(out / "scratch.png", dpi=110)
        lines += ["![loss and share right](scratch.png)", ""]
    if one := measured.get("play by sight"):
        rows = [
            [name, cell["episodes"], *(interval(cell[kind]) for kind in ("recognition", "success"))]
            for name, cell in one["cells"].items()
        ]
        lines += table(["cell", "episodes", "recognition, %", "success, %"], rows)
    return lines


def interval(estimate: Sequence[float]) -> str:
    """Return a share with its 95 % interval, in percent."""
    mean, low, high = (100 * value for value in estimate)
    return f"{mean:.1f} ({low:.1f} to {high:.1f})"
