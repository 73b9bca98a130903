"""Draw the instances of a benchmark and write its specification; one that is there is never written over.

python tools/build_benchmark.py v1        # its SHA-256 goes to BENCHMARKS in evaluation/benchmark/specification.py
python tools/build_benchmark.py --table   # docs/results/benchmark/report.md anew, from the results files beside it
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from verienv.core.shown import cut
from verienv.evaluation.benchmark import read_results, results_table
from verienv.evaluation.benchmark.questions import hash_questions
from verienv.evaluation.benchmark.specification import Benchmark
from verienv.evaluation.cells import Cell
from verienv.evaluation.tables import markdown_table

ROOT = Path(__file__).parents[1]
HANDS, ROUTES = 100, 50
WORDING = {
    "prompt": "default", "system_prompt": "", "think_first": False, "answer_format": "json", "feedback": "default",
    "rewards": "paper", "strict": False,
}  # fmt: skip
RULES = {"J=Q=K=10": "train", "11-12-13": "rule_ood"}
ACTIONS = ("absolute", "relative")


def distinct(env_id: str, settings: dict[str, Any], number: int, fits: Callable[[str], bool]) -> list[str]:
    """Return the first instances, each a problem of its own, that the seeds deal and that fit."""
    cell, found = Cell(env_id, settings, 10**6, 0), dict[str, str]()
    for episode in range(10**6):
        question = cell.deal(episode).question
        if question.cluster not in found and fits(question.instance):
            found[question.cluster] = question.instance
            if len(found) == number:
                return list(found.values())
        if episode > 10**5:
            raise SystemExit(f"{env_id} {settings}: there are only {len(found)} instances that fit")
    raise AssertionError


def is_dealt(env_id: str, *cells: dict[str, Any]) -> Callable[[str], bool]:
    """Return whether an instance can be dealt under each of several settings."""

    def fits(instance: str) -> bool:
        try:
            for settings in cells:
                Cell(env_id, {**settings, "instances": [instance]}, 1, 0)
        except ValueError as error:
            return not cut(error)
        return True

    return fits


def ranks_fit_two_suits(instance: str) -> bool:
    return max(Counter(instance.split(":")[1].split("-")).values()) <= 2


def v1() -> dict[str, Any]:
    """Both tasks in words and by vision; rules, action spaces and visuals meet on the same instances."""
    words, vision = "verienv/GeneralPoints-L-v0", "verienv/GeneralPoints-VL-v0"
    instances = {}
    for side in ("train", "test"):
        other = is_dealt(words, {"split": "train", "side": side})
        instances[f"hands, {side} side"] = distinct(
            words,
            {"split": "rule_ood", "side": side},
            HANDS,
            lambda one, other=other: ranks_fit_two_suits(one) and other(one),
        )
    routes = {"train side": {"split": "train"}, "test side": {"split": "test"}, "new cities": {"split": "visual_ood"}}
    for name, settings in routes.items():
        instances[f"routes, {name}"] = distinct("verienv/VIRL-L-v0", settings, ROUTES, lambda _: True)
    hands = {
        f"{side} side, {rule}": {"settings": {"split": split, "side": side}, "instances": f"hands, {side} side"}
        for side in ("train", "test")
        for rule, split in RULES.items()
    }
    pictured = {
        f"{name}, {suits} suits": {**cell, "settings": {**cell["settings"], "suits": suits}}
        for suits, sides in (("black", ("train", "test")), ("red", ("test",)))
        for name, cell in hands.items()
        if name.startswith(sides)
    }
    walks = {
        f"{name}, {actions}": {"settings": {**settings, "actions": actions}, "instances": f"routes, {name}"}
        for name, settings in routes.items()
        for actions in ACTIONS
    }
    return {
        "name": "v1",
        "temperature": 0.0,
        "instances": instances,
        "parts": {
            words: {"settings": {**WORDING, "attempts": 5}, "cells": hands},
            vision: {"settings": {**WORDING, "attempts": 5}, "cells": pictured},
            "verienv/VIRL-L-v0": {"settings": {**WORDING, "attempts": 2}, "cells": walks},
            "verienv/VIRL-VL-v0": {"settings": {**WORDING, "attempts": 2}, "cells": walks},
        },
    }


PLANS = {"v1": v1}
RESULTS = ROOT / "docs" / "results" / "benchmark"
ABOUT = """# Results of benchmark v1

[The benchmark](../../benchmark.md) asks the same of every policy. Each row is a results file beside this page, judged
again by `verienv check-results`; a policy that was not played in an environment has no row there. `expert` is what is
attainable, `constant` answers every question alike. Built-in models are small and made for tests and studies: their
numbers say what they are, not what language models can do. `gp-arithmetic` and `gp-sight` were trained on single
attempts, `gp-sight` on cards that lie two by two: it cannot read the row in which v1 shows them.

"""


def page() -> str:
    """Return the page of all results files: the tables, and how each file was made."""
    files = {path.name: read_results(path) for path in sorted(RESULTS.glob("*.json.gz"))}
    made = [
        [f"[{name}]({name})", f"`{one.command}`", one.commit[:10], one.hardware, f"verienv {one.versions['verienv']}"]
        for name, one in files.items()
    ]
    about = markdown_table(["file", "command", "commit", "hardware", "version"], made)
    return f"{ABOUT}{results_table(files.values())}\n\n## How each was made\n\n{about}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=PLANS, nargs="?")
    parser.add_argument("--table", action="store_true", help="write the page of results anew")
    arguments = parser.parse_args()
    if arguments.table:
        (RESULTS / "report.md").write_text(page(), encoding="utf-8")
        return
    if (name := arguments.name) is None:
        parser.error("give a name, or --table")
    path = ROOT / "assets" / "benchmarks" / f"{name}.json"
    if path.exists():
        raise SystemExit(f"{path}: {name} is published and never changes; write a new one")
    plan = PLANS[name]()
    for part in plan["parts"].values():
        part["asks"] = ""
    unhashed = Benchmark.model_validate(plan)
    for env_id, part in plan["parts"].items():
        part["asks"] = hash_questions(unhashed, env_id)
    path.parent.mkdir(exist_ok=True)
    path.write_text(Benchmark.model_validate(plan).to_json(), encoding="utf-8")
    print(path, sha256(path.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
