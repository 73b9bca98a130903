"""Supervised fine-tuning on demonstrations that the verifier has scored.

    python examples/sft.py --model tiny-lm --out runs/sft
    python examples/sft.py --model HuggingFaceTB/SmolLM2-135M-Instruct --learning-rate 1e-5 --flops 2e15 --out runs/smol
    python examples/sft.py --model tiny-vlm --env verienv/GeneralPoints-VL-v0 --out runs/sft-vision
    python examples/sft.py --rows 4096 --epochs 3 --save-every 10 --lora 32 --lora-alpha 16 --out runs/finite
    accelerate launch --multi_gpu --num_processes 2 examples/sft.py --out runs/sft    # on two devices

Every update deals fresh demonstrations; with --rows or --data it is a finite set, over and over, in an order of the
seed. With vision the demonstrations bring their pictures, and as in words only the answers are trained on. Followed by
examples/ppo.py on the same environment this is the ReFT recipe (arXiv 2401.08967). The same command continues an
interrupted run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil, inf
from pathlib import Path
from time import monotonic
from typing import Any, Literal

import numpy as np
import tyro
from torch import Tensor, nn

import command_line as cli
from distributed import Team
from model import Learner
from run import Run
from sampling import held_out
from verienv import demonstrations
from verienv.core.make import full_id
from verienv.demos import opened, read_demonstrations
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.batch import Batch, Rollout, read

Rows = list[dict[str, Any]]


@dataclass
class Arguments(cli.Training):
    """Arguments of SFT, beside those of all training."""

    out: Path = Path("runs/sft")
    kind: Literal["sft", "revision"] = "sft"
    """First answers, or repairs after a wrong attempt and its feedback."""
    steps: bool = False
    """Write the derivation before the answer."""
    rows: cli.OrNone = 0
    """Train on so many demonstrations, dealt once and kept in memory, or the first of --data; 0 deals fresh ones."""
    data: cli.File = None
    """Train on the demonstrations of a file, as `verienv demos --out FILE.jsonl` (or --format sharegpt) writes them."""
    epochs: cli.OrNone = 0
    """Stop after so many passes over --rows or --data."""
    batch: cli.Size = 64
    """Demonstrations an update, which is one optimiser step."""
    micro_batch: cli.Size = 64
    weight_decay: cli.Weight = 0.0
    """Weight decay of AdamW."""


def dealt(arguments: Arguments, settings: dict[str, Any]) -> tuple[int, Callable[[int], Rows]]:
    """Return the size of a finite set (0: it has no end), and the demonstrations of an update by its number."""
    size = arguments.batch
    make = {"split": arguments.split, "steps": arguments.steps, **settings}

    def fresh(update: int, n: int = size) -> Rows:
        seed = arguments.seed * 1_000_003 + update
        return list(demonstrations(arguments.env, arguments.kind, n, seed=seed, **make))

    if arguments.data and (arguments.kind != "sft" or arguments.steps):
        raise ValueError("--data FILE holds what it holds: give --kind and --steps to verienv demos, which writes it")
    if not arguments.rows and not arguments.data:
        return 0, fresh
    kept = read_demonstrations(arguments.data)[: arguments.rows or None] if arguments.data else fresh(0, arguments.rows)
    if len(kept) < arguments.rows:
        raise ValueError(f"--rows {arguments.rows}: {arguments.data} holds {len(kept)}; give at most so many")
    end = arguments.epochs * len(kept) or inf

    def again(update: int) -> Rows:
        """One pass follows another, each in an order of its own; an update may hold the end of one and more."""
        places = range(update * size, int(min((update + 1) * size, end)))
        orders = {one: order_of(arguments.seed, one, len(kept)) for one in {place // len(kept) for place in places}}
        chosen = [kept[orders[place // len(kept)][place % len(kept)]] for place in places]
        return [opened(row) for row in chosen] if arguments.data else chosen

    return len(kept), again


def order_of(seed: int, epoch: int, rows: int) -> list[int]:
    """Return the order of a pass over so many rows."""
    return [int(row) for row in np.random.default_rng([seed, epoch]).permutation(rows)]


def completion_loss(policy: HuggingFacePolicy, model: nn.Module, batch: Batch) -> Tensor:
    """The cross-entropy of the completions' tokens, their sum: of a prompt and its pictures nothing is learned."""
    return -(read(policy, model, batch).logprobs * batch.acted).sum()


def sft_update(learner: Learner, batch: Batch, rate: float) -> dict[str, float]:
    """An optimiser step on demonstrations, this process's share; what to log of it.

    Raises NotFinite, in all processes, before a number that is not finite in one of them could reach the weights.
    """
    team, loss = learner.team, 0.0
    tokens = team.summed(batch.acted.sum())
    for _, few in team.in_step(batch.parts(learner.arguments.micro_batch), batch.nothing):
        part = completion_loss(learner.policy, learner.trained, few) / tokens  # the mean in all processes
        team.backward(part)
        loss += part.item()
    norm = learner.step(rate, loss, batch.plain)
    return {"learning_rate": rate, "loss": team.total(loss), "gradient_norm": norm}


@cli.enough_memory("lower --micro-batch, or give --gradient-checkpointing, --lora 16, --shard or --dtype bfloat16")
def train(arguments: Arguments) -> Run:
    """Train to the end of the budget, from the newest checkpoint if there is one."""
    cli.check(arguments)
    arguments = replace(arguments, env=full_id(arguments.env))
    settings = cli.settings_of(arguments, {"split": arguments.split}, make=demonstrations)
    rows, deal = dealt(arguments, settings)
    if arguments.epochs and (not rows or arguments.updates):
        raise ValueError("--epochs counts passes over --rows or --data: give one of them, and no --updates")
    updates = ceil(arguments.epochs * rows / arguments.batch) or arguments.updates
    arguments = replace(arguments, updates=updates, rows=rows)
    team = Team.launched(arguments.device, arguments.shard)
    if 0 < (rest := arguments.epochs * rows % arguments.batch) < team.size:
        raise ValueError(f"the last update would hold {rest} of --rows, for {team.size} processes; change --batch")
    probes = held_out(arguments, {**settings, "kind": arguments.kind, "steps": arguments.steps})
    run = Run(arguments.out, arguments, team=team, probes=probes)
    if run.finished:
        return run
    learner = run.learner()
    policy = learner.policy
    policy.model.train()
    run.restore(learner)
    with run.going():
        while run.done() < 1:
            began = monotonic()
            batch = Batch.of([Rollout.demonstrated(policy, row) for row in team.share(deal(run.update))], policy)
            did, length = sft_update(learner, batch, run.rate()), team.total(int(batch.mask.sum()))
            line = {
                **did,
                **({"epoch": min((run.update + 1) * arguments.batch / rows, arguments.epochs or inf)} if rows else {}),
                "tokens_a_second": length / (monotonic() - began),
            }  # fmt: skip
            run.record(learner, line, 6.0 * learner.size * length, batch)
    return run


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with cli.kind_endings(given.out):
        train(given).tell()
