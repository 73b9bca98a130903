"""Supervised fine-tuning on demonstrations that the verifier has scored.

    python examples/sft.py --model tiny-lm --out runs/sft
    python examples/sft.py --model HuggingFaceTB/SmolLM2-135M-Instruct --learning-rate 1e-5 --flops 2e15 --out runs/smol
    python examples/sft.py --model tiny-vlm --env verienv/GeneralPoints-VL-v0 --out runs/sft-vision
    python examples/sft.py --rows 4096 --epochs 3 --save-every 10 --lora 32 --lora-alpha 16 --out runs/finite
    python examples/sft.py --loss dft --kl-coef 0.1 --out runs/priced
    python examples/sft.py --teacher self -s attempts=1 --out runs/self-taught
    python examples/sft.py -s 'rule={"ten": 0.9, "any": 0.1}' --out runs/replay    # a tenth under other rules
    accelerate launch --multi_gpu --num_processes 2 examples/sft.py --out runs/sft    # on two devices

Every update deals fresh demonstrations; with --rows or --data it is a finite set, over and over, in an order of the
seed. With --teacher start or self the right answers of a model take the place of the expert's: each question is
answered once, and an update holds --batch right answers, or fewer when --tries times as many were tried; an update
without any ends the run. With vision the demonstrations bring their pictures, and as in words only the answers are
trained on. Followed by examples/ppo.py on the same environment this is the ReFT recipe (arXiv 2401.08967). The same
command continues an interrupted run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from math import ceil, inf
from pathlib import Path
from time import monotonic
from typing import Any, Literal

import numpy as np
import torch
import tyro
from torch import Tensor
from torch.nn.functional import kl_div

import command_line as cli
from distributed import Team
from model import Learner
from run import Run
from sampling import held_out
from verienv import demonstrations
from verienv.core.make import full_id, make_env
from verienv.demos import CORRECT, opened, read_demonstrations
from verienv.policies import Sampling
from verienv.policies.hugging_face.batch import Batch, Read, Rollout, read
from verienv.policies.hugging_face.policy import evaluating
from verienv.policies.hugging_face.sharding import whole

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
    loss: Literal["sft", "dft"] = "sft"
    """Cross-entropy; or dft, in which each token's counts by its probability, as a constant (arXiv 2508.05629)."""
    kl_coef: cli.Weight = 0.0
    """Price of KL(start || policy), a token of the demonstrations, exact over the vocabulary; logged as kl."""
    teacher: Literal["expert", "start", "self"] = "expert"
    """Writer of the demonstrations: the expert; or the start, or the policy as it is now, whose answers to fresh
    questions are kept if they are right: rejection sampling from a fixed model, or iterated."""
    tries: cli.Count = 8
    """Times --batch answers that a teacher may try an update, which then holds --batch right ones or fewer."""
    temperature: cli.OrGreedy = 1.0
    """Temperature at which a teacher samples; 0 is greedy."""
    top_p: cli.Positive = 1.0
    """Sample a teacher's answers from the likeliest tokens that hold this probability."""
    max_new_tokens: cli.Length = 48
    """Longest answer of a teacher."""


def dealt(arguments: Arguments, settings: dict[str, Any]) -> tuple[int, Callable[[int], Rows]]:
    """Return the size of a finite set (0: it has no end), and the demonstrations of an update by its number."""
    size = arguments.batch
    make = {"split": arguments.split, "steps": arguments.steps, **settings}

    def fresh(update: int, n: int = size) -> Rows:
        seed = arguments.seed * 1_000_003 + update
        return list(demonstrations(arguments.env, arguments.kind, n, seed=seed, **make))

    if arguments.teacher != "expert" and (arguments.rows or arguments.data or arguments.steps):
        raise ValueError(
            f"--teacher {arguments.teacher} answers fresh questions, in its own way: leave out --rows, --data and "
            "--steps; a finite set of a model's right answers is a file: verienv demos --model NAME --out FILE.jsonl"
        )
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


def right_answers(learner: Learner, update: int, make: dict[str, Any]) -> tuple[Rows, float, int]:
    """Let the teacher answer fresh questions, each once, until an update is full of right answers or --tries are over.

    Returns this process's share of all that were right, the share of right ones among those tried, and the tokens that
    passed the teacher. Raises ValueError, in all processes, where they are fewer than the processes.
    """
    team, arguments, policy = learner.team, learner.arguments, learner.policy
    size, how = len(team.share(range(arguments.batch))), Sampling(arguments.temperature, arguments.top_p)
    limit, seed = size * arguments.tries, arguments.seed * 1_000_003 + update
    bounds = {"batch_size": size, "tries": limit, "patience": limit + 1}
    model = learner.start() if arguments.teacher == "start" else nullcontext(policy.model)
    with model as asked, whole(asked):
        teacher = replace(policy, model=asked, sampling=how, generated_tokens=0)
        seeds = {"seed": seed * team.size + team.index, "teacher": teacher}
        made = demonstrations(arguments.env, arguments.kind, size, **seeds, **bounds, **make)
        own = list(made)
    rows = [row for some in team.gathered(own) for row in some]
    tally = sum(team.gathered(made.tally), Counter[str]())
    if len(rows) < team.size:
        told = ", ".join(f"{count} {outcome}" for outcome, count in tally.most_common())
        raise ValueError(
            f"--teacher {arguments.teacher} was right {len(rows)} times in update {update + 1} ({told}); begin with a "
            "--model that is right more often, make questions easier (-s), or give more --tries or --max-new-tokens"
        )
    return list(team.share(rows)), tally[CORRECT] / tally.total(), team.total(teacher.generated_tokens)


