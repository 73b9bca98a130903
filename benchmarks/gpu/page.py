"""The page of the GPU check: Markdown and figures, drawn from the JSON files of the parts alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gpu.tables import grid, parity, scratch, throughput
from verienv.core.files import atomic_text
from verienv.core.run_folder import read_json

ABOUT = {
    "parity": (
        "Parity of log-probabilities",
        "Sampling and training on one device, and the device and a CPU, must agree on the probability of a token. "
        "Episodes with pictures, prompts of several lengths, on tiny-vlm and on a Qwen2.5-VL of 3 B random parameters; "
        "float32 and bfloat16 (autocast, the scripts' default on a GPU, and weights), eager attention and SDPA; "
        "sampled together with padding on the left, read together with padding on the right, and read alone without.",
    ),
    "throughput": (
        "Throughput and memory",
        "Updates of `sft.py` and `ppo.py` by their own functions on a Qwen2.5-VL of 3 B and, with LoRA of rank 16, a "
        "Llama 3.2 Vision of 11 B, both of random weights, with pictures of 336 x 336: tokens and episodes a second, "
        "MFU, the measured peak of memory against its plan, where sampling's time goes; TRL's SFT and GRPO on the same "
        "model, batch and lengths where TRL is there.",
    ),
    "grid": (
        "The study's grid on one card",
        "`examples/study.py words` from gp-arithmetic: SFT and GRPO, four learning rates and three seeds, as many runs "
        "at once as there are processor cores but one.",
    ),
    "scratch": (
        "A start of 36 M parameters, trained from scratch by sight",
        "A LLaVA of random weights learns to read cards and then to play from demonstrations, within the budget; "
        "recognition and success on hands of both sides, under both rules, in both suits.",
    ),
}
AFTER = (
    "`make gpu-check` runs all of them; `--size tiny` runs them on a CPU in minutes, to show that they run, and",
    "`python benchmarks/gpu_check.py --page --out FOLDER` draws this page anew from the JSON files in a folder.",
    "`tools/pack_wheels.py` brings what a machine without network lacks.",
)


def draw(out: Path) -> Path:
    """Write ``<out>/README.md`` and its figures from what JSON files are there; the path of the page."""
    kept = {part: read_json(out / f"{part}.json") for part in ABOUT if (out / f"{part}.json").exists()}
    lines = ["# The GPU check", ""]
    if not kept:
        lines += ["**Not run on a GPU yet.** There are no numbers here until one has run it.", ""]
    elif any(told["size"] == "tiny" for told in kept.values()):
        lines += ["**Tiny sizes: they show that the check runs, and are no results of a GPU.**", ""]
    lines += ["Each part takes at most 8 minutes, is of use alone, writes its JSON after every measurement, and"]
    lines += ["goes on where it stopped:", ""]
    lines += [f"    python benchmarks/gpu_check.py --part {part} --minutes 7 --out runs/gpu-check" for part in ABOUT]
    lines += ["", *AFTER, ""]
    for part, (title, about) in ABOUT.items():
        lines += [f"## {title}", "", about, ""]
        lines += shown(part, kept[part], out) if part in kept else ["Not run yet.", ""]
    with atomic_text(out / "README.md") as file:
        file.write("\n".join(lines).rstrip() + "\n")
    return out / "README.md"


def shown(part: str, told: dict[str, Any], out: Path) -> list[str]:
    """Return a part's sittings, its tables and figures, and what could not be measured."""
    measured = {name: one for name, one in told["measurements"].items() if not {"failed", "skipped"} & {*one}}
    lines: list[str] = []
    for number, one in enumerate(told["sittings"]):
        versions = ", ".join(f"{name} {version}" for name, version in one["versions"].items() if version != "missing")
        about = f"{one['device']}, driver: {one.get('driver', 'none')}; {versions}; revision {one['revision'][:12]}"
        lines += [f"- Sitting {number}, {one['began']}, {one['ended']}: {about}. `{one['command']}`"]
    drawing = {"parity": parity, "throughput": throughput, "grid": grid, "scratch": scratch}[part]
    lines += ["", *(drawing(measured, out) if measured else [])]
    for name, one in told["measurements"].items():
        why = one.get("failed") or one.get("skipped") or "; ".join(one.get("left", ()))
        if why:
            kind = next(kind for kind in ("failed", "skipped", "left") if kind in one)
            lines += [f"- {name}: {kind}: {why}"]
    return [*lines, ""]
