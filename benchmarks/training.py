"""Speed of the example PPO loop as ratios: both sides in one process, taking turns; the round of the median ratio.

python benchmarks/training.py [--check] [--rounds 3]

Ours are 64 environments whose unfinished dialogues are sampled together, with cached keys and values. Theirs is the
same model driven one environment at a time, one response a call. Times are microseconds an environment step: a response
that is judged. With a GPU, or GRPO=1 set, TRL's GRPO trainer too, on the same model, batch and lengths. With
``--check`` a broken bound is exit status 1.
"""

from __future__ import annotations

import copy
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import gymnasium as gym
import torch

from race import Row, report

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import ppo
from rollouts import Episode
from verienv.policies import HuggingFacePolicy

ENVS = 64
TASKS = {
    "in words": ("verienv/GeneralPoints-L-v0", "tiny-lm"),
    "with pictures": ("verienv/GeneralPoints-VL-v0", "tiny-vlm"),
}


class Loop:
    """What PPO trains: a policy, its environments, and all that an update needs."""

    def __init__(self, env_id: str, model: str, attempts: int) -> None:
        self.arguments = ppo.Arguments(
            model=model, env=env_id, attempts=attempts, episodes=ENVS, batch=ENVS, minibatch=ENVS, learning_rate=1e-9
        )
        self.policy = HuggingFacePolicy.load(model)
        self.start = copy.deepcopy(self.policy.model).requires_grad_(False)
        self.envs = [gym.make(env_id, disable_env_checker=True, attempts=attempts) for _ in range(ENVS)]
        width = self.policy.model.config.get_text_config().hidden_size + 3
        self.critic = ppo.Critic(width, 1e-9).to(self.policy.device)
        self.optimiser = torch.optim.AdamW(self.policy.model.parameters(), lr=1e-9)

    def together(self, update: int) -> Sequence[Episode]:
        """One episode of each environment, sampled together."""
        return ppo.rollout(self.policy, self.envs, list(ppo.seeds_of(update, self.arguments)), self.arguments)

    def one_by_one(self, update: int) -> Sequence[Episode]:
        """The same of a quarter of them, one after the other."""
        seeds = list(ppo.seeds_of(update, self.arguments))[: ENVS // 4]
        pairs = zip(self.envs, seeds, strict=False)
        return [ppo.rollout(self.policy, [env], [seed], self.arguments)[0] for env, seed in pairs]

    def with_update(self, update: int) -> Sequence[Episode]:
        """A rollout together, and what PPO learns from it."""
        episodes = self.together(update)
        batch = ppo.Batch.of(episodes, self.policy)
        ppo.ppo_update(self.policy, self.critic, self.start, self.optimiser, batch, self.arguments)
        return episodes


def a_step(play: Callable[[int], Sequence[Episode]], update: int) -> float:
    """Microseconds an environment step."""
    torch.manual_seed(update)
    began = time.perf_counter()
    episodes = play(update)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return (time.perf_counter() - began) * 1e6 / sum(len(episode.failures) for episode in episodes)


def race(rounds: int, ours: Callable[[int], float], theirs: Callable[[int], float]) -> tuple[float, float]:
    """The round whose ratio is the median; the first warms up."""
    pairs = [(ours(turn), theirs(turn)) for turn in range(rounds + 1)][1:]
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]


def rollouts(rounds: int) -> list[Row]:
    rows = []
    for name, (env_id, model) in TASKS.items():
        loop = Loop(env_id, model, attempts=5)
        for what, play, most in (
            (f"rollouts of {ENVS} envs", loop.together, 1 / 4),
            ("rollouts and updates", loop.with_update, None),
        ):
            pair = race(rounds, partial(a_step, play), partial(a_step, loop.one_by_one))
            rows.append(Row(f"{what} {name} / one env at a time", *pair, most=most))
    return rows


def grpo(rounds: int, updates: int = 4) -> list[Row]:
    """A whole training step, one response a question, against TRL's."""
    if not torch.cuda.is_available() and not os.environ.get("GRPO"):
        return []
    rows = []
    for name, (env_id, model) in TASKS.items():
        loop = Loop(env_id, model, attempts=1)

        def ours(turn: int, loop: Loop = loop) -> float:
            return sum(a_step(loop.with_update, turn * updates + update) for update in range(updates)) / updates

        pair = race(rounds, ours, lambda _, loop=loop: trl_step(loop, updates))
        rows.append(Row(f"PPO step of {ENVS} answers {name} / TRL's GRPO step", *pair))
    return rows


def trl_step(loop: Loop, updates: int) -> float:
    """Microseconds an answer in TRL's GRPO trainer: the same model, as many answers a step, as long at most."""
    from trl import GRPOConfig, GRPOTrainer

    from verienv.adapters.trl import dataset, reward

    arguments, policy = loop.arguments, loop.policy
    with TemporaryDirectory() as folder:
        settings: dict[str, Any] = {
            "output_dir": folder, "per_device_train_batch_size": ENVS, "num_generations": 8, "max_steps": updates,
            "max_completion_length": arguments.max_new_tokens, "temperature": arguments.temperature, "beta": 0.0,
            "learning_rate": 1e-9, "report_to": "none", "save_strategy": "no", "logging_strategy": "no",
            "disable_tqdm": True, "log_level": "error", "bf16": False, "gradient_checkpointing": False,
            "use_cpu": not torch.cuda.is_available(),
        }  # fmt: skip
        trainer = GRPOTrainer(
            model=copy.deepcopy(policy.model),
            processing_class=policy.processor or policy.tokenizer,
            reward_funcs=reward,
            train_dataset=dataset(arguments.env, n=ENVS, attempts=1),
            args=GRPOConfig(**settings),
        )
        began = time.perf_counter()
        trainer.train()
        return (time.perf_counter() - began) * 1e6 / (ENVS * updates)


if __name__ == "__main__":
    raise SystemExit(report(__doc__, [rollouts, grpo], rounds=3))
