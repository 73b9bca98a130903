"""TRL's trainers on the model, rows and lengths of part 2: the side that ours is compared with."""

from __future__ import annotations

import time
from tempfile import TemporaryDirectory
from typing import Any

import torch
from datasets import Dataset
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

from gpu.models import policy_of
from gpu.results import synchronise
from verienv.adapters.trl import dataset, reward

ENV = "verienv/GeneralPoints-VL-v0"


class Clock(TrainerCallback):
    """When each optimiser step of a trainer was over."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.ends: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        synchronise(self.device)
        self.ends.append(time.perf_counter())


def told_of(case: Any, device: str, folder: str) -> dict[str, Any]:
    """Return the settings that both trainers share: sizes of the case, and silence."""
    is_cuda = device.startswith("cuda")
    return {
        "output_dir": folder, "per_device_train_batch_size": case.micro_batch,
        "gradient_accumulation_steps": case.rows // case.micro_batch, "max_steps": case.updates + 1,
        "learning_rate": 1e-9, "bf16": is_cuda, "fp16": False, "use_cpu": not is_cuda,
        "gradient_checkpointing": case.checkpointing, "max_grad_norm": 1.0, "logging_steps": 1, "seed": 0,
        "optim": "adamw_torch_fused" if is_cuda else "adamw_torch", "report_to": "none", "save_strategy": "no",
        "disable_tqdm": True, "log_level": "error", "dataloader_num_workers": 0,
    }  # fmt: skip


def timed(trainer: Any, case: Any, clock: Clock, device: str) -> dict[str, Any]:
    """Train, and tell of all steps but the first: tokens and rows a second, seconds a step, peak bytes."""
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
    trainer.train()
    seconds = clock.ends[-1] - clock.ends[0]
    seen = [line["num_tokens"] for line in trainer.state.log_history if "num_tokens" in line]
    return {
        "tokens_a_second": (seen[-1] - seen[0]) / seconds, "rows_a_second": case.rows * case.updates / seconds,
        "step_seconds": seconds / case.updates,
        **({"peak": torch.cuda.max_memory_allocated()} if device.startswith("cuda") else {}),
    }  # fmt: skip


def sft(case: Any, setup: Any) -> dict[str, Any]:
    """SFTTrainer on demonstrations with pictures; the processor works inside its step."""
    policy, clock = policy_of(case.model, setup.device), Clock(setup.device)
    with TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=policy.model, processing_class=policy.processor, callbacks=[clock],
            args=SFTConfig(**told_of(case, setup.device, folder), max_length=None),
            train_dataset=rows(case.rows, kind="sft", steps=True),
        )  # fmt: skip
        return timed(trainer, case, clock, setup.device)


def grpo(case: Any, setup: Any, group: int) -> dict[str, Any]:
    """GRPOTrainer on the verifier's reward, one response an episode, sampled by ``generate``, without a start model."""
    policy, clock = policy_of(case.model, setup.device), Clock(setup.device)
    with TemporaryDirectory() as folder:
        trainer = GRPOTrainer(
            model=policy.model, processing_class=policy.processor, callbacks=[clock], reward_funcs=reward,
            args=GRPOConfig(
                **told_of(case, setup.device, folder), num_generations=group, max_completion_length=case.longest,
                temperature=1.0, beta=0.0,
            ),
            train_dataset=rows(case.rows, attempts=1),
        )  # fmt: skip
        return timed(trainer, case, clock, setup.device)


def rows(count: int, **how: Any) -> Dataset:
    return dataset(ENV, n=count, **how)