def completion_loss(seen: Read, batch: Batch, kind: str = "sft") -> Tensor:
    """The loss of the completions' tokens, their sum: of a prompt and its pictures nothing is learned."""
    weight = seen.logprobs.detach().exp() if kind == "dft" else 1.0
    return -(weight * seen.logprobs * batch.acted).sum()


def kl_from_start(at_start: Tensor, seen: Read, batch: Batch) -> Tensor:
    """KL(start || policy) at the completions' tokens, their sum in nats: what the start would say there, kept likely.

    It is the direction whose size tells what is forgotten (arXiv 2509.04259), and a distillation from the start: with a
    price c the loss is least where the policy is 1 part the demonstrations and c parts the start. The price in ppo.py
    is of KL(policy || start), which is measured where the policy goes; demonstrations are not its own.
    """
    each = kl_div(seen.scores.log_softmax(-1), at_start, reduction="none", log_target=True).sum(-1)
    return (each * batch.acted[:, -each.shape[1] :]).sum()


def losses(learner: Learner, few: Batch) -> dict[str, Tensor]:
    """The loss of a part of an update and, if it has a price, its divergence from the start; each a sum over tokens."""
    policy, kl = learner.policy, dict[str, Tensor]()
    if learner.arguments.kl_coef:
        with torch.no_grad(), learner.start() as model, evaluating(model):
            at_start = read(policy, model, few).scores.log_softmax(-1)
    seen = read(policy, learner.trained, few)
    if learner.arguments.kl_coef:
        kl = {"kl": kl_from_start(at_start, seen, few)}
    return {"loss": completion_loss(seen, few, learner.arguments.loss), **kl}


def sft_update(learner: Learner, batch: Batch, rate: float) -> dict[str, float]:
    """An optimiser step on demonstrations, this process's share; what to log of it.

    Raises NotFinite, in all processes, before a number that is not finite in one of them could reach the weights.
    """
    team, arguments, sums = learner.team, learner.arguments, Counter[str]()
    tokens = team.summed(batch.acted.sum())
    for _, few in team.in_step(batch.parts(arguments.micro_batch), batch.nothing):
        means = {name: value / tokens for name, value in losses(learner, few).items()}  # in all processes
        team.backward(means["loss"] + arguments.kl_coef * means["kl"] if arguments.kl_coef else means["loss"])
        sums.update({name: value.item() for name, value in means.items()})
    norm = learner.step(rate, sum(sums.values()), batch.plain)
    return {"learning_rate": rate, **{name: team.total(sums[name]) for name in sorted(sums)}, "gradient_norm": norm}


@cli.enough_memory("lower --micro-batch, or give --gradient-checkpointing, --lora 16, --shard or --dtype bfloat16")
def train(arguments: Arguments) -> Run:
    """Train to the end of the budget, from the newest checkpoint if there is one."""
    cli.check(arguments)
    arguments = replace(arguments, env=full_id(arguments.env))
    by_expert = arguments.teacher == "expert"
    settings = cli.settings_of(arguments, {"split": arguments.split}, make=demonstrations if by_expert else make_env)
    make = {"split": arguments.split, **settings}
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
            told, generated = dict[str, float](), 0
            if by_expert:
                shown = team.share(deal(run.update))
            else:
                shown, right, generated = right_answers(learner, run.update, make)
                told = {"success": right, "demonstrations": team.total(len(shown))}
            batch = Batch.of([Rollout.demonstrated(policy, row) for row in shown], policy)
            did, length = sft_update(learner, batch, run.rate()), team.total(int(batch.mask.sum()))
            line = {
                **did, **told,
                **({"epoch": min((run.update + 1) * arguments.batch / rows, arguments.epochs or inf)} if rows else {}),
                "tokens_a_second": length / (monotonic() - began),
            }  # fmt: skip
            only_read = generated + length * (arguments.kl_coef > 0)  # by the start
            cost = learner.size * (2.0 * only_read + 6.0 * length)
            run.record(learner, line, cost, batch)
    return run


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with cli.kind_endings(given.out):
        train(given).tell()
