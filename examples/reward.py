"""A reward model: which of two responses would be preferred, learned from labelled pairs (Bradley-Terry).

    python examples/pairs.py --model gp-arithmetic --questions 2000 --out runs/pairs
    python examples/judge.py runs/pairs --simulated flip:0.25
    python examples/reward.py runs/pairs --labels runs/pairs/labels-simulated.jsonl --model gp-arithmetic
    python examples/reward.py runs/pairs-vision --model gp-sight --out runs/reward-vision    # labels of label.py
    python examples/ppo.py --model gp-arithmetic --reward runs/reward --attempts 1 --out runs/rlhf

The model reads a dialogue and gives a number at its end; the loss is the cross-entropy between sigmoid(difference of
two such) and the label p (arXiv 2203.02155). Start from the policy that the pairs were sampled from. Pairs of some
questions are held out, and tell how well it foresees labels. It reads labels alone: neither the program's verdicts nor
the program. A checkpoint's scores have mean 0 and standard deviation 1 over the responses of all pairs. The same
command continues an interrupted run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from math import ceil, inf
from pathlib import Path
from time import monotonic
from typing import Any

import torch
import tyro
from torch import Tensor
from torch.nn.functional import logsigmoid
from tyro.conf import Fixed, Positional, Suppress

import command_line as cli
from distributed import Team
from model import Learner
from run import Run
from scoring import Scorer
from sft import order_of
from verienv.demos import opened
from verienv.policies.hugging_face.batch import Batch, Rollout
from verienv.policies.hugging_face.checkpoint import path_of
from verienv.preferences import labelled, responses
from verienv.preferences.consensus import Method

Row = dict[str, Any]
"""Row of ``labelled``: prompt, chosen, rejected, p, cluster, images."""
NoOption = Suppress[Fixed[Any]]
"""Argument of all training that means nothing here: questions come with the pairs, and the budget is passes."""


@dataclass
class Arguments(cli.Training):
    """Arguments of a reward model, beside those of all training that mean something here."""

    pairs: Positional[Path] = Path("runs/pairs")
    """Folder of the pairs, as examples/pairs.py makes it."""
    out: Path = Path("runs/reward")
    labels: tuple[Path, ...] = ()
    """Files of their labels; by default labels.jsonl in that folder."""
    annotator: str = ""
    """Take the labels of this annotator alone; of several, all count."""
    method: Method = "majority"
    """How several labels of a pair become one: by majority, or by how reliable annotators seem to be."""
    soft_ties: bool = False
    """Train on ties too, as p = 0.5."""
    test_share: cli.Share = 0.1
    """Share of the clusters of questions whose pairs are held out."""
    epochs: cli.Count = 1
    """Passes over the pairs."""
    updates: cli.OrNone = 0
    """Stop after so many updates instead."""
    checkpoints: cli.Count = 1
    batch: cli.Size = 64
    """Pairs an update, which is one optimiser step."""
    weight_decay: cli.Weight = 0.0
    """Weight decay of AdamW."""

    env: NoOption = ""
    split: NoOption = ""
    settings: NoOption = ()
    flops: NoOption = 0.0
    probes: NoOption = 0
    held_out: NoOption = None
    shard: NoOption = False
    kl_coef, teacher = 0.0, "expert"  # memory is planned as for SFT

    def longest(self, rows: int) -> list[Row]:
        """Return the longest of the responses, as demonstrations, for the plan of memory."""
        found = sorted(responses(self.pairs), key=lambda row: -len(str(row["prompt"]) + str(row["completion"])))
        return [opened(row) for row in found[:rows]]


class RewardLearner(Learner):
    """A policy that becomes a reward model: its head is trained with it."""

    scorer: Scorer

    def _loaded(self, name: str, **adapter: Any) -> Any:
        self.scorer = Scorer(super()._loaded(name, **adapter), Path(path_of(name)))
        return self.scorer.policy


def both(row: Row) -> list[Row]:
    """Return a labelled pair as two demonstrations: the chosen response, and the rejected one."""
    return [{**row, "completion": row[name]} for name in ("chosen", "rejected")]


def split(rows: list[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """Return the rows to train on and those held out: a share of the clusters, drawn by their names and the seed."""
    drawn = [int(sha256(f"{seed} {row['cluster']}".encode()).hexdigest()[:13], 16) / 16**13 < share for row in rows]
    train, held = ([row for row, out in zip(rows, drawn, strict=True) if out is which] for which in (False, True))
    if not train:
        raise ValueError(f"--test-share {share:g} leaves none of {len(rows)} labelled pairs to train on; label more")
    return train, held


def pair_losses(margins: Tensor, p: Tensor) -> Tensor:
    """The loss of each pair, (pairs,), of which ``p`` is the probability that the chosen response is better."""
    return -(p * logsigmoid(margins) + (1 - p) * logsigmoid(-margins))


def accuracy(margins: Tensor, p: Tensor) -> dict[str, float]:
    """The share of pairs, but for ties, whose chosen response has the greater number; nothing if all are ties."""
    told = margins[p != 0.5]
    return {"accuracy": float((told > 0).double().mean())} if len(told) else {}


def reward_update(learner: RewardLearner, batch: Batch, p: Tensor, rate: float) -> dict[str, float]:
    """An optimiser step on pairs, which are two rows of the batch each; what to log of it.

    Raises NotFinite before a number that is not finite could reach the weights.
    """
    pairs, margins, total = torch.arange(len(batch.ids), device=p.device).view(-1, 2), torch.zeros_like(p), 0.0
    by_length = batch.mask.sum(1)[pairs].max(1).values.argsort()
    for part in by_length.split(max(1, learner.arguments.micro_batch // 2)):
        chosen, rejected = learner.scorer.numbers(learner.trained, batch.rows(pairs[part].flatten())).view(-1, 2).T
        loss = pair_losses(chosen - rejected, p[part]).sum() / len(p)
        learner.team.backward(loss)
        margins[part], total = (chosen - rejected).detach(), total + loss.item()
    norm = learner.step(rate, total, batch.plain)
    told = {"margin": margins.mean().item(), "gradient_norm": norm}
    return {"learning_rate": rate, "loss": total, **accuracy(margins, p), **told}


def foreseen(scorer: Scorer, held: list[Row]) -> dict[str, float]:
    """Tell how well a reward model foresees the labels of held-out pairs, if there are any."""
    if not held:
        return {}
    p = torch.tensor([row["p"] for row in held])
    chosen, rejected = scorer.raw([one for row in held for one in both(row)], opened).view(-1, 2).T
    told = {"loss": pair_losses(chosen - rejected, p).mean().item(), **accuracy(chosen - rejected, p)}
    return {f"held_out_{name}": value for name, value in told.items()}


def dealt(rows: list[Row], update: int, arguments: Arguments) -> list[Row]:
    """Return the pairs of an update: one pass follows another, each in an order of its own, to the end of the last."""
    end = inf if arguments.updates else arguments.epochs * len(rows)
    places = range(update * arguments.batch, int(min((update + 1) * arguments.batch, end)))
    orders = {one: order_of(arguments.seed, one, len(rows)) for one in {place // len(rows) for place in places}}
    return [rows[orders[place // len(rows)][place % len(rows)]] for place in places]


@cli.enough_memory("lower --micro-batch, or give --gradient-checkpointing, --lora 16 or --dtype bfloat16")
def train(arguments: Arguments) -> Run:
    """Train to the end of the budget, from the newest checkpoint if there is one."""
    cli.check(arguments)
    labels, ties = arguments.labels or (arguments.pairs / "labels.jsonl",), "soft" if arguments.soft_ties else "drop"
    rows = labelled(arguments.pairs, labels, arguments.annotator, arguments.method, ties)
    rows, held = split(rows, arguments.test_share, arguments.seed)
    every, team = responses(arguments.pairs), Team.launched(arguments.device)
    if team.size > 1:
        raise ValueError("a reward model is trained here in one process: start the script with python")
    updates = arguments.updates or ceil(arguments.epochs * len(rows) / arguments.batch)
    run = Run(arguments.out, replace(arguments, labels=labels, updates=updates), team=team)
    if run.finished:
        return run
    learner = run.learner(RewardLearner)
    policy, scorer = learner.policy, learner.scorer  # without dropout, as its scores are read
    learner.saved = scorer
    run.restore(learner)
    with run.going():
        while run.done() < 1:
            began, shown, rate = monotonic(), dealt(rows, run.update, arguments), run.rate()
            batch = Batch.of([Rollout.demonstrated(policy, opened(one)) for row in shown for one in both(row)], policy)
            p, length = torch.tensor([row["p"] for row in shown], device=policy.device), int(batch.mask.sum())
            did = reward_update(learner, batch, p, rate)
            seconds, cost = monotonic() - began, 6.0 * learner.size * length
            if run.due(cost):  # what is saved can be used
                cost += 2.0 * learner.size * scorer.normalise(every, opened)
                did |= foreseen(scorer, held)
            line = {**did, "epoch": (run.update * arguments.batch + len(shown)) / len(rows)}
            run.record(learner, {**line, "tokens_a_second": length / seconds}, cost, batch)
    return run


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with cli.kind_endings(given.out):
        train(given).tell()
