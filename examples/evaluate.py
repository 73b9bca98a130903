"""Evaluate a model or a checkpoint in several cells: rule by side, on routes rule by city, with vision visual by rule.

    python examples/evaluate.py --model tiny-lm
    python examples/evaluate.py --model runs/ppo/checkpoint-00040 --episodes 400 --log runs/ppo/audit.jsonl
    python examples/evaluate.py --model tiny-vlm --env verienv/GeneralPoints-VL-v0 --cells visual_by_rule
    python examples/evaluate.py --model runs/sft/checkpoint-00012 --env verienv/VIRL-L-v0 --max-new-tokens 96
    python examples/evaluate.py --cells examples/cells/own_rule.json -s target=36 -s cards=5 -s prompt=@template.txt

With vision, recognition stands beside success: read and solved, read but failed, misread.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from command_line import (
    Attempts,
    Length,
    OrGreedy,
    Seed,
    Settings,
    Size,
    check,
    demand_one_process,
    enough_memory,
    kind_endings,
    settings_of,
)
from study_tasks import ROUTES, task_of
from verienv import evaluate
from verienv.evaluation import Evaluation, read_cells
from verienv.generalpoints import RULE_BY_SIDE, RULE_BY_SIDE_BY_VISUAL, VISUAL_BY_RULE
from verienv.policies import HuggingFacePolicy, Sampling
from verienv.policies.hugging_face.loading import Dtype
from verienv.virl import RULE_BY_CITY

CELLS = {
    "rule_by_side": RULE_BY_SIDE,
    "visual_by_rule": VISUAL_BY_RULE,
    "rule_by_side_by_visual": RULE_BY_SIDE_BY_VISUAL,
    "rule_by_city": RULE_BY_CITY,
}


@dataclass
class Arguments:
    model: str = "tiny-lm"
    """The built-in tiny-lm or, for pictures, tiny-vlm; or any chat model of words or of pictures, by name or path."""
    env: str = "verienv/GeneralPoints-L-v0"
    """With vision: verienv/GeneralPoints-VL-v0; on routes verienv/VIRL-L-v0 or -VL-v0."""
    settings: Settings = ()
    """Settings of the environment, as for gym.make: -s cards=5 -s prompt=diverse."""
    cells: str | None = None
    """rule_by_side: both rules on train and test side; with vision visual_by_rule: both rules in black and red suits;
    or rule_by_side_by_visual; on routes rule_by_city: both rules on train and test side and in new cities. By default
    the first or the last, as fits. Or FILE.json, an object of names, each with its settings: cells of your own."""
    episodes: Size = 200
    """Episodes in each cell."""
    attempts: Attempts = 5
    """Responses allowed to one question."""
    batch: Size = 128
    """Dialogues that are put to the policy at once."""
    max_new_tokens: Length = 48
    """The longest response."""
    temperature: OrGreedy = 0.0
    """Of sampling; 0 is greedy."""
    log: Path | None = None
    """Keep every response with its verdict here; an interrupted evaluation goes on from it."""
    seed: Seed = 0
    """Fixes the hands or the routes."""
    device: str = "auto"
    """cpu, cuda, cuda:1, ...; auto takes a GPU if there is one."""
    dtype: Dtype | None = None
    """By default that in which a checkpoint was trained, float32 for any other model."""


def make_cells(arguments: Arguments) -> dict[str, dict[str, Any]]:
    """The cells that are asked for, or that fit the environment."""
    if are_own(arguments):
        return read_cells(arguments.cells)
    name = arguments.cells or ("rule_by_city" if task_of(arguments.env) is ROUTES else "rule_by_side")
    if name not in CELLS:
        raise ValueError(f"--cells {name}: expected one of {', '.join(CELLS)}, or FILE.json with cells of your own")
    return CELLS[name]


def are_own(arguments: Arguments) -> bool:
    return arguments.cells is not None and arguments.cells.lower().endswith(".json")


@enough_memory("lower --batch or --max-new-tokens, or give --dtype bfloat16")
def run(arguments: Arguments) -> Evaluation:
    """Load the model and let it play."""
    demand_one_process("evaluate.py", "evaluate other checkpoints on the other devices (--device cuda:1)")
    check(arguments)
    cells = make_cells(arguments)
    settings = settings_of(arguments, {"attempts": arguments.attempts}, cells, are_own=are_own(arguments))
    policy = HuggingFacePolicy.load(
        arguments.model, device=arguments.device, max_new_tokens=arguments.max_new_tokens, dtype=arguments.dtype
    )
    policy.sampling = Sampling(arguments.temperature)
    return evaluate(
        policy, arguments.env, cells, arguments.episodes, arguments.seed, arguments.batch, log=arguments.log,
        name=arguments.model, attempts=arguments.attempts, **settings,
    )  # fmt: skip


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with kind_endings(given.log or Path()):
        print(run(given))
