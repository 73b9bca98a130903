"""The GPU check: parity, throughput and memory, the study's grid, and a start trained from scratch by sight.

    python benchmarks/gpu_check.py --part parity --minutes 7 --out runs/gpu-check
    python benchmarks/gpu_check.py --part all --size tiny          # on a CPU, in about a minute: shows that it runs
    python benchmarks/gpu_check.py --page --out docs/results/gpu   # draws the page anew from what is there

Each part writes <out>/<part>.json after every measurement, the most valuable first, and ends by itself when its minutes
are over; the same command goes on with what is missing. What is large stays in --work. The page is drawn from the JSON
files alone, so these can be brought from a machine that has nothing else.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / folder) for folder in ("benchmarks", "examples", "tools", "")]

PARTS = ("parity", "throughput", "grid", "scratch")


def main(given: list[str] | None = None) -> int:
    """Run the parts, then draw the page; the exit status, 1 where a measurement failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=(*PARTS, "all"), default="all")
    parser.add_argument("--size", choices=("tiny", "real"), default="real", help="tiny shows on a CPU that it runs")
    parser.add_argument("--minutes", type=float, default=7.0, help="budget of each part, its page not counted")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu-check"), help="where JSON files and page go")
    parser.add_argument("--work", type=Path, help="where checkpoints go; by default <out>/work")
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, ...; auto takes a GPU if there is one")
    parser.add_argument("--page", action="store_true", help="measure nothing, draw the page from what is in <out>")
    options = parser.parse_args(given)

    from gpu.page import draw
    from gpu.results import Results, Setup
    from verienv.policies.hugging_face.loading import usable_device

    if options.page:
        print(draw(options.out))
        return 0
    if not options.minutes > 0:
        parser.error(f"--minutes {options.minutes}: expected a positive number")
    device = usable_device(options.device)
    if options.size == "real" and not device.startswith("cuda"):
        print("no GPU here, so nothing of real size is run; --size tiny runs every part on the CPU in about a minute")
        return 0
    work = options.work or options.out / "work"
    work.mkdir(parents=True, exist_ok=True)
    whole = True
    for part in PARTS if options.part == "all" else (options.part,):
        ends = time.monotonic() + 60 * options.minutes
        setup = Setup(options.size, device, work, ends, options.minutes)
        try:
            results = Results(options.out, part, setup)
        except ValueError as error:
            parser.error(str(error))
        whole &= results.run(importlib.import_module(f"gpu.{part}").measurements(setup, results), ends)
    print(draw(options.out))
    return 0 if whole else 1


if __name__ == "__main__":
    raise SystemExit(main())
