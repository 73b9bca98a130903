"""Part 2: tokens and episodes a second, share of the card's bfloat16 rate, and memory against its plan.

Updates are those of ``examples/sft.py`` and ``ppo.py``, by their own functions, on pictures as the environment draws
them; the first update warms up and is not counted. MFU counts 6 N a token that is trained on (4 N with LoRA, whose
frozen weights get no gradient) and 2 N a token that is read or sampled, N being all parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from gpu.models import models_of, policy_of
from gpu.results import Measurement, Results, Setup, Skip
from gpu.updates import ENV, Case, reinforced, supervised, timed
from verienv import demonstrations
from verienv.core.dialogue import with_pictures
from verienv.policies import Sampling
from verienv.policies.hugging_face.policy import evaluating

DATASHEET = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "B200": 2250e12}
"""bfloat16 matrix products without sparsity, FLOP/s, by what a device's name holds; SXM cards."""


def card(setup: Setup) -> dict[str, Any]:
    """The rate of a bfloat16 matrix product of this device, measured, and that of its datasheet, in FLOP/s."""
    side, times = (8192, 10) if setup.real else (256, 2)
    left, right = (torch.randn(side, side, device=setup.device, dtype=torch.bfloat16) for _ in range(2))
    for _ in range(3):
        left @ right
    with timed(setup.device) as took:
        for _ in range(times):
            left @ right
    name = torch.cuda.get_device_name() if setup.device.startswith("cuda") else "CPU"
    known = next((rate for part, rate in DATASHEET.items() if part in name), None)
    return {"side": side, "measured": 2 * side**3 * times / took[0], "datasheet": known}


def sampling(name: str, dialogues: int, longest: int, setup: Setup) -> dict[str, Any]:
    """Where sampling's time goes: its first token, each later one, and how much of that the GPU computes."""
    policy = policy_of(name, setup.device, autocast=setup.device.startswith("cuda"), max_new_tokens=longest)
    rows = demonstrations(ENV, n=dialogues, seed=0)
    prompts = [policy.opening(with_pictures(row["prompt"], row["images"])) for row in rows]
    seconds: dict[int, float] = {}
    with evaluating(policy.model):
        for most in (2, 1, longest):
            policy.max_new_tokens = most
            with timed(setup.device) as took:
                policy.sample(prompts, Sampling(1.0))
            seconds[most] = took[0]
        step = (seconds[longest] - seconds[1]) / (longest - 1)
        told = {"dialogues": dialogues, "first_token_seconds": seconds[1], "step_seconds": step,
                "tokens_a_second": dialogues / step}  # fmt: skip
        if setup.device.startswith("cuda"):
            busy = []
            for policy.max_new_tokens in (1, 9):
                with torch.profiler.profile() as profile:
                    policy.sample(prompts, Sampling(1.0))
                busy.append(sum(event.self_device_time_total for event in profile.key_averages()) / 1e6)
            told["gpu_share_of_a_step"] = (busy[1] - busy[0]) / 8 / step
    return told


def trl(kind: str, case: Case, setup: Setup, **how: Any) -> dict[str, Any]:
    """TRL's trainer on the same model, batch and lengths."""
    try:
        from gpu import trl_side
    except ImportError as error:
        raise Skip(f"TRL cannot be imported here ({error})") from None
    return getattr(trl_side, kind)(case, setup, **how)


def measurements(setup: Setup, results: Results) -> Iterator[Measurement]:
    """Yield them, each on a model of its own."""
    rate = results.value("card")

    def the_card() -> dict[str, Any]:
        rate.update(card(setup))
        return dict(rate)

    yield "card", the_card
    sees, across = models_of(setup.real)
    full = Case(sees, 8, 32, 256, 3, checkpointing=True) if setup.real else Case(sees, 2, 4, 6, 1)
    across_full = replace(full, model=across, lora=16, dtype="bfloat16")
    yield f"SFT, {sees}, checkpointing", partial(supervised, replace(full, checkpointing=True), rate, setup)
    yield f"PPO, {sees}, checkpointing", partial(reinforced, replace(full, checkpointing=True, updates=1), rate, setup)
    yield f"SFT, {across}, LoRA 16", partial(supervised, across_full, rate, setup)
    yield f"PPO, {across}, LoRA 16", partial(reinforced, replace(across_full, updates=1), rate, setup)
    yield f"SFT, {sees}", partial(supervised, replace(full, checkpointing=False), rate, setup)
    if setup.real:
        yield f"SFT, {sees}, micro-batch 32", partial(supervised, replace(full, micro_batch=32), rate, setup)
        yield f"SFT, {sees}, micro-batch 2", partial(supervised, replace(full, micro_batch=2), rate, setup)
    for dialogues in (32, 256) if setup.real else (2,):
        yield f"sampling, {sees}, {dialogues} dialogues", partial(sampling, sees, dialogues, full.longest // 2, setup)
    yield f"TRL SFT, {sees}", partial(trl, "sft", full, setup)
    grouped, group = replace(full, updates=1), 8 if setup.real else 2
    yield f"group, {sees}", partial(reinforced, grouped, rate, setup, attempts=1, group=group)
    yield f"TRL GRPO, {sees}", partial(trl, "grpo", grouped, setup, group=group)
