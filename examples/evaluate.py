"""Evaluate a model or a checkpoint, rule by side.

python examples/evaluate.py --model tiny-lm
python examples/evaluate.py --model runs/ppo/checkpoint-00040 --episodes 400 --log runs/ppo/audit.jsonl
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from policy import Policy
from runs import kind_endings
from verienv import evaluate
from verienv.generalpoints import RULE_BY_SIDE


@dataclass
class Arguments:
    model: str = "tiny-lm"
    """The built-in tiny-lm, or any causal language model with a chat template, by name or path."""
    env: str = "verienv/GeneralPoints-L-v0"
    episodes: int = 200
    """Episodes in each of the four cells."""
    attempts: int = 5
    batch: int = 128
    max_new_tokens: int = 48
    log: Path | None = None
    """Keep every response with its verdict here; an interrupted evaluation goes on from it."""
    seed: int = 0
    device: str = "auto"


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with kind_endings(given.log or Path()):
        policy = Policy.load(given.model, device=given.device, max_new_tokens=given.max_new_tokens)
        told = {"log": given.log, "name": given.model, "attempts": given.attempts}
        print(evaluate(policy, given.env, RULE_BY_SIDE, given.episodes, given.seed, given.batch, **told))
