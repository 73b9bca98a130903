"""Supervised fine-tuning on demonstrations that the verifier has scored.

    python examples/sft.py --model tiny-lm --out runs/sft
    python examples/sft.py --model HuggingFaceTB/SmolLM2-135M-Instruct --learning-rate 1e-5 --flops 2e15 --out runs/smol
    python examples/sft.py --model tiny-vlm --env verienv/GeneralPoints-VL-v0 --out runs/sft-vision
    accelerate launch --multi_gpu --num_processes 2 examples/sft.py --out runs/sft    # on two devices

With vision the demonstrations bring their pictures, and as in words only the answers are trained on. Followed by
examples/ppo.py on the same environment this is the ReFT recipe (arXiv 2401.08967). The same command continues an
interrupted run.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any, Literal

import torch
import tyro
from torch.nn.functional import cross_entropy

import bounds
from arguments import Settings, settings_of
from endings import enough_memory, kind_endings
from finite import STEPPED, demand_finite, numbers_in
from model import checkpoint_gradients, parameters_of, trainable
from processes import Team
from runs import Run, scheduled
from verienv import demonstrations
from verienv.core.dialogue import parts_of, with_pictures
from verienv.policies import HuggingFacePolicy
from verienv.policies.hugging_face.checkpoint import are_finite
from verienv.policies.hugging_face.loading import Dtype
from verienv.policies.hugging_face.tokens import Tokens


@dataclass
class Arguments:
    model: str = "tiny-lm"
    """The built-in tiny-lm or, for pictures, tiny-vlm; or any chat model of words or of pictures, by name or path."""
    out: Path = Path("runs/sft")
    """Where configuration, log and checkpoints go."""
    env: str = "verienv/GeneralPoints-L-v0"
    """With vision: verienv/GeneralPoints-VL-v0."""
    split: str = "train"
    """Which hands are dealt, under which rule."""
    settings: Settings = ()
    """Settings of the environment, as for gym.make, and options of its expert: -s cards=5 -s solution=random."""
    kind: Literal["sft", "revision"] = "sft"
    """First answers, or repairs after a wrong attempt and its feedback."""
    steps: bool = False
    """Write the derivation before the answer."""
    flops: bounds.Budget = 6e12
    """Stop when training has cost this many floating-point operations (6 a parameter and token): the default is for
    the built-in models, and a larger one wants more in proportion."""
    checkpoints: bounds.Count = 3
    """Checkpoints, evenly spaced in FLOPs; the last one ends the run."""
    learning_rate: bounds.Rate = 6e-5
    """Its height: it rises over --warm-up updates and falls to 0 by a cosine."""
    warm_up: bounds.Count = 10
    """Updates until the learning rate is at its height."""
    batch: bounds.Size = 64
    """Demonstrations an update."""
    micro_batch: bounds.Size = 64
    """Demonstrations in memory at once, on a device."""
    weight_decay: bounds.Weight = 0.0
    """Of AdamW."""
    gradient_norm: bounds.Norm = 1.0
    """Longer gradients are cut to this length."""
    seed: bounds.Seed = 0
    """Fixes the demonstrations and their order."""
    device: str = "auto"
    """cpu, cuda, cuda:1, ...; auto takes a GPU if there is one, or what the launcher gives."""
    dtype: Dtype = "float32"
    """bfloat16 takes half the memory; small learning rates are lost in its rounding unless --lora is given."""
    lora: bounds.Rank = 0
    """Rank of the adapter to train (with peft) in place of the model, whose weights stay; 0 trains them all."""
    gradient_checkpointing: bool = False
    """Compute activations twice in place of keeping them: less memory, a third more time."""


def encode(policy: HuggingFacePolicy, row: dict) -> tuple[Tokens, list[int]]:
    """The tokens of a demonstration's prompt with its pictures, and of its completion with the end of the turn."""
    said = "".join(part["text"] for part in parts_of(row["completion"][0]))
    response = policy.tokenizer(said, add_special_tokens=False)["input_ids"]
    return policy.opening(with_pictures(row["prompt"], row.get("images", ()))), [*response, policy.stops[0]]


def completion_loss(policy: HuggingFacePolicy, rows: list[tuple[Tokens, list[int]]]) -> torch.Tensor:
    """Mean cross-entropy of the completions' tokens."""
    batch = policy.batch([prompt + answer for prompt, answer in rows])
    ids = batch["input_ids"]
    labels = torch.full_like(ids, -100)
    for index, (prompt, answer) in enumerate(rows):
        end = len(prompt) + len(answer)
        labels[index, len(prompt) : end] = ids[index, len(prompt) : end]
    logits = policy.model(**batch, use_cache=False).logits[:, :-1].float()
    return cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)


