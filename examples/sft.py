"""Supervised fine-tuning on demonstrations that the verifier has scored.

    python examples/sft.py --model tiny-lm --out runs/sft
    python examples/sft.py --model HuggingFaceTB/SmolLM2-135M-Instruct --learning-rate 1e-5 --batch 32 --out runs/smol

Followed by examples/ppo.py on the same environment this is the ReFT recipe (arXiv 2401.08967). The same command
continues an interrupted run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
import tyro
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from policy import Policy, padded, parameters_of
from runs import Run, demand_positive, kind_endings, restore_random_state, scheduled
from verienv import demonstrations


@dataclass
class Arguments:
    model: str = "tiny-lm"
    """The built-in tiny-lm, or any causal language model with a chat template, by name or path."""
    out: Path = Path("runs/sft")
    """Where configuration, log and checkpoints go."""
    env: str = "verienv/GeneralPoints-L-v0"
    split: str = "train"
    kind: Literal["sft", "revision"] = "sft"
    """First answers, or repairs after a wrong attempt and its feedback."""
    steps: bool = False
    """Write the derivation before the answer."""
    flops: float = 6e12
    """Stop when training has cost this many floating-point operations (6 a parameter and token)."""
    checkpoints: int = 3
    """Checkpoints, evenly spaced in FLOPs; the last one ends the run."""
    learning_rate: float = 6e-5
    """Its height: it rises over ``warm_up`` updates and falls to 0 by a cosine."""
    warm_up: int = 10
    batch: int = 64
    """Demonstrations an update."""
    micro_batch: int = 64
    """Demonstrations in memory at once."""
    weight_decay: float = 0.0
    gradient_norm: float = 1.0
    seed: int = 0
    device: str = "auto"


def encode(policy: Policy, row: dict) -> tuple[list[int], list[int]]:
    """The tokens of a demonstration's prompt, and of its completion with the end of the turn."""
    response = policy.tokenizer(row["completion"][0]["content"], add_special_tokens=False)["input_ids"]
    return policy.opening(row["prompt"]), [*response, policy.stops[0]]


def completion_loss(policy: Policy, rows: list[tuple[list[int], list[int]]]) -> torch.Tensor:
    """Mean cross-entropy of the completions' tokens."""
    ids, mask = padded(
        [prompt + answer for prompt, answer in rows], policy.tokenizer.pad_token_id, device=policy.device
    )
    labels = torch.full_like(ids, -100)
    for index, (prompt, answer) in enumerate(rows):
        end = len(prompt) + len(answer)
        labels[index, len(prompt) : end] = ids[index, len(prompt) : end]
    logits = policy.model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
    return cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)


def train(arguments: Arguments) -> Run:
    """Train to the end of the budget, from the newest checkpoint if there is one."""
    demand_positive(
        arguments, "flops", "checkpoints", "learning_rate", "warm_up", "batch", "micro_batch", "gradient_norm"
    )
    run = Run(arguments.out, arguments)
    if run.finished:
        return run
    torch.manual_seed(arguments.seed)
    policy, state = run.resume(Policy.load(arguments.model, device=arguments.device))
    policy.model.train()
    optimiser = torch.optim.AdamW(
        policy.model.parameters(), lr=arguments.learning_rate, weight_decay=arguments.weight_decay
    )
    update, spent = 0, 0.0
    if state:
        optimiser.load_state_dict(state["optimiser"])
        update, spent = state["update"], state["flops"]
        restore_random_state(state["random"])
    cost_of_a_token = 6 * parameters_of(policy.model)
    saved = int(spent / arguments.flops * arguments.checkpoints + 1e-6)
    with tqdm(total=arguments.flops, initial=spent, unit="FLOP", unit_scale=True, desc=f"sft {run.out.name}") as bar:
        while spent < arguments.flops:
            demos = demonstrations(
                arguments.env, arguments.kind, arguments.batch, seed=arguments.seed * 1_000_003 + update,
                split=arguments.split, steps=arguments.steps,
            )  # fmt: skip
            rows = sorted((encode(policy, row) for row in demos), key=lambda row: sum(map(len, row)))
            optimiser.zero_grad()
            loss = 0.0
            for start in range(0, len(rows), arguments.micro_batch):
                part = rows[start : start + arguments.micro_batch]
                part_loss = completion_loss(policy, part) * len(part) / len(rows)
                part_loss.backward()
                loss += part_loss.item()
            norm = torch.nn.utils.clip_grad_norm_(policy.model.parameters(), arguments.gradient_norm)
            for group in optimiser.param_groups:
                group["lr"] = arguments.learning_rate * scheduled(update, spent / arguments.flops, arguments.warm_up)
            optimiser.step()
            cost = cost_of_a_token * sum(len(prompt) + len(answer) for prompt, answer in rows)
            update, spent = update + 1, spent + cost
            run.log({"update": update, "flops": spent, "loss": loss, "gradient_norm": norm.item()})
            bar.update(cost)
            bar.set_postfix(loss=f"{loss:.3f}")
            if spent >= arguments.flops * (saved + 1) / arguments.checkpoints:
                saved += 1
                run.save(update, policy, {"optimiser": optimiser.state_dict(), "flops": spent})
    run.finish()
    return run


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with kind_endings(given.out):
        print(f"checkpoints: {', '.join(map(str, train(given).checkpoints()))}")
