"""verienv in TRL: a reward function, datasets, and environments for several attempts and whole routes.

``docs/trl.md`` has every trainer, and several GPUs.

GRPO, one answer to each prompt::

    import torch
    from trl import GRPOConfig, GRPOTrainer
    from verienv.adapters.trl import dataset, reward

    trainer = GRPOTrainer(
        model="Qwen/Qwen2.5-0.5B-Instruct",
        reward_funcs=reward,
        train_dataset=dataset("verienv/GeneralPoints-L-v0", n=2000, attempts=1),
        args=GRPOConfig(output_dir="runs/grpo", max_completion_length=256, use_cpu=not torch.cuda.is_available()),
    )
    trainer.train()

SFT on demonstrations (``kind="revision"`` for repairs after real feedback; ``kind="preference"`` for DPOTrainer, or
``preferences(pairs, labels)`` of labelled pairs)::

    import torch
    from trl import SFTConfig, SFTTrainer
    from verienv.adapters.trl import dataset

    trainer = SFTTrainer(
        model="Qwen/Qwen2.5-0.5B-Instruct",
        train_dataset=dataset("verienv/GeneralPoints-L-v0", kind="sft", n=2000),
        args=SFTConfig(output_dir="runs/sft", use_cpu=not torch.cuda.is_available()),
    )
    trainer.train()

Vision-language models train in the same way on ``dataset("verienv/GeneralPoints-VL-v0", ...)``, with ``images`` in its
rows; give SFTConfig and DPOConfig ``max_length=None`` there, since TRL cuts off a longer row in its picture.

GRPO with several attempts and feedback between them, for models that call tools, paid for all of them::

    import torch
    from trl import GRPOConfig, GRPOTrainer
    from verienv.adapters.trl import dataset, environment

    trainer = GRPOTrainer(
        model="Qwen/Qwen3-0.6B",
        environment_factory=environment("generalpoints"),
        train_dataset=dataset("verienv/GeneralPoints-L-v0", n=2000),
        args=GRPOConfig(output_dir="runs/grpo", use_cpu=not torch.cuda.is_available()),
    )
    trainer.train()

A row of V-IRL is one waypoint of a route, with the expert's way to it in its prompt; of kind "episode" it is a whole
route, for ``environment_factory=environments()``, and by vision ``environments(processor=processor)``, whose tool
replies with the next views. Rows of several tasks can be mixed, and ``reward`` judges each as its task does::

    from datasets import concatenate_datasets
    from verienv.adapters.trl import dataset

    tasks = ("verienv/GeneralPoints-L-v0", "verienv/VIRL-L-v0")
    mixed = concatenate_datasets([dataset(env_id, n=2000, attempts=1) for env_id in tasks]).shuffle(seed=0)

One's own wording and answer format are settings: ``dataset(..., prompt="{cards}. {rule}. Make {target}. {format}",
answer_format="tags")``; the reward reads them from the rows.

Every row holds the instance and all settings that its reward depends on, so the completions of a GRPO group are
judged on the same question, in any process. Written for TRL 1.16; works from 1.8 on.
"""

from __future__ import annotations

from verienv.adapters.trl_datasets import Kind, dataset
from verienv.adapters.trl_environments import TaskEnvironment, environment, environments
from verienv.adapters.trl_preferences import preferences
from verienv.adapters.trl_rewards import RewardFunction, response_text, reward, reward_function

__all__ = [
    "Kind",
    "RewardFunction",
    "TaskEnvironment",
    "dataset",
    "environment",
    "environments",
    "preferences",
    "response_text",
    "reward",
    "reward_function",
]