def plain(rows: list[tuple[Tokens, list[int]]]) -> dict[str, Any]:
    """Demonstrations as plain lists, to be looked into."""
    prompts, answers = zip(*rows, strict=True)
    return {"prompts": prompts, "answers": answers, "vision": [prompt.vision for prompt in prompts]}


@enough_memory("lower --micro-batch, or give --gradient-checkpointing, --lora 16 or --dtype bfloat16")
def train(arguments: Arguments) -> Run:
    """Train to the end of the budget, from the newest checkpoint if there is one."""
    bounds.check(arguments)
    settings = settings_of(arguments, {"split": arguments.split}, make=demonstrations)
    team = Team.launched(arguments.device)
    run = Run(arguments.out, arguments, team=team)
    if run.finished:
        return run
    torch.manual_seed(arguments.seed)
    fresh = HuggingFacePolicy.load(arguments.model, device=team.device, dtype=arguments.dtype, lora=arguments.lora)
    policy, state = run.resume(fresh)
    policy.model.train()
    if arguments.gradient_checkpointing:
        checkpoint_gradients(policy.model)
    weights = trainable(policy.model)
    optimiser = torch.optim.AdamW(weights, lr=arguments.learning_rate, weight_decay=arguments.weight_decay)
    update, spent = 0, 0.0
    if state:
        run.restore(state, optimiser=optimiser)
        update, spent = state["update"], state["flops"]
    else:
        team.seed_apart(arguments.seed)
    cost_of_a_token = 6 * parameters_of(policy.model)
    saved = int(spent / arguments.flops * arguments.checkpoints + 1e-6)
    with run.guarded(), run.bar(arguments.flops, spent) as bar:
        while spent < arguments.flops:
            began = monotonic()
            demos = demonstrations(
                arguments.env, arguments.kind, arguments.batch, seed=arguments.seed * 1_000_003 + update,
                split=arguments.split, steps=arguments.steps, **settings,
            )  # fmt: skip
            mine = team.share(range(arguments.batch))
            encoded = (encode(policy, row) for row in islice(demos, mine.start, mine.stop))
            rows = sorted(encoded, key=lambda row: sum(map(len, row)))
            tokens = team.total(sum(len(answer) for _, answer in rows))
            optimiser.zero_grad()
            loss = 0.0
            for start in range(0, len(rows), arguments.micro_batch):
                part = rows[start : start + arguments.micro_batch]
                share = sum(len(answer) for _, answer in part) / tokens
                part_loss = completion_loss(policy, part) * share
                part_loss.backward()
                loss += part_loss.item()
            team.sum_gradients(weights)
            norm = torch.nn.utils.clip_grad_norm_(weights, arguments.gradient_norm).item()
            demand_finite(team, partial(plain, rows), {"loss": loss, "gradient": norm})
            rate = arguments.learning_rate * scheduled(update, spent / arguments.flops, arguments.warm_up)
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            demand_finite(team, partial(plain, rows), {STEPPED: are_finite(weights)})
            read = team.total(sum(len(prompt) + len(answer) for prompt, answer in rows))
            cost, loss = cost_of_a_token * read, team.total(loss)
            update, spent = update + 1, spent + cost
            speed = read / (monotonic() - began)
            line = {
                "update": update, "flops": spent, "learning_rate": rate, "loss": loss, "gradient_norm": norm,
                "tokens_a_second": speed,
            }  # fmt: skip
            demand_finite(team, partial(plain, rows), dict(numbers_in(line)))
            due = spent >= arguments.flops * (saved + 1) / arguments.checkpoints
            if due:  # what is saved can be played
                with torch.no_grad():
                    after = completion_loss(policy, rows[: arguments.micro_batch])
                demand_finite(team, partial(plain, rows), {f"loss with the {STEPPED}": after})
            run.log(line)
            run.tell_if_short(cost, arguments.flops, arguments.warm_up)
            bar.update(cost)
            bar.set_postfix(loss=f"{loss:.3f}")
            if due:
                saved += 1
                run.save(update, policy, {"optimiser": optimiser.state_dict(), "flops": spent})
    run.finish()
    return run


if __name__ == "__main__":
    given = tyro.cli(Arguments, description=__doc__)
    with kind_endings(given.out):
        train(given).tell()
